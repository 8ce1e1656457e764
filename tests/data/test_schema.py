"""A fitted schema: what it encodes, what it refuses, and that it survives the run folder."""

import io
import json

import numpy as np
import pytest

from lstm_cli.data import (
    Batches,
    UnknownCounts,
    checked_contents,
    encode,
    load_schema,
    open_data,
    raw_sequences,
    read_dataset,
    read_sequences,
)
from lstm_cli.data.schema.storage import FILES
from lstm_cli.errors import CheckpointError, DataError
from tests.support.data import data_config, open_jsonl, open_text, save_schema, write, write_jsonl

ROW = {
    "id": "u",
    "x": [[1.5, 2.0], [3.0, 4.0], [5.0, 7.0]],
    "n": [1.0, 2.0, 4.0],
    "w": ["a", "b", "a"],
    "s": [[60], [], [60, 64]],
    "y": ["p", "q", "p"],
}
OTHER = {**ROW, "id": "v", "y": ["q", "q", "p"]}
INPUTS = {"inputs": ["x", "w", "s", "n"], "target": "y", "transform": {"n": ["log"]}}


@pytest.fixture
def schema(tmp_path):
    return open_jsonl(tmp_path, [ROW, OTHER], **INPUTS).schema


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_numbers_are_in_the_precision_of_the_config_and_of_the_run(tmp_path, precision):
    """A third, which neither precision holds, is nearest to the one; the saved schema says so too."""
    rows = [{"x": [1 / 3, 2.0], "y": [2 / 3, 0.1], "k": 0.1}]
    sections = {"precision": precision, "loss": {"weight": "k"}}
    data = open_jsonl(tmp_path, rows, sections, inputs=["x"], target="y", scale="none")
    save_schema(data.schema, tmp_path)
    again = load_schema(tmp_path)
    (row,) = raw_sequences(rows, again)
    nearest = np.dtype(precision).type
    for sequence in (data.train[0], encode(again, row, labelled=True)):
        assert {array.dtype for array in (sequence.numbers, sequence.target, sequence.weight)} == {np.dtype(precision)}
        assert sequence.numbers.ravel().tolist() == [nearest(1 / 3), 2.0]
        assert sequence.target.ravel().tolist() == [nearest(2 / 3), nearest(0.1)]
        assert sequence.weight.tolist() == [nearest(0.1)] * 2


def encoded(schema, **changed):
    (row,) = raw_sequences([{name: value for name, value in (ROW | changed).items() if value is not None}], schema)
    return encode(schema, row)


def equal(one, other):
    assert (one.id, one.steps, one.offset) == (other.id, other.steps, other.offset)
    for name in ("numbers", "target", "weight", "history"):
        first, second = getattr(one, name), getattr(other, name)
        assert (first is None and second is None) or np.array_equal(first, second)
    assert all(np.array_equal(one.tokens[name], other.tokens[name]) for name in one.tokens)


