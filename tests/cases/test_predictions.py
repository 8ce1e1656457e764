"""What `lstm-predict` writes, scores and refuses, for runs trained for a moment."""

import csv
import json

import numpy as np
from click.testing import CliRunner

import lstm_cli
from lstm_cli.cli.group import main
from tests.support.cases import table
from tests.support.data import read_jsonl, write

SETTINGS = {
    "threads": 1,
    "model": {"layers": [4], "dropout": 0.0},
    "optimizer": {"name": "adam", "learning_rate": 0.02},
    "train": {"epochs": 2},
}
WAVE = [round(float(20 + 5 * np.sin(k / 3)), 3) for k in range(40)]


def trained(folder, files, data, epochs=2):
    """Write the files, train on the first, and return the run's folder."""
    for name, content in files.items():
        write(folder / name, content)
    settings = {**SETTINGS, "train": {"epochs": epochs}, "data": {"valid": None, **data}}
    settings["data"]["train"] = str(folder / next(iter(files)))
    lstm_cli.train(settings, run=folder / "run", verbosity=-1)
    return folder / "run"


def predict(*words):
    """Run the command and return what it writes, or the message of its error."""
    result = CliRunner().invoke(main, ["predict", *map(str, words)])
    return result.output if result.exception is None else f"{result.output}{result.exception}"


def cells(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_strings_are_not_lists_of_words(tmp_path):
    rows = [{"s": words.split(), "y": label} for words, label in (("good film", "pos"), ("dull film", "neg"))] * 6
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    run = trained(tmp_path, {"a.jsonl": lines}, {"inputs": ["s"], "target": "y"})
    write(tmp_path / "new.jsonl", json.dumps({"s": "good film"}) + "\n")
    message = predict(run, tmp_path / "new.jsonl")
    assert "new.jsonl:1: s: " in message and "prediction" not in message


def test_vectors_are_not_numbers(tmp_path):
    lines = "".join(json.dumps({"x": [0.5 * k, 1.5], "y": "ab"[k % 2]}) + "\n" for k in range(8))
    run = trained(tmp_path, {"a.jsonl": lines}, {"inputs": ["x"], "target": "y"})
    write(tmp_path / "new.jsonl", json.dumps({"x": [[0.5, 1.0], [1.5, 2.0]]}) + "\n")
    message = predict(run, tmp_path / "new.jsonl")
    assert "new.jsonl:1: x: " in message and "prediction" not in message


IDS = table("store,x,y", *(f"s{k // 10},{v},{v / 2}" for k, v in enumerate(WAVE)))


def test_an_id_column_must_be_there(tmp_path):
    run = trained(tmp_path, {"a.csv": IDS}, {"inputs": ["x"], "target": "y", "id": "store"})
    write(tmp_path / "new.csv", IDS.replace("store", "STORE"))
    message = predict(run, tmp_path / "new.csv")
    assert "store" in message and "prediction" not in message


def test_missing_values_are_filled_alike(tmp_path):
    """With the mean of the training data, not of the new file."""
    lines = table("x,y", "1.5,0.1", "NA,0.2", "2.5,0.3", *(f"{v},{v / 9}" for v in WAVE))
    data = {"inputs": ["x"], "target": "y", "missing": {"fill": "mean"}}
    run = trained(tmp_path, {"a.csv": lines}, data)
    mean = np.mean([1.5, 2.5, *WAVE])
    write(tmp_path / "gap.csv", table("x", "30.5", "NA", "31.5"))
    write(tmp_path / "full.csv", table("x", "30.5", repr(float(mean)), "31.5"))
    for name in ("gap", "full"):
        predict(run, tmp_path / f"{name}.csv", "-o", tmp_path / f"{name}.jsonl")
    found = [read_jsonl(tmp_path / f"{name}.jsonl")[0]["prediction"] for name in ("gap", "full")]
    np.testing.assert_allclose(*found, rtol=1e-5)


HOURS = [f"2024-03-{1 + k // 24:02d} {k % 24:02d}:00" for k in range(80)]
