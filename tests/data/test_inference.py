"""What the kinds of inputs and targets are, read off the data or given."""

import pytest

from lstm_cli.config import config_from_mapping
from lstm_cli.data import open_data
from lstm_cli.data.formats import Options, read
from lstm_cli.data.formats.source import Source
from lstm_cli.data.schema.inference import infer
from lstm_cli.errors import DataError
from tests.support.data import data_config, open_jsonl, write

INPUTS = {
    "numbers": ([{"x": [1, 2]}, {"x": [3.5]}], "number", 1),
    "booleans": ([{"x": [True, False]}], "number", 1),
    "vectors": ([{"x": [[1, 2], [3, 4]]}, {"x": [[5, 6]]}], "number", 2),
    "strings": ([{"x": ["a", "b"]}], "tokens", None),
    "text": ([{"x": "ab c"}, {"x": "d"}], "tokens", None),
    "sets of strings": ([{"x": [["a"], []]}], "set", None),
    "sets of numbers": ([{"x": [[60, 64], [60]]}], "set", None),
    "sets that differ between rows": ([{"x": [[60, 64]]}, {"x": [[60], [64]]}], "set", None),
    "mostly numbers": ([{"x": [1, 2, 3]}, {"x": [1, 2, 3]}], "number", 1),
}
TARGETS = {
    "a string": ("a", "category", "sequence"),
    "a whole number": (3, "number", "sequence"),
    "a boolean": (True, "category", "sequence"),
    "a fraction": (0.5, "number", "sequence"),
    "strings per step": (["a", "b"], "category", "step"),
    "whole numbers per step": ([1, 2], "number", "step"),
    "fractions per step": ([0.5, 2], "number", "step"),
    "vectors per step": ([[0.5, 1], [2, 3]], "number", "step"),
    "sets per step": ([["a"], ["a", "b"]], "set", "step"),
    "a list of labels": (["a", "b", "c"], "set", "sequence"),
    "a vector": ([0.5, 1, 2], "number", "sequence"),
}


@pytest.mark.parametrize("case", INPUTS)
def test_kind_of_an_input(tmp_path, case):
    rows, kind, width = INPUTS[case]
    data = open_jsonl(tmp_path, [row | {"y": "a"} for row in rows], inputs=["x"], target="y")
    (column,) = data.schema.layout.inputs
    assert column.kind == kind
    assert width is None or column.width == data.schema.numeric_size == width


@pytest.mark.parametrize("case", TARGETS)
def test_kind_and_extent_of_a_target(tmp_path, case):
    value, kind, per = TARGETS[case]
    data = open_jsonl(tmp_path, [{"x": [1.5, 2.5], "y": value}] * 2, inputs=["x"], target="y")
    assert (data.schema.target.kind, data.schema.target.per) == (kind, per)


@pytest.mark.parametrize(
    ("value", "given", "kind", "size"),
    [
        (3, {"kind": "number"}, "number", 1),
        ([1, 2], {"kind": "number"}, "number", 1),
        ([1, 2, 3], {"kind": "number"}, "number", 3),
        ([1, 2], {"kind": "number", "per": "sequence"}, "number", 2),
        (0.5, {"kind": "category"}, "category", 1),
        ([60, 64], {"kind": "set"}, "set", 2),
        ([[60, 64], [61, 65]], {"kind": "set"}, "set", 4),
    ],
)
def test_a_given_kind_overrides(tmp_path, value, given, kind, size):
    data = open_jsonl(tmp_path, [{"x": [1.5, 2.5], "y": value}] * 2, inputs=["x"], target={"column": "y", **given})
    assert (data.schema.target.kind, data.schema.target.size) == (kind, size)


def test_a_given_kind_of_an_input_overrides(tmp_path):
    row = {"x": [[1, 2], [3, 4]], "w": [7, 8], "y": "a"}
    data = open_jsonl(tmp_path, [row] * 2, inputs={"x": "set", "w": "tokens"}, target="y")
    assert data.schema.sets["x"].names == (1, 2, 3, 4)
    assert data.schema.tokens["w"].tokens == ("<unk>", "7", "8")


