"""Parquet and Arrow hold what jsonl or csv hold, and give the same data."""

import io
import json
import tracemalloc

import numpy as np
import pytest

from lstm_cli.data import open_data, read_sequences
from lstm_cli.data.formats import Options, read
from lstm_cli.data.formats.source import Source
from lstm_cli.errors import ConfigError, DataError
from tests.support.columnar import COLUMNS, ROWS, WRITERS, arrow, pa, parquet
from tests.support.data import data_config, write, write_jsonl

GIVEN = [
    {"inputs": ["x", "w", "s", "n"], "target": "y"},
    {"inputs": ["x"], "target": "w", "scale": "none"},
    {"inputs": ["x"], "target": "next"},
    {"inputs": ["s"], "target": "next", "id": "id"},
]
FILES = {
    "parquet": ("a.parquet", parquet),
    "parquet in row groups": ("a.parquet", lambda columns: parquet(columns, row_group_size=1)),
    "arrow": ("a.arrow", arrow),
    "feather": ("a.feather", lambda columns: arrow(columns, rows=1)),
    "arrow stream": ("a.arrow", lambda columns: arrow(columns, stream=True, rows=1)),
}


@pytest.mark.parametrize("data", GIVEN, ids=lambda data: " ".join(data["inputs"]))
@pytest.mark.parametrize("kind", FILES)
def test_a_row_is_a_sequence_as_in_jsonl(tmp_path, kind, data):
    name, writer = FILES[kind]
    write(tmp_path / name, writer(COLUMNS))
    write_jsonl(tmp_path / "a.jsonl", ROWS)
    both = [open_data(data_config(tmp_path, train=train, **data)) for train in (name, "a.jsonl")]
    assert len({(tuple(one.train.ids), one.schema.target.labels) for one in both}) == 1
    found, expected = (one.train for one in both)
    for attribute in ("numbers", "target", "lengths", "weight"):
        np.testing.assert_array_equal(getattr(found, attribute), getattr(expected, attribute))
    assert found.where[1].endswith(f"{name}:2")


@pytest.mark.parametrize("dtype", ["float32", "float16", "int8", "uint64", "bool"])
def test_numbers_of_every_width_are_numbers(tmp_path, dtype):
    values = np.array([0, 1, 1, 0]).astype(dtype)
    lists = pa.FixedSizeListArray.from_arrays(pa.array(values), 2)
    write(tmp_path / "a.arrow", arrow({"x": lists, "y": ["a", "b"]}))
    data = open_data(data_config(tmp_path, train="a.arrow", inputs=["x"], target="y", scale="none"))
    assert data.train.numbers.ravel().tolist() == [0, 1, 1, 0]


def test_strings_from_a_dictionary_are_strings(tmp_path):
    words = pa.ListArray.from_arrays([0, 2, 3], pa.array(["p", "q", "p"]).dictionary_encode())
    write(tmp_path / "a.parquet", parquet({"w": words, "y": pa.array(["a", "b"]).dictionary_encode()}))
    data = open_data(data_config(tmp_path, train="a.parquet", inputs=["w"], target="y"))
    assert (data.schema.tokens["w"].tokens[1:], data.schema.target.labels) == (("p", "q"), ("a", "b"))


STEPS = {
    "id": ["a", "a", "b"], "x": [1.5, 2.0, 3.25], "n": [1, 2, 3], "w": ["p", "q", "p"], "s": [["u"], [], ["u", "v"]],
    "flag": [True, False, True], "y": ["k", "k", "l"],
}  # fmt: skip
CSV = "id,x,n,w,s,flag,y\na,1.5,1,p,u,true,k\na,2.0,2,q,,false,k\nb,3.25,3,p,u|v,true,l\n"