def test_numbers_come_before_indicators_of_sets(schema):
    sequence = encoded(schema)
    assert schema.numeric_size == 5
    np.testing.assert_allclose(sequence.numbers[:, :3].mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(sequence.numbers[:, :3].std(axis=0), 1, atol=1e-6)
    assert sequence.numbers[:, 3:].tolist() == [[1, 0], [0, 0], [1, 1]]
    assert sequence.tokens["w"].tolist() == [1, 2, 1]


@pytest.mark.parametrize(
    ("folder_data", "rows"),
    [
        (INPUTS, [ROW, OTHER]),
        ({"inputs": ["n"], "target": "next", "transform": {"n": ["log", "difference"]}}, [ROW, OTHER]),
        ({"inputs": ["s"], "target": "next", "scale": "none"}, [ROW, OTHER]),
        ({"inputs": {"w": {"min_count": 2, "lowercase": True}}, "target": "next"}, [ROW, OTHER]),
        ({"inputs": ["x"], "target": {"column": "n", "ahead": 1}, "scale": "minmax"}, [ROW, OTHER]),
        ({"inputs": ["x"], "target": {"column": "s", "per": "step"}}, [ROW, OTHER]),
        ({"inputs": ["x"], "target": "z"}, [{**ROW, "z": True}, {**ROW, "z": False}]),
        ({"inputs": ["x"], "target": "z"}, [{**ROW, "z": 0.5}, {**ROW, "z": 2.5}]),
        # sets that are mostly empty, as a target per sequence and as an input
        (
            {"inputs": ["x", "s"], "target": {"column": "z", "kind": "set", "per": "sequence"}},
            [{**ROW, "s": [[], [60], []], "z": z} for z in ([], [], ["a"])],
        ),
    ],
)
def test_a_schema_survives_the_run_folder(tmp_path, folder_data, rows):
    schema = open_jsonl(tmp_path, rows, **folder_data).schema
    save_schema(schema, tmp_path)
    again = load_schema(tmp_path)
    assert again.layout == schema.layout
    assert (again.target.labels, again.target.size, again.target.kind) == (
        schema.target.labels,
        schema.target.size,
        schema.target.kind,
    )
    for labelled in (True, False):
        for row in raw_sequences(rows, schema):
            equal(encode(again, row, labelled=labelled), encode(schema, row, labelled=labelled))


def test_no_run_begins_whose_schema_would_be_refused_later(tmp_path, monkeypatch):
    data = open_jsonl(tmp_path, [ROW, OTHER], **INPUTS)
    settings = data_config(tmp_path, train="train.jsonl", **INPUTS)
    assert set(checked_contents(data.schema, settings)) == set(FILES)
    monkeypatch.setattr("lstm_cli.data.schema.layout_check.LARGEST", 0)
    with pytest.raises(RuntimeError, match=r"the schema of this data could not be read again: .+ damaged: "):
        checked_contents(data.schema, settings)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"x": None}, r"sequence 1: x: the column is missing \(there are id, n, w, s, y\): add it"),
        ({"x": [[1.0, 2.0, 3.0]]}, "x: expected 2 numbers, got 3"),
        ({"x": [1.0, 2.0, 3.0]}, "x: expected 2 numbers, got 1"),
        ({"x": [["a", "b"]]}, "x: step 1: expected a number, got the string 'a'"),
        ({"x": "abc"}, "x: expected a list with one value per step, got 'abc'"),
        ({"w": 3}, "w: expected a list with one value per step, got 3"),
        ({"w": ["a", "b"]}, "w: 2 steps, but x has 3"),
        ({"w": [["a"], ["b"], ["c"]]}, "w: step 1: expected one token, got a list"),
        ({"s": [60, 61, 62]}, "s: step 1: expected a list of labels, got 60"),
        ({"n": [1.0, 0.0, 1.0]}, "n: step 2: log of 0"),
    ],
)
def test_rows_that_do_not_fit_name_field_expected_and_got(schema, changed, message):
    with pytest.raises(DataError, match=message):
        encoded(schema, **changed)


def test_labels_are_not_needed_to_predict(schema):
    assert encoded(schema, y=None).target is None


def test_arrays_tuples_and_lists_are_the_same(schema):
    given = {"x": np.array(ROW["x"]), "n": tuple(ROW["n"]), "w": np.array(ROW["w"]), "s": tuple(map(tuple, ROW["s"]))}
    given["s"] = [list(elements) for elements in given["s"]]
    equal(encoded(schema, **given), encoded(schema))


def test_what_training_never_saw_is_unknown_and_counted(schema):
    unknown_counts = UnknownCounts()
    (row,) = raw_sequences([ROW | {"w": ["a", "zz", "a"], "s": [[99], [], [60]], "y": ["p", "new", "q"]}], schema)
    sequence = encode(schema, row, labelled=True, unknown_counts=unknown_counts)
    assert sequence.tokens["w"].tolist() == [1, 0, 1]
    assert sequence.target.tolist() == [0, -1, 1]
    assert unknown_counts.notes("test") == [
        "test: unknown tokens in w: 1 of 3 (33.33%), such as 'zz'",
        "test: unknown tokens in s: 1 of 2 (50.00%), such as '99'",
        "test: targets that training never saw, each an error: 1 of 3 (33.33%), such as 'new'",
    ]


