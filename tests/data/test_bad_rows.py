"""Every way a row can be bad, in every format: one message with the place, what is wrong, and what to do."""

# ruff: noqa: E501  (a table is read by rows)

import json

import pytest

from lstm_cli.data import open_data
from lstm_cli.engine.memory import open_checked_data
from lstm_cli.errors import ConfigError, DataError
from tests.support.bad_rows import TABLE, X
from tests.support.data import data_config, open_jsonl, write
from tests.support.paths import is_open


@pytest.mark.parametrize("case", TABLE)
def test_a_bad_row_is_one_message_with_its_place(tmp_path, case):
    name, content, data, message = TABLE[case]
    write(tmp_path / name, content)
    with pytest.raises(DataError, match=message) as caught:
        open_checked_data(data_config(tmp_path, train=name, **data))
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 65
    assert not is_open(tmp_path / name)  # even while the exception holds on to the generators that read it


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    (tmp_path / "b.jsonl").mkdir()
    for name, message in (("a.jsonl", "no such file: check the path"), ("b.jsonl", "a folder without data files")):
        with pytest.raises(DataError, match=rf"{name}: {message}"):
            open_data(data_config(tmp_path, train=name, **X))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"inputs": ["z"], "target": "y"}, r"data.inputs.z: the data has no column z, only w, x, y"),
        ({"inputs": ["x"], "target": "yy"}, r"data.target: the data has no column yy, only w, x, y \(did you mean y\?\)"),
        ({"target": "y"}, r"data.inputs: missing: name the columns of format jsonl that feed the network"),
        ({"inputs": ["y"], "target": "x"}, r"data.inputs.y: single numbers, not sequences"),
        ({"inputs": ["deep"], "target": "y"}, r"data.inputs.deep: lists nested 3 deep"),
        ({"inputs": {"x": {"of": "v"}}, "target": "y"}, r"data.inputs.x: the data has no column v"),
        ({"inputs": {"x": {"last": 2}}, "target": "y"}, r"last: for tokens, but x holds a number"),
        (
            {"inputs": {"x": {"min_count": 2, "lowercase": True}}, "target": "y"},
            r"min_count and lowercase: for tokens, but x holds a number",
        ),
        ({"inputs": ["x", "w"], "target": "next"}, r"data.target: next does not work for these inputs \(x: number, w: tokens\)"),
        ({"inputs": ["x"], "target": {"next": True, "kind": "category"}}, r"got category, but the next step of x is a number"),
        ({"inputs": ["x"], "target": {"column": "y", "ahead": 1}}, r"no later step to predict"),
        ({"inputs": ["w"], "target": "y", "transform": {"w": "log"}}, r"for numbers only, and w holds tokens"),
        ({"inputs": ["x"], "target": {"column": "y", "kind": "number"}, "transform": {"y": "difference"}}, r"can be undone only"),
        ({"inputs": ["x"], "target": {"next": True, "ahead": 2}, "transform": {"x": "difference"}}, r"a difference of 1 step cannot be undone 2 steps ahead"),
        ({"inputs": ["x"], "target": "y", "window": 2}, r"data.window: windows need a target per step"),
    ],
)  # fmt: skip
def test_a_config_that_does_not_fit_the_data_is_a_config_error(tmp_path, data, message):
    row = {"x": [1.5, 2.5], "w": ["a", "b"], "y": 1}
    with pytest.raises(ConfigError, match=message):
        open_jsonl(tmp_path, [row | ({"deep": [[[1]]]} if data.get("inputs") == ["deep"] else {})] * 2, **data)


@pytest.mark.parametrize("key", ["start", "length", "weight"])
def test_a_loss_column_that_is_not_there_is_a_config_error(tmp_path, key):
    with pytest.raises(ConfigError, match=rf"loss.{key}: the data has no column s"):
        open_jsonl(tmp_path, [{"x": [1.5], "y": ["a"]}], {"loss": {key: "s"}}, **X)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"start": 3}, r":2: s: the loss window 3 to 2 \(counted from 0\) is not within the 2 steps"),
        ({"start": -1}, r":2: s: the loss window -1 to 2"),
        ({"start": 1.5}, r":2: s: expected a whole number, got 1.5: count steps from 0"),
        ({"length": 3}, r":2: n: the loss window 0 to 3"),
        ({"length": 0}, r":2: n: the loss window 0 to 0"),
        ({"weight": [1, -1]}, r":2: w: step 2: the weight -1 is negative: give 0 to leave a step out"),
        ({"weight": [1]}, r":2: w: 1 weight for 2 steps"),
        ({"weight": [1, None]}, r":2: w: step 2: the weight is missing: give 0 to leave a step out"),
    ],
)
def test_bad_loss_columns_name_the_row(tmp_path, given, message):
    names = {"start": "s", "length": "n", "weight": "w"}
    good = {"x": [1.5, 2], "y": ["a", "b"], "s": 0, "n": 2, "w": [1, 1]}
    bad = good | {names[key]: value for key, value in given.items()}
    loss = {"loss": {key: names[key] for key in given}}
    with pytest.raises(DataError, match=message):
        open_jsonl(tmp_path, [good, bad], loss, **X)


