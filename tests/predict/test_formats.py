"""The same sequences in any format give the same predictions and scores."""

import gzip
import json
import zipfile

import numpy as np
import pytest

import lstm_cli
from lstm_cli.errors import DataError
from lstm_cli.predict.files import predict_run
from tests.support.data import read_jsonl, write

SHORT = {"model": {"layers": [4]}, "train": {"epochs": 2, "batch_size": 4}, "threads": 1}


@pytest.fixture(scope="module")
def arrays():
    draw = np.random.default_rng(5)
    x = draw.normal(size=(16, 6, 2)).round(3)
    y = np.where(x[:, -1, 0] > 0, "up", "down")
    return {"X_train": x[:12], "y_train": y[:12], "X_test": x[12:], "y_test": y[12:]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory, arrays):
    """A run trained on a file of splits, and the test sequences in other formats."""
    folder = tmp_path_factory.mktemp("formats")
    np.savez(folder / "trace.npz", **arrays)
    for name in ("X_test", "y_test"):
        np.save(folder / f"{name}.npy", arrays[name])
    rows = [{"x": x.tolist(), "y": str(y)} for x, y in zip(arrays["X_test"], arrays["y_test"], strict=True)]
    write(folder / "test.json", json.dumps(rows))
    write(folder / "splits.json", json.dumps({"train": rows[:1], "test": rows}))
    write(folder / "test.jsonl.gz", gzip.compress("".join(json.dumps(row) + "\n" for row in rows).encode()))
    with zipfile.ZipFile(folder / "test.zip", "w") as archive:
        archive.writestr("folder/rows.json", json.dumps(rows))
    dimensions = [":".join(",".join(map(str, column)) for column in x.T) for x in arrays["X_test"]]
    write(folder / "test.ts", "@classLabel false\n@data\n" + "\n".join(dimensions) + "\n")
    data = {"train": str(folder / "trace.npz"), "test": str(folder / "trace.npz"), "inputs": ["x"], "target": "y"}
    lstm_cli.train({"data": data, **SHORT}, run=folder / "run", verbosity=-1)
    return folder


def predictions(folder, name):
    predict_run(folder / "run", folder / name, out=folder / "out.jsonl", probabilities=True)
    return [row["probabilities"] for row in read_jsonl(folder / "out.jsonl")]


def test_predictions_are_those_of_the_test_data_in_every_format(folder, arrays):
    expected = [row["probabilities"] for row in lstm_cli.load(folder / "run").predict(
        [{"x": x.tolist()} for x in arrays["X_test"]], probabilities=True
    )]  # fmt: skip
    assert len(expected) == 4
    for name in ("trace.npz", "X_test.npy", "test.json", "splits.json", "test.jsonl.gz", "test.ts", "test.zip"):
        assert predictions(folder, name) == expected, name


def test_scores_are_those_of_training(folder):
    scores = [row for row in read_jsonl(folder / "run/metrics.jsonl") if row["split"] == "test"]
    for name in ("trace.npz", "X_test.npy", "test.json", "splits.json", "test.jsonl.gz"):
        found = predict_run(folder / "run", folder / name, evaluate=True)
        assert found["accuracy"] == scores[-1]["accuracy"] and found["loss"] == pytest.approx(scores[-1]["loss"])


def test_a_run_on_a_table_named_as_text_predicts_that_file(tmp_path):
    lines = [f"{np.sin(t / 3):.4f}\t{np.cos(t / 3):.4f}" for t in range(60)]
    write(tmp_path / "log.txt", "\n".join(["temp\tload", *lines]) + "\n")
    data = {"train": str(tmp_path / "log.txt"), "inputs": ["temp"], "target": "load", "window": 10, "valid": None}
    lstm_cli.train({"data": data, **SHORT}, run=tmp_path / "run", verbosity=-1)
    predict_run(tmp_path / "run", tmp_path / "log.txt", out=tmp_path / "out.jsonl")
    assert len(read_jsonl(tmp_path / "out.jsonl")[0]["prediction"]) == 60


def test_files_of_other_programs_are_refused_at_prediction_too(folder):
    write(folder / "log.arff", "@relation r\n")
    with pytest.raises(DataError, match=r"log.arff: ARFF is not read: convert it: "):
        predict_run(folder / "run", folder / "log.arff")
