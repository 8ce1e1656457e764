"""Numbers in other notations, one-hot vectors, sets, static inputs and strings: read right, or refused with the key."""

import io
import json

import numpy as np
import pytest

from lstm_cli.data import encode, load_schema, open_data, raw_sequences
from lstm_cli.errors import ConfigError, DataError
from tests.support.data import data_config, open_jsonl, save_schema, write, write_jsonl

X = {"inputs": ["x"], "target": "y"}


def table(folder, names, rows, delimiter=","):
    lines = [delimiter.join(names), *(delimiter.join(map(str, row)) for row in rows)]
    return write(folder / "a.csv", "\n".join(lines) + "\n")


NOTATIONS = {
    "decimal comma": (['"20,1"', '"20,45"'], '"20,1"', "a decimal comma", 'set data.table.decimal: ","'),
    "thousands": (['"1,234.5"', '"999.5"'], "1,234.5", "groups of digits", 'set data.table.thousands: ","'),
    "large": (['"24,688,612"', '"1,034"'], "24,688,612", "groups of digits", 'set data.table.thousands: ","'),
    "either": (['"1,234"', '"5,678"'], "1,234", "a comma", '(or data.table.decimal: "," if it is a decimal mark)'),
    "blanks": (["1 234", "5 678.5"], "1 234", "groups of digits", 'set data.table.thousands: " "'),
    "percent": (["23%", "7.5 %"], "23%", "a percent sign", "take it off in the file"),
    "currency": (["$3.50", "$12"], "$3.50", "a currency sign", "take it off in the file"),
    "dates": (["2024-01-02", "2024-01-03"], "2024-01-02", "a date or a time", "data.time: COLUMN"),
    "times": (["1/2/2024 10:00", "1/2/2024 11:00"], "1/2/2024 10:00", "a date or a time", "data.time: COLUMN"),
    "lists": (['"[0.1, 0.2]"', '"[0.3]"'], "[0.1, 0.2]", "a list", "set data.table.row: sequence"),
}


@pytest.mark.parametrize("case", NOTATIONS)
@pytest.mark.parametrize("role", ["input", "target"])
def test_numbers_in_another_notation_are_refused_with_the_key(tmp_path, case, role):
    cells, example, name, fix = NOTATIONS[case]
    table(tmp_path, "xy", [(cell, 1.5) if role == "input" else (1.5, cell) for cell in cells * 3])
    fixed = {"table": {"decimal": "."}}  # else a decimal comma is recognized
    with pytest.raises(ConfigError) as caught:
        open_data(data_config(tmp_path, train="a.csv", **X, **fixed))
    message, kind = str(caught.value), "tokens" if role == "input" else "category"
    assert f"data.{'inputs.x' if role == 'input' else 'target'}: {example.strip(chr(34))!r} (" in message
    assert "a.csv:2) is a" in message and name in message and fix in message
    assert f"or set kind: {kind}" in message


def test_what_is_refused_can_be_tokens_and_labels(tmp_path):
    table(tmp_path, "xy", [("23%", "1-2-2024"), ("7%", "2-2-2024")])
    target = {"column": "y", "kind": "category"}
    data = open_data(data_config(tmp_path, train="a.csv", inputs={"x": "tokens"}, target=target))
    assert data.schema.tokens["x"].tokens == ("<unk>", "23%", "7%")
    assert data.schema.target.labels == ("1-2-2024", "2-2-2024")


def test_an_unlisted_mark_among_numbers_is_named(tmp_path):
    cells = [f"{k}.5" for k in range(12)] + ["-"] * 20
    table(tmp_path, "xy", [(cell, 1.5 + k) for k, cell in enumerate(cells)])
    with pytest.raises(ConfigError, match=r"data.inputs.x: '-' \(.*a.csv:14\) stands among numbers: add it to"):
        open_data(data_config(tmp_path, train="a.csv", **X))
    missing = {"values": ["", "-"], "fill": "zero"}
    data = open_data(data_config(tmp_path, train="a.csv", **X, scale="none", missing=missing))
    assert data.train.numbers.ravel().tolist() == [k + 0.5 for k in range(12)] + [0] * 20