def test_elements_of_true_sets_without_a_column_are_counted(tmp_path):
    data = open_jsonl(tmp_path, [{"s": [[1], [2, 3], [1]]}], inputs={"s": "set"}, target="next")
    write_jsonl(tmp_path / "test.jsonl", [{"s": [[8], [1, 9], [8, 9], [3]]}])
    unknown_counts = UnknownCounts()
    dataset = read_dataset(tmp_path / "test.jsonl", data.schema, unknown_counts=unknown_counts)
    (batch,) = Batches(dataset, batch_size=1).epoch(0)
    assert dataset.unseen(batch) == 3
    of_inputs, of_targets = unknown_counts.notes("test")
    assert "unknown tokens in s: 4 of 6 (66.67%), such as '8', '9'" in of_inputs
    assert "targets that training never saw, each an error: 3 of 5" in of_targets  # the first is none


def test_an_unknown_next_token_is_an_error_unless_training_knew_unknown_ones(tmp_path):
    for text, min_count, expected in (("abab", 1, -1), ("ababc", 2, 0)):
        data = open_text(tmp_path, text, inputs={"text": {"min_count": min_count}})
        (row,) = raw_sequences([{"text": list("az")}], data.schema)
        assert encode(data.schema, row, labelled=True).target.tolist() == [expected]


def test_the_last_step_stays_where_its_output_is_the_forecast(tmp_path):
    data = open_jsonl(tmp_path, [{"x": [1.0, 2.5, 3.0, 4.0]}], inputs=["x"], target="next", scale="none")
    (row,) = raw_sequences([{"x": [5.0, 6.0, 7.0]}], data.schema)
    labelled, unlabelled = (encode(data.schema, row, labelled=given) for given in (True, False))
    assert (labelled.steps, labelled.target[:, 0].tolist()) == (2, [6, 7])
    assert (unlabelled.steps, unlabelled.target) == (3, None)


def test_a_sequence_of_one_step_has_no_next(tmp_path):
    data = open_jsonl(tmp_path, [{"x": [1.0, 2.5]}, {"x": [9.0]}], inputs=["x"], target="next", scale="none")
    assert data.train.lengths.tolist() == [1, 1]
    assert data.train.weight.tolist() == [1, 0]
    with pytest.raises(DataError, match="train has no step with a target that counts: give longer sequences"):
        open_jsonl(tmp_path, [{"x": [1.5]}], inputs=["x"], target="next")


@pytest.mark.parametrize("ahead", [1, 2, 5])
def test_a_column_ahead_leaves_the_last_steps_without_target(tmp_path, ahead):
    rows = [{"x": [1.0, 2.0, 3.5, 4.0], "y": list("abcd")}] * 2 + [{"x": [1.0] * 9, "y": list("abcdabcda")}]
    data = open_jsonl(tmp_path, rows, inputs=["x"], target={"column": "y", "ahead": ahead})
    sequence = data.train[0]
    counted = max(4 - ahead, 0)
    assert sequence.steps == 4
    assert sequence.weight.tolist() == [1] * counted + [0] * (4 - counted)
    assert sequence.target[:counted].tolist() == [0, 1, 2, 3][ahead:]


def test_lines_begin_and_end_with_the_boundary(tmp_path):
    data = open_text(tmp_path, "ab\nb\n", lines=True)
    schema = data.schema
    first = data.train[0]
    assert schema.tokens["text"].decode(first.tokens["text"]) == ["\n", "a", "b"]
    assert schema.text(first.target) == "ab\n"
    assert [schema.ends_line(index) for index in first.target] == [False, False, True]
    assert schema.tokens["text"].decode(schema.prompt("b").tokens["text"]) == ["\n", "b"]
    (row,) = raw_sequences([{"text": "ab"}], schema)
    assert encode(schema, row).steps == 3


