"""json and jsonl: arrays, splits, nested objects, missing numbers."""

import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lstm_cli.data import encode, open_data, raw_sequences
from lstm_cli.data.formats import Options, read
from lstm_cli.data.formats.source import Source
from lstm_cli.errors import DataError
from tests.support.data import data_config, write, write_jsonl
from tests.support.reading import read_file

ROWS = [{"id": "a", "x": [[1, 2], [3, 4]], "y": "up"}, {"id": "b", "x": [[5, 6]], "y": "down"}]


def same(found, rows=ROWS):
    assert [row.id for row in found] == [row["id"] for row in rows]
    for one, row in zip(found, rows, strict=True):
        np.testing.assert_array_equal(one.columns["x"], row["x"])
        assert (one.columns["y"], one.names) == (row["y"], ("id", "x", "y"))


@pytest.mark.parametrize("indent", [None, 1])
def test_an_array_is_read_as_lines_of_jsonl_are(tmp_path, indent):
    write(tmp_path / "a.json", json.dumps(ROWS, indent=indent))
    same(read_file(tmp_path / "a.json"))
    same(read_file(write_jsonl(tmp_path / "a.jsonl", ROWS) or tmp_path / "a.jsonl"))
    assert read_file(tmp_path / "a.json")[1].where.endswith("a.json: element 2")


def test_other_shapes_of_a_json_file(tmp_path):
    for content in ({"data": ROWS}, {"version": 1, "rows": ROWS}):
        same(read_file(write(tmp_path / "a.json", json.dumps(content))))
    same(read_file(write(tmp_path / "a.json", json.dumps(ROWS[0]))), ROWS[:1])
    same(read_file(write(tmp_path / "a.json", "".join(json.dumps(row) + "\n" for row in ROWS))))
    pd.DataFrame(ROWS).to_json(tmp_path / "a.json", orient="records")
    same(read_file(tmp_path / "a.json"))


@pytest.mark.parametrize(
    "names", [("train", "valid", "test"), ("training", "validation", "Test"), ("train", "dev", "test")]
)
def test_an_object_of_splits_gives_each_its_own(tmp_path, names):
    parts = dict(zip(names, ([*ROWS, *ROWS], ROWS[:1], ROWS), strict=True))
    write(tmp_path / "a.json", json.dumps(parts))
    data = open_data(data_config(tmp_path, train="a.json", valid="a.json", test="a.json", inputs=["x"], target="y"))
    assert [len(part.lengths) for part in (data.train, data.valid, data.test)] == [4, 1, 2]
    same(read_file(tmp_path / "a.json"))  # at prediction, the test data
    assert read_file(tmp_path / "a.json", split="valid")[0].where.endswith(f"a.json: {names[1]}: element 1")


def test_json_is_read_from_a_stream(tmp_path):
    path = write(tmp_path / "a.json", "".join(json.dumps(row) + "\n" for row in ROWS))
    with path.open("rb") as stream:
        same(list(read(Source(stream), "json", Options())))


NESTED = [
    {"meta": {"user": "u1", "age": 30}, "sensor": {"acc": [1.5, 2], "gyro": [3, 4]}, "label": {"name": "walk"}},
    {"meta": {"user": "u2", "age": 31}, "sensor": {"acc": [5], "gyro": [6]}, "label": {"name": "run"}},
]


@pytest.mark.parametrize("name", ["a.jsonl", "a.json"])
def test_dotted_names_lead_into_objects(tmp_path, name):
    write(tmp_path / name, "".join(json.dumps(row) + "\n" for row in NESTED))
    first, second = read_file(
        tmp_path / name,
        columns=frozenset(["sensor.acc", "sensor.gyro", "label.name"]),
        id=("meta.user",),
        id_required=True,
    )
    np.testing.assert_array_equal(first.columns["sensor.acc"], [1.5, 2])
    np.testing.assert_array_equal(second.columns["sensor.gyro"], [6])
    assert (first.id, second.id, second.columns["label.name"]) == ("u1", "u2", "run")
    assert first.names == ("meta.user", "meta.age", "sensor.acc", "sensor.gyro", "label.name")