@pytest.mark.parametrize("cell", ["20,1", "20.1", "23%", "2024-01-02"])
def test_numbers_in_quotes_are_no_tokens_in_jsonl(tmp_path, cell):
    rows = [{"x": [cell, cell], "y": "a"}, {"x": [cell], "y": "b"}]
    with pytest.raises(ConfigError, match=r"train.jsonl:1\) is a .*: write numbers without quotes, .*kind: tokens"):
        open_jsonl(tmp_path, rows, **X)


def test_whole_numbers_in_quotes_and_words_stay_tokens(tmp_path):
    data = open_jsonl(tmp_path, [{"x": ["1988", "was", "good"], "y": "a"}, {"x": ["22", "7"], "y": "b"}], **X)
    assert len(data.schema.tokens["x"]) == 6


HOT = np.array([[1, 0, 0], [0, 0, 1], [0, 1, 0], [1, 0, 0]])
MANY = np.array([[1, 0, 1], [0, 0, 1], [0, 1, 0], [0, 0, 0]])


def arrays(folder, y, steps=5):
    file = io.BytesIO()
    np.savez(file, x=np.arange(4.0 * steps).reshape(4, steps, 1), y=y)
    return write(folder / "a.npz", file.getvalue())


@pytest.mark.parametrize("kind", ["auto", "category"])
@pytest.mark.parametrize("dtype", [np.int64, np.float32, np.bool_])
@pytest.mark.parametrize("form", ["npz", "jsonl"])
def test_one_hot_vectors_per_sequence_are_categories(tmp_path, kind, dtype, form):
    y, target = HOT.astype(dtype), {"column": "y", "kind": kind}
    if form == "npz":
        arrays(tmp_path, y)
        data = open_data(data_config(tmp_path, train="a.npz", inputs=["x"], target=target))
    else:
        rows = [{"x": [0.5] * 5, "y": row.tolist()} for row in y]
        data = open_jsonl(tmp_path, rows, inputs=["x"], target=target)
    assert (data.schema.target.kind, data.schema.target.per) == ("category", "sequence")
    assert data.schema.target.labels == ("0", "1", "2")
    assert data.train.target.tolist() == HOT.argmax(axis=1).tolist()
    assert any("a single 1 is a category, by position" in note for note in data.notes) == (kind == "auto")


def test_one_hot_vectors_per_step_are_categories(tmp_path):
    rows = [{"x": [0.5, 1.5], "y": HOT[k : k + 2].tolist()} for k in range(3)]
    data = open_jsonl(tmp_path, rows, **X)
    assert (data.schema.target.kind, data.schema.target.per) == ("category", "step")
    assert data.train.target.tolist() == np.concatenate([HOT[k : k + 2].argmax(axis=1) for k in range(3)]).tolist()


def test_vectors_of_zeros_and_ones_are_sets_by_position(tmp_path):
    arrays(tmp_path, MANY)
    data = open_data(data_config(tmp_path, train="a.npz", **X))
    assert (data.schema.target.kind, data.schema.target.labels) == ("set", ("0", "1", "2"))
    assert data.train.target.tolist() == MANY.tolist()
    save_schema(data.schema, tmp_path)
    assert load_schema(tmp_path).layout == data.schema.layout


def test_a_vector_that_is_not_one_hot_is_refused_with_the_argmax(tmp_path):
    rows = [{"x": [0.5] * 5, "y": row} for row in [*HOT.tolist(), [1, 1, 0]]]
    with pytest.raises(DataError, match=r"train.jsonl:5: y: .*zeros and a single 1, got \[1.0, 1.0, 0.0\]: .*argmax"):
        open_jsonl(tmp_path, rows, inputs=["x"], target={"column": "y", "kind": "category"})