def test_repeated_ids_are_noted(tmp_path):
    data = open_jsonl(tmp_path, [{"id": "u", "x": [1.5], "y": "a"}, {"id": "u", "x": [2.5], "y": "b"}], **X)
    assert any("ids shared by several sequences: 'u' (2 times)" in note for note in data.notes)


def test_a_single_class_is_noted(tmp_path):
    data = open_jsonl(tmp_path, [{"x": [1.5], "y": "a"}] * 2, **X)
    assert data.schema.target.labels == ("a",)
    assert any("y is always 'a'" in note for note in data.notes)


def test_a_million_steps_are_refused_before_the_memory_is_gone(tmp_path, monkeypatch):
    monkeypatch.setattr("lstm_cli.data.memory.available", lambda: 10**9)
    write(tmp_path / "a.jsonl", json.dumps({"x": [1] * 1_000_000, "y": 0.5}))
    given = {"train": "a.jsonl", **X}
    with pytest.raises(
        DataError, match=r"a.jsonl:1: 1,000,000 steps make a batch .* of 1 GB free memory: set data.max"
    ):
        open_checked_data(data_config(tmp_path, **given))
    with pytest.raises(DataError, match=r"a.jsonl:1: 1,000,000 steps would take about .* GB"):
        open_checked_data(data_config(tmp_path, max_length=1000, **given))
    data = open_checked_data(data_config(tmp_path, max_length=1000, on_long="split", **given))
    assert set(data.train.lengths) == {1000} and len(data.train) == 1000
    assert "1 of 1 sequence was split into pieces of at most 1,000 steps" in data.notes[-1]
    assert open_checked_data(data_config(tmp_path, max_length=1000, on_long="cut", **given)).train.lengths == [1000]
    write(tmp_path / "short.jsonl", json.dumps({"x": [1, 2], "y": 0.5}))
    held = {"train": "short.jsonl", "valid": "a.jsonl", **X}
    layers = {"layers": [128]}
    pieces = data_config(tmp_path, {"model": layers}, **held)
    assert open_checked_data(pieces).valid.lengths == [1_000_000]  # which is run piece by piece
    needed = r"a.jsonl:1: 1,000,000 steps make a batch of valid that would take about .*: this model needs all steps"
    for model in ({"bidirectional": True}, {"pool": "mean"}):
        with pytest.raises(DataError, match=needed):
            open_checked_data(data_config(tmp_path, {"model": layers | model}, **held))


def test_a_table_of_one_column_that_may_be_several_names_the_delimiter(tmp_path):
    (tmp_path / "a.csv").write_text("x,y\n1,2\n3,4\n")
    config = data_config(tmp_path, train="a.csv", inputs=["x"], target="y", table={"delimiter": ";"})
    with pytest.raises(ConfigError, match=r"only x,y in one cell: if these are several, correct data.table.delimiter"):
        open_data(config)


def test_a_path_without_suffix_that_is_not_there_is_named_as_such(tmp_path):
    with pytest.raises(DataError, match="logs: no such file: check the path"):
        open_data(data_config(tmp_path, train="logs", **X))


@pytest.mark.parametrize(("header", "lacking"), [("p,q", "x"), ("x,q", "y")])
def test_a_file_of_several_that_lacks_a_column_is_the_one_that_is_named(tmp_path, header, lacking):
    """It says nothing about whether the target is per step."""
    (tmp_path / "a.csv").write_text("x,y\n" + "".join(f"{k}.5,{k}.25\n" for k in range(9)))
    (tmp_path / "b.csv").write_text(f"{header}\n" + "".join(f"{k}.5,{k}.25\n" for k in range(9)))
    with pytest.raises(DataError, match=rf"b\.csv:2: {lacking}: the column is missing"):
        open_data(data_config(tmp_path, train=["a.csv", "b.csv"], inputs=["x"], target="y"))