@pytest.mark.parametrize(
    ("values", "labels"),
    [([3, 10, -1], (-1, 3, 10)), ([True, False], (False, True)), (["3", "a"], ("3", "a")), (["10", "9"], ("9", "10"))],
)
def test_labels_keep_their_type_and_numeric_order(tmp_path, values, labels):
    target = {"column": "y", "kind": "category"}
    data = open_jsonl(tmp_path, [{"x": [1.5], "y": value} for value in values], inputs=["x"], target=target)
    assert data.schema.target.labels == labels


def test_sequences_of_length_one_are_per_step_if_the_target_is_a_list(tmp_path):
    for value, per in ((["a"], "step"), ("a", "sequence")):
        data = open_jsonl(tmp_path, [{"x": [1.5], "y": value}] * 2, inputs=["x"], target="y")
        assert data.schema.target.per == per


@pytest.mark.parametrize(
    ("cells", "kind"), [("1 2 3", "number"), ("1 2.5 3", "number"), ("a b 1", "category"), ("1 2 " * 11, "category")]
)
def test_cells_of_csv_are_numbers_where_they_read_as_such(tmp_path, cells, kind):
    write(tmp_path / "a.csv", "x,y\n" + "".join(f"1,{cell}\n" for cell in cells.split()))
    data = open_data(data_config(tmp_path, train="a.csv", inputs=["x"], target="y"))
    assert (data.schema.target.kind, data.schema.target.per) == (kind, "step")
    assert data.schema.layout.inputs[0].kind == "number"


def test_words_that_begin_with_a_number_are_tokens(tmp_path):
    write(tmp_path / "a.csv", "word,tag\n1988,num\nwas,verb\ngood,adj\n")
    data = open_data(data_config(tmp_path, train="a.csv", inputs=["word"], target="tag"))
    assert len(data.schema.tokens["word"]) == 4


def test_sets_in_cells_are_separated_by_spaces_or_bars(tmp_path):
    write(tmp_path / "a.csv", "x,y\n60 64,A|B\n,B\n64,_\n")
    data = open_data(data_config(tmp_path, train="a.csv", inputs={"x": "set"}, target={"column": "y", "kind": "set"}))
    assert data.schema.sets["x"].names == ("60", "64")
    assert data.train.numbers.tolist() == [[1, 1], [0, 0], [0, 1]]
    assert data.train.target.tolist() == [[1, 1], [0, 1], [0, 0]]


def test_a_target_per_sequence_in_csv_is_the_value_of_all_its_rows(tmp_path):
    target = {"column": "y", "per": "sequence"}
    write(tmp_path / "a.csv", "id,x,y\n1,5,a\n1,6,a\n2,7,b\n")
    data = open_data(data_config(tmp_path, train="a.csv", inputs=["x"], target=target))
    assert (data.schema.target.per, data.train.target.tolist()) == ("sequence", [0, 1])


def test_a_label_that_never_changes_within_a_sequence_is_noted(tmp_path):
    write(tmp_path / "a.csv", "id,x,y\n1,5,a\n1,6,a\n2,7,b\n")
    data = open_data(data_config(tmp_path, train="a.csv", inputs=["x"], target="y"))
    assert any("set per: sequence in data.target" in note for note in data.notes)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (list(range(20)) * 11, "category"),  # 20 of 220
        (list(range(20)) * 10, "number"),  # 20 are not fewer than a tenth of 200
        (list(range(21)) * 20, "number"),
        ([0.0, 1.0] * 11, "category"),
        ([0.5, 1.0] * 11, "number"),
        ([True, False], "category"),
        (["1", "2"], "category"),
        ([0, 1, None] * 11, "category"),
    ],
)
@pytest.mark.parametrize("per", ["step", "sequence"])
def test_few_whole_numbers_that_recur_are_labels(tmp_path, values, kind, per):
    rows = [{"x": [1.5], "y": [value] if per == "step" else value} for value in values]
    data = open_jsonl(tmp_path, rows, inputs=["x"], target="y", missing={"target": "skip"})
    assert (data.schema.target.kind, data.schema.target.per) == (kind, per)


