"""Values that Python, numpy or pyarrow would take for what they are not, and files that hold none."""

import datetime
import decimal
import json

import numpy as np
import pytest

from lstm_cli.data import encode, open_data, raw_sequences, read_sequences
from lstm_cli.errors import DataError
from tests.support.bad_rows import npz, ts
from tests.support.data import data_config, open_jsonl, write

X = {"inputs": ["x"], "target": "y"}
TEXT = "expected a number, got true: write 1 or 0 if it is one"
NULL = "the value is null: fill it in or remove the sequence"
CASES = {
    "csv: underscore": ("a.csv", "x,y\n1,a\n2,b\n1_000,a\n", X, r":4: x: '1_000' is not a number: correct it"),
    "csv: digits of another script": ("a.csv", "x,y\n1,a\n2,b\n٣,a\n", X, r":4: x: '٣' is not a number: correct it"),
    "ts: underscore": ("a.ts", ts("1,2_0:3,4:up"), {"target": "label"}, r":6: x: '2_0' is not a number: write numbers"),
    "jsonl: true": ("a.jsonl", '{"x": [1, 2.5, true], "y": "a"}\n', X, rf":1: x: step 3: {TEXT}"),
    "jsonl: true in lists": ("a.jsonl", '{"x": [[1, 2], [true, 1]], "y": "a"}\n', X, rf":1: x: step 2: {TEXT}"),
    "jsonl: null": ("a.jsonl", '{"x": [1.5], "y": "a"}\n{"x": null, "y": "a"}\n', X, rf":2: x: {NULL}"),
    "npz: none": ("a.npz", npz(x=np.ones((0, 3)), y=np.ones(0)), X, r"a.npz: there are no sequences: give at"),
}


@pytest.mark.parametrize("case", CASES)
def test_it_is_refused_with_its_place(tmp_path, case):
    name, content, data, message = CASES[case]
    write(tmp_path / name, content)
    with pytest.raises(DataError, match=message):
        open_data(data_config(tmp_path, train=name, **data))


def test_a_column_of_true_and_false_is_one_and_zero(tmp_path):
    data = open_jsonl(tmp_path, [{"x": [True, False, True], "y": "a"}], scale="none", **X)
    assert data.train.numbers.ravel().tolist() == [1, 0, 1]
    with pytest.raises(DataError, match=rf"sequence 1: x: step 2: {TEXT}"):
        encode(data.schema, next(raw_sequences([{"x": [1, True]}], data.schema)))


VALUES = {
    "bytes": ([[b"\xff"]], r"x: holds bytes \(binary\): cast the column to string"),
    "dates": ([[datetime.date(2020, 1, 2)]], r"x: holds times \(date32\[day\]\): cast the column to numbers"),
    "decimals": ([[decimal.Decimal("1.5")]], r"x: holds lists of decimals \(.*\): cast the column to float64"),
}


@pytest.mark.parametrize("form", ["parquet", "arrow"])
@pytest.mark.parametrize("kind", VALUES)
def test_columns_of_neither_numbers_nor_text_are_refused(tmp_path, form, kind):
    columnar = pytest.importorskip("tests.support.columnar")
    value, message = VALUES[kind]
    write(tmp_path / f"a.{form}", columnar.WRITERS[form]({"x": value, "y": ["a"], "when": [datetime.date.today()]}))
    with pytest.raises(DataError, match=rf"a.{form}: {message}"):
        open_data(data_config(tmp_path, train=f"a.{form}", **X))


@pytest.mark.parametrize("form", ["parquet", "arrow"])
def test_strings_of_digits_are_tokens_as_in_jsonl(tmp_path, form):
    columnar = pytest.importorskip("tests.support.columnar")
    rows = [{"x": ["1", "22"], "y": "a"}]
    write(tmp_path / f"a.{form}", columnar.WRITERS[form]({"x": [["1", "22"]], "y": ["a"]}))
    found, expected = open_data(data_config(tmp_path, train=f"a.{form}", **X)), open_jsonl(tmp_path, rows, **X)
    assert (found.schema.tokens["x"].tokens, found.notes) == (expected.schema.tokens["x"].tokens, expected.notes)


def test_a_missing_file_says_what_its_path_counts_from(tmp_path):
    data = open_jsonl(tmp_path, [json.loads('{"x": [1.5], "y": "a"}')], **X)
    with pytest.raises(
        DataError, match=r"b.jsonl: no such file: check the path, which is relative to the current folder"
    ):
        next(read_sequences(tmp_path / "b.jsonl", data.schema))
    with pytest.raises(DataError, match=r"b\\n.jsonl: no such file: .* which is relative to the config's folder"):
        open_data(data_config(tmp_path, train="b\n.jsonl", **X))
