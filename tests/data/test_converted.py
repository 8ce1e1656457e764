"""Data files converted to Arrow are the same data to a training."""

import json

import numpy as np
import pytest

from lstm_cli.config import config_from_mapping
from lstm_cli.data import open_data
from lstm_cli.data.cache import converted
from lstm_cli.errors import DataError
from lstm_cli.training.converting import convert_files
from tests.support.data import write, write_jsonl
from tests.support.kinds import KINDS


def opened(folder, given, **data):
    return open_data(config_from_mapping(given | {"data": {**given["data"], **data}}, folder))


@pytest.mark.parametrize("kind", ["classifier", "numbered", "regression", "tagger", "sets"])
def test_lines_of_json(tmp_path, kind, monkeypatch):
    given = KINDS[kind](tmp_path, np.random.default_rng(5))
    monkeypatch.setattr(converted, "_ROWS", 4)
    convert_files(str(tmp_path / "train.jsonl"), tmp_path / "new", ids=())
    found, plain = opened(tmp_path, given, train="new"), opened(tmp_path, given)
    assert [list(one.dataset.ids) for one in found.batches.values()] == [
        list(map(str, one.dataset.ids)) for one in plain.batches.values()
    ]
    for name, own in found.batches.items():
        for batch, same in zip(own.epoch(1), plain.batches[name].epoch(1), strict=True):
            for key in ("numbers", "tokens", "target", "weight", "counted", "sequences"):
                np.testing.assert_equal(getattr(batch, key), getattr(same, key))


def test_rows_of_a_table(tmp_path):
    rows = [f"{k // 5},{k * 1.5},{'ab'[k % 2]},{'pq'[k // 5 % 2]}\n" for k in range(60)]
    for name, part in (("1.csv", rows[:30]), ("2.csv", rows[30:])):
        write(tmp_path / name, "who,x,s,y\n" + "".join(part))
    line = convert_files(str(tmp_path / "*.csv"), tmp_path / "new", ids=("who",))
    assert line == f"12 sequences, columns who, x, s, y: data.train: {tmp_path / 'new'}"
    given = {"data": {"train": "*.csv", "id": "who", "inputs": ["x", "s"], "valid": 0.2}}
    given["data"]["target"] = {"column": "y", "per": "sequence"}
    found, plain = opened(tmp_path, given, train="new"), opened(tmp_path, given)
    assert found.schema.target.per == plain.schema.target.per == "sequence"
    for batch, same in zip(found.batches["train"].epoch(1), plain.batches["train"].epoch(1), strict=True):
        for key in ("numbers", "tokens", "target"):
            np.testing.assert_equal(getattr(batch, key), getattr(same, key))


def test_what_cannot_be_converted_leaves_nothing(tmp_path):
    write_jsonl(tmp_path / "a.jsonl", [{"x": [1, 2]}, {"x": ["a", "b"]}])
    with pytest.raises(DataError, match="several types"):
        convert_files(str(tmp_path / "a.jsonl"), tmp_path / "new", ids=())
    assert [path.name for path in tmp_path.iterdir()] == ["a.jsonl"]
    write_jsonl(tmp_path / "a.jsonl", [{"x": [1, 2]}])
    convert_files(str(tmp_path / "a.jsonl"), tmp_path / "new", ids=())
    with pytest.raises(DataError, match="exists already"):
        convert_files(str(tmp_path / "a.jsonl"), tmp_path / "new", ids=())
    states = json.loads((tmp_path / "new" / ".manifest.json").read_text())["sources"]
    assert [state["size"] for state in states] == [(tmp_path / "a.jsonl").stat().st_size]