def test_dotted_names_work_in_a_config(tmp_path):
    write_jsonl(tmp_path / "a.jsonl", NESTED)
    config = data_config(tmp_path, train="a.jsonl", inputs=["sensor.acc"], target="label.name", id="meta.user")
    data = open_data(config)
    assert data.train.ids == ["u1", "u2"] and data.schema.labels.names == ("run", "walk")
    for given, from_file in zip(raw_sequences(NESTED, data.schema), data.train, strict=True):  # from Python alike
        encoded = encode(data.schema, given, labelled=True)
        assert encoded.id == from_file.id
        np.testing.assert_array_equal(encoded.numbers, from_file.numbers)
        np.testing.assert_array_equal(encoded.target, from_file.target)


def test_a_key_with_a_dot_wins_and_objects_of_steps_are_columns(tmp_path):
    row = {"s": {"x": [1, 2]}, "s.x": [7.5, 8], "steps": [{"t": 1, "v": [1, 2]}, {"t": 2}], "a": {"b.c": {"d": 4}}}
    write_jsonl(tmp_path / "a.jsonl", [row])
    (found,) = read_file(tmp_path / "a.jsonl", columns=frozenset(["s.x", "steps.t", "steps.v", "a.b.c.d", "a.x"]))
    np.testing.assert_array_equal(found.columns["s.x"], [7.5, 8])
    np.testing.assert_array_equal(found.columns["steps.t"], [1, 2])
    assert (found.columns["steps.v"], found.columns["a.b.c.d"], "a.x" in found.columns) == ([[1, 2], None], 4, False)


def test_what_is_missing_among_numbers_is_nan(tmp_path):
    lines = ['{"x": [1.5, null, 2], "v": [[1, null], [2.5, NaN]], "w": ["a", null], "b": [true, null], "n": [1, null]}']
    (row,) = read_file(write(tmp_path / "a.jsonl", "\n".join(lines)))
    np.testing.assert_array_equal(row.columns["x"], [1.5, np.nan, 2])
    np.testing.assert_array_equal(row.columns["v"], [[1, np.nan], [2.5, np.nan]])
    assert [row.columns[name] for name in "wbn"] == [["a", None], [True, None], [1, None]]  # the last may be labels


def test_a_missing_number_is_filled_and_refused_without_a_fill(tmp_path):
    write_jsonl(tmp_path / "a.jsonl", [{"x": [1.5, None, 2.5], "y": "a"}, {"x": [1.5], "y": "b"}])
    given = {"train": "a.jsonl", "inputs": ["x"], "target": "y", "scale": "none"}
    filled = open_data(data_config(tmp_path, **given, missing={"fill": "linear"}))
    assert filled.train.numbers.ravel().tolist() == [1.5, 2, 2.5, 1.5]
    with pytest.raises(DataError, match=r"a.jsonl:1: x: step 2: a number is missing.*data.missing.fill"):
        open_data(data_config(tmp_path, **given))


def test_structs_of_parquet_have_dotted_names_too(tmp_path):
    rows = [*NESTED, {"meta": {"user": "u3", "age": 9}, "sensor": None, "label": {"name": "run"}}]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    options = {"columns": frozenset(["sensor.acc", "label.name"]), "input": "sensor.acc"}
    found = read_file(tmp_path / "a.parquet", id=("meta.user",), id_required=True, **options)
    assert [(row.id, row.columns["label.name"]) for row in found] == [("u1", "walk"), ("u2", "run"), ("u3", "run")]
    np.testing.assert_array_equal(found[0].columns["sensor.acc"], [1.5, 2])
    assert found[2].columns["sensor.acc"] is None
    assert found[0].names == ("meta.user", "meta.age", "sensor.acc", "sensor.gyro", "label.name")


def test_steps_in_structs_of_parquet_are_rows_of_a_table(tmp_path):
    pq.write_table(
        pa.Table.from_pylist([{"s": {"x": 1.5 * k, "tag": "ab"[k % 2]}} for k in range(4)]), tmp_path / "a.parquet"
    )
    data = open_data(data_config(tmp_path, train="a.parquet", inputs=["s.x"], target="s.tag", scale="none"))
    assert data.train.numbers.ravel().tolist() == [0, 1.5, 3, 4.5] and data.schema.labels.names == ("a", "b")