@pytest.mark.parametrize(
    "data",
    [
        {"inputs": ["x", "n", "w"], "target": "y"},
        {"inputs": {"x": "number", "s": "set"}, "target": "flag"},
        {"inputs": ["n"], "target": "next"},
        {"inputs": ["x"], "target": "n", "id": "none of them"},
    ],
)
@pytest.mark.parametrize("form", WRITERS)
def test_a_row_is_a_step_as_in_csv_where_the_input_is_a_number(tmp_path, form, data):
    write(tmp_path / f"a.{form}", WRITERS[form](STEPS))
    write(tmp_path / "a.csv", CSV)
    if data.get("id"):
        for name in ("a.csv", f"a.{form}"):
            with pytest.raises(DataError, match=r"none of them: no such column \(there are id, x, n, w, s, flag, y\)"):
                open_data(data_config(tmp_path, train=name, **data))
        return
    found, expected = (open_data(data_config(tmp_path, train=name, **data)).train for name in (f"a.{form}", "a.csv"))
    assert (found.ids, found.lengths.tolist()) == (expected.ids, expected.lengths.tolist())
    assert found.ids == ["a", "b"]
    for attribute in ("numbers", "target"):
        np.testing.assert_array_equal(getattr(found, attribute), getattr(expected, attribute))


def test_without_ids_rows_of_numbers_are_one_long_series(tmp_path):
    write(tmp_path / "a.parquet", parquet({"x": np.arange(9.0)}))
    assert open_data(data_config(tmp_path, train="a.parquet", inputs=["x"], target="next")).train.lengths == [8]


def test_a_missing_column_is_named(tmp_path):
    write(tmp_path / "a.parquet", parquet(COLUMNS))
    with pytest.raises(ConfigError, match=r"data.inputs.xx: the data has no column xx, only id, n, s, w, x, y \(did"):
        open_data(data_config(tmp_path, train="a.parquet", inputs=["xx"], target="y"))


@pytest.mark.parametrize("kind", FILES)
def test_what_comes_from_a_stream_is_as_from_a_file(tmp_path, kind):
    name, writer = FILES[kind]
    form = "parquet" if name.endswith("parquet") else "arrow"
    (first, second) = read(Source(io.BytesIO(writer(COLUMNS))), form, Options())
    assert (first.id, second.id, second.where) == ("a", "b", "<stream>:2")
    assert json.dumps(second.columns["w"]) == '["p"]'


@pytest.mark.parametrize("form", ["parquet", pytest.param("arrow", marks=pytest.mark.slow)])
def test_few_rows_are_held_at_a_time(tmp_path, form):
    """Six times the rows take no more memory."""
    write(tmp_path / "small.jsonl", json.dumps({"x": [0.5] * 3, "y": "a"}))
    schema = open_data(data_config(tmp_path, train="small.jsonl", inputs=["x"], target="y")).schema
    peaks = []
    for count in (5000, 30_000):
        options = {} if form == "parquet" else {"rows": 500}  # all rows of parquet are in one group
        x = pa.FixedSizeListArray.from_arrays(pa.array(np.random.default_rng(0).normal(size=count * 20)), 20)
        write(tmp_path / f"a.{form}", WRITERS[form]({"x": x}, **options))
        before = pa.total_allocated_bytes()
        tracemalloc.start()
        held = max(pa.total_allocated_bytes() - before for _ in read_sequences(tmp_path / f"a.{form}", schema))
        peaks.append((held, tracemalloc.get_traced_memory()[1]))
        tracemalloc.stop()
    assert all(large < 1.5 * small + 100_000 for small, large in zip(*peaks, strict=True))


@pytest.mark.parametrize("form", ["parquet", "arrow"])
def test_texts_whose_ids_repeat_are_noted(tmp_path, form):
    """Each may be a sequence, or a step of one."""
    content = WRITERS[form]({"id": ["a", "b", "a"], "w": ["to", "be", "or"], "y": ["u", "v", "u"]})
    write(tmp_path / f"a.{form}", content)
    data = {"train": f"a.{form}", "inputs": ["w"], "target": "y"}
    (note,) = (n for n in open_data(data_config(tmp_path, **data)).notes if "data.table.row: step" in n)
    assert note.startswith("train: each row is a sequence, since its input is a text, but rows share ids")
    steps = open_data(data_config(tmp_path, **data, table={"row": "step"}))
    assert [(s.id, s.steps) for s in steps.train] == [("a", 2), ("b", 1)]
    assert not any("data.table.row" in note for note in steps.notes)