def test_labels_and_numbers_of_shape_n_1_are_one_each(tmp_path):
    y = np.array([[3], [1], [3], [2]])
    for kind, found in (("category", [2, 0, 2, 1]), ("number", y.tolist())):
        arrays(tmp_path, y)
        target = {"column": "y", "kind": kind}
        data = open_data(data_config(tmp_path, train="a.npz", inputs=["x"], target=target, scale="none"))
        assert (data.schema.target.per, data.train.target.tolist()) == ("sequence", found)


def test_set_labels_with_blanks_have_one_rule_for_a_column(tmp_path):
    table(tmp_path, "xy", [(1.5, "sci fi|drama"), (2.5, "sci fi"), (3.5, ""), (4.5, "drama | sci fi ")])
    data = open_data(data_config(tmp_path, train="a.csv", inputs=["x"], target={"column": "y", "kind": "set"}))
    assert data.schema.target.labels == ("drama", "sci fi")
    assert data.train.target.tolist() == [[1, 1], [0, 1], [0, 0], [1, 1]]
    assert data.schema.layout.target.separator == "|"
    save_schema(data.schema, tmp_path)
    assert load_schema(tmp_path).layout == data.schema.layout


def test_labels_are_trimmed_and_kept_as_written(tmp_path):
    table(tmp_path, "xy", [(1.5, " ja"), (2.5, "ja "), (3.5, "1.0"), (4.5, "1"), (5.5, "nein")])
    data = open_data(data_config(tmp_path, train="a.csv", inputs=["x"], target={"column": "y", "kind": "category"}))
    assert data.schema.target.labels == ("1", "1.0", "ja", "nein")
    rows = [{"x": [1.5], "y": y} for y in (" ja", "ja", "nein")]
    assert open_jsonl(tmp_path, rows, **X).schema.target.labels == ("ja", "nein")
    rows = [{"x": [1.5], "y": y} for y in (1, 1.0, 2)]
    assert open_jsonl(tmp_path, rows, inputs=["x"], target={"column": "y", "kind": "category"}).train.target.max() == 1


PATIENTS = [
    {"hr": [60.0, 62.0, 64.0], "age": 30, "sex": "m", "lab": [1.0, 5.0], "drugs": ["a", "b c"], "y": "ill"},
    {"hr": [70.0], "age": 50, "sex": "f", "lab": [3.0, 9.0], "drugs": [], "y": "well"},
]
STATIC = {
    "hr": {},
    "age": {"static": True},
    "sex": {"static": True},
    "lab": {"static": True},
    "drugs": {"static": True, "kind": "set"},
}


def test_static_inputs_are_repeated_and_scaled_by_sequence(tmp_path):
    data = open_jsonl(tmp_path, PATIENTS, inputs=STATIC, target="y")
    heart = np.array([60, 62, 64, 70.0])
    static = np.array([[30, 1, 5], [50, 3, 9.0]])
    scaled = (static - static.mean(axis=0)) / static.std(axis=0)
    expected = np.column_stack([(heart - heart.mean()) / heart.std(), scaled[[0, 0, 0, 1]]])
    np.testing.assert_allclose(data.train.numbers[:, :4], expected, rtol=1e-6)
    assert data.train.numbers[:, 4:].tolist() == [[1, 1]] * 3 + [[0, 0]]
    assert data.schema.tokens["sex"].decode(data.train.tokens["sex"]) == ["m", "m", "m", "f"]
    save_schema(data.schema, tmp_path)
    assert load_schema(tmp_path).layout == data.schema.layout