def test_a_prompt_of_words(tmp_path):
    schema = open_text(tmp_path, "to be or not to be\n", unit="word").schema
    assert schema.prompt("to be").steps == 2
    assert schema.text(schema.prompt("to be").tokens["text"], after="or") == " to be"


def test_loss_windows_and_weights_become_weights_of_steps(tmp_path):
    row = {"x": [1.5, 2, 3, 4], "y": list("abab"), "s": 1, "n": 2, "w": [1, 2, 3, 4]}
    loss = {"loss": {"start": "s", "length": "n", "weight": "w"}}
    data = open_jsonl(tmp_path, [row], loss, inputs=["x"], target="y")
    assert data.train.weight.tolist() == [0, 2, 3, 0]
    data = open_jsonl(tmp_path, [row | {"w": 5}], loss, inputs=["x"], target="y")
    assert data.train.weight.tolist() == [0, 5, 5, 0]
    data = open_jsonl(tmp_path, [row | {"y": "a", "w": 5}] * 2, {"loss": {"weight": "w"}}, inputs=["x"], target="y")
    assert data.train.weight.tolist() == [5, 5]


@pytest.mark.parametrize("name", ["schema.json", "vocabulary.json", "scaling.json"])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "missing: is .* a run folder"),
        ("{", "cannot be read"),
        ("[]", "expected an object, got list"),
        ('{"version": 1}', "do not fit together"),
        ('{"version": 99}', "version 99, but this program reads version 1|do not fit together"),
    ],
)
def test_a_damaged_run_folder_is_named(tmp_path, schema, name, content, message):
    save_schema(schema, tmp_path)
    (tmp_path / name).unlink()
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(CheckpointError, match=message):
        load_schema(tmp_path)


def test_halves_of_surrogate_pairs_survive(tmp_path):
    write(tmp_path / "a.jsonl", json.dumps({"w": ["\ud800", "b"], "y": "\udfff"}) + "\n")
    schema = open_data(data_config(tmp_path, train="a.jsonl", inputs=["w"], target="y")).schema
    save_schema(schema, tmp_path)
    assert load_schema(tmp_path).tokens["w"].tokens == schema.tokens["w"].tokens


def test_rows_are_read_from_streams_in_the_format_of_training(schema):
    stream = io.BytesIO((json.dumps(ROW) + "\n").encode() * 3)
    assert [encode(schema, row).id for row in read_sequences(stream, schema)] == ["u", "u", "u"]


def test_the_format_is_inferred_from_the_suffix(tmp_path):
    data = open_jsonl(tmp_path, [{"x": [1.5, 2.5], "y": "a"}], inputs=["x"], target="y")
    (row,) = read_sequences(write(tmp_path / "new.csv", "x\n3\n4\n5\n"), data.schema)
    assert encode(data.schema, row).steps == 3


def test_rows_of_one_id_are_gathered_when_predicting_too(tmp_path):
    write(tmp_path / "a.csv", "id,x,y\na,1.5,p\nb,2,q\n")
    schema = open_data(data_config(tmp_path, train="a.csv", inputs=["x"], target="y")).schema
    rows = read_sequences(write(tmp_path / "new.csv", "id,x\na,1\nb,2\na,3\n"), schema)
    assert [(row.id, row.columns["x"].tolist()) for row in rows] == [("a", ["1", "3"]), ("b", ["2"])]


def test_a_bad_row_stops_prediction_at_its_place(schema):
    stream = io.BytesIO((json.dumps(ROW) + "\nnonsense\n").encode())
    with pytest.raises(DataError, match=":2: not JSON"):
        list(read_sequences(stream, schema))