def test_a_quantity_that_is_an_input_too_is_a_number(tmp_path):
    write(tmp_path / "a.csv", "n,m\n" + "1,5\n2,6\n" * 15)
    for target, kind in (("n", "number"), ("m", "category")):
        data = open_data(data_config(tmp_path, train="a.csv", inputs=["n"], target=target))
        assert data.schema.target.kind == kind


def test_missing_numbers_are_no_labels(tmp_path):
    write(tmp_path / "a.csv", "temp,pm\n20.1,12\n20.4,NA\n20.3,NA\n20.2,NA\n20.6,40\n")
    data = open_data(
        data_config(tmp_path, train="a.csv", inputs=["temp"], target="pm", scale="none", missing={"target": "skip"})
    )
    assert (data.schema.target.kind, data.train.weight.tolist()) == ("number", [1, 0, 0, 0, 1])
    with pytest.raises(DataError, match=r"a.csv:3: pm: a number is missing \(NA\): fill it in, or set"):
        open_data(data_config(tmp_path, train="a.csv", inputs=["temp"], target="pm"))


def test_text_needs_neither_inputs_nor_target(tmp_path):
    write(tmp_path / "a.txt", "abcabc")
    data = open_data(data_config(tmp_path, train="a.txt"))
    assert (data.schema.target.is_next, data.schema.target.kind) == (True, "category")


def test_a_suffix_is_read_off_another_column(tmp_path):
    inputs = {"form": {"kind": "tokens"}, "suffix": {"kind": "tokens", "of": "form", "last": 2, "lowercase": True}}
    data = open_jsonl(tmp_path, [{"form": ["Singing", "RING"], "y": ["a", "b"]}], inputs=inputs, target="y")
    assert data.schema.tokens["form"].tokens == ("<unk>", "RING", "Singing")
    assert data.schema.tokens["suffix"].tokens == ("<unk>", "ng")


def test_sentence_comments_of_conllu_are_columns(tmp_path):
    word = "\t".join(["1", "hi", *"________"])
    write(tmp_path / "a.conllu", f"# mood = glad\n{word}\n\n# mood = sad\n{word}\n")
    data = open_data(data_config(tmp_path, train="a.conllu", inputs=["form"], target="mood"))
    assert (data.schema.target.per, data.schema.target.labels) == ("sequence", ("glad", "sad"))


@pytest.mark.parametrize("data", [{}, {"inputs": ["x"]}])
def test_an_archive_says_what_its_target_is(tmp_path, data):
    write(tmp_path / "a.ts", "@problemName P\n@classLabel true up down\n@data\n1,2,3:up\n4,5:down\n")
    target = open_data(data_config(tmp_path, train="a.ts", **data)).schema.target
    assert (target.kind, target.per, set(target.labels)) == ("category", "sequence", {"up", "down"})


@pytest.mark.parametrize(
    ("data", "kept"),
    [
        ({"target": "y"}, False),
        ({"target": "x"}, True),
        ({"target": "y", "split": "x"}, True),
        ({"target": "y", "loss": "x"}, True),
        ({"target": "y", "valid": {"share": 0.5, "by": "x"}}, True),
        ({"target": "y", "inputs": {"x": {}, "again": {"of": "x", "kind": "tokens"}}}, True),
    ],
)
def test_text_of_numbers_is_dropped_where_the_column_is_one_input_only(data, kept, tmp_path):
    data = dict(data)
    rows = [f"{number}.50,{number % 7}" for number in range(300)]
    (tmp_path / "t.csv").write_text("\n".join(["x,y", *rows, "NA,1", ""]))
    loss = {"weight": data.pop("loss", None)}
    given = {"train": "t.csv", "inputs": ["x"], "valid": None, **data}
    config = config_from_mapping({"data": given, "loss": loss}, tmp_path)
    sequences = list(read(Source(tmp_path / "t.csv"), "csv", Options()))
    infer(config, "csv", Options(), sequences)
    cells = sequences[0].columns["x"]
    assert cells[2] == ("2.50" if kept else "2.5")
    assert cells[300] == "NA"