def test_static_inputs_of_tables_are_constant_within_a_sequence(tmp_path):
    rows = [("a", 60, 30, "m"), ("a", 62, 30, "m"), ("b", 70, 50, "f")]
    given = {"inputs": {"age": {"static": True}, "hr": {}, "sex": {"static": True}}, "target": "next", "valid": None}
    table(tmp_path, ["id", "hr", "age", "sex"], rows)
    data = open_data(data_config(tmp_path, train="a.csv", scale="none", **given))
    assert data.schema.target.size == 1
    assert data.train.numbers.tolist() == [[30, 60], [50, 70]]
    table(tmp_path, ["id", "hr", "age", "sex"], [*rows, ("b", 71, 51, "f")])
    with pytest.raises(DataError, match=r"a.csv:5: age: expected one value .*'50' and '51': .* or set static: false"):
        open_data(data_config(tmp_path, train="a.csv", **given))


def test_what_could_be_static_is_said(tmp_path):
    with pytest.raises(DataError, match=r"sex: 1 step, but hr has 3: .* set static: true if it is one value"):
        open_jsonl(tmp_path, PATIENTS, inputs=["hr", "sex"], target="y")
    with pytest.raises(
        ConfigError, match=r"data.inputs.age: single numbers, .*; for one value per sequence set static: true"
    ):
        open_jsonl(tmp_path, PATIENTS, inputs=["hr", "age"], target="y")


QUESTIONS = [{"s": "What is it", "y": "thing"}, {"s": "Who", "y": "person"}]


@pytest.mark.parametrize(
    ("whole", "own", "lengths"), [("word", None, [3, 1]), ("char", "word", [3, 1]), ("word", "char", [10, 3])]
)
def test_the_unit_of_strings_is_that_of_the_input_or_of_all(tmp_path, whole, own, lengths):
    data = open_jsonl(tmp_path, QUESTIONS, inputs={"s": {"unit": own}}, target="y", unit=whole)
    assert data.train.lengths.tolist() == lengths
    save_schema(data.schema, tmp_path)
    again = load_schema(tmp_path)
    assert [encode(again, row).steps for row in raw_sequences(QUESTIONS, again)] == lengths


def test_strings_are_refused_where_training_had_lists(tmp_path):
    rows = [{"s": ["good", "film"], "y": "pos"}, {"s": ["bad"], "y": "neg"}]
    data = open_jsonl(tmp_path, rows, inputs=["s"], target="y")
    sequence = next(raw_sequences([{"s": "good film"}], data.schema))
    with pytest.raises(DataError, match=r"s: expected a list with one token per step, as in training, got the string"):
        encode(data.schema, sequence)
    write_jsonl(tmp_path / "test.jsonl", [{"s": "good film", "y": "pos"}])
    with pytest.raises(DataError, match=r"test.jsonl:1: s: expected a list with one token per step"):
        open_jsonl(tmp_path, rows, inputs=["s"], target="y", test="test.jsonl")


def test_runs_of_earlier_versions_accept_strings_and_lists(tmp_path):
    schema = open_jsonl(tmp_path, QUESTIONS, inputs=["s"], target="y").schema
    assert encode(schema, next(raw_sequences([{"s": ["W", "h"]}], schema))).steps == 2
    save_schema(schema, tmp_path)
    written = json.loads((tmp_path / "schema.json").read_text())
    del written["inputs"][0]["text"]
    (tmp_path / "schema.json").write_text(json.dumps(written))
    earlier = load_schema(tmp_path)
    assert earlier.layout.inputs[0].text is None
    assert encode(earlier, next(raw_sequences([{"s": "Who"}], earlier))).steps == 3


@pytest.mark.parametrize("cell", [{}, {"a": 1}, [{}], {"a": [1, 2]}], ids=str)
@pytest.mark.parametrize("role", ["x", "y"])
def test_an_object_among_texts_is_one_message(tmp_path, role, cell):
    good = {"x": ["p", "q"], "y": ["a", "b"]}
    with pytest.raises((ConfigError, DataError), match=role):
        open_jsonl(tmp_path, [good, good, good | {role: ["p", cell]}], inputs=["x"], target="y", valid=None)
