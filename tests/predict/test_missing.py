"""Runs trained on data with gaps: their scores, their predictions, and forecasts fed back."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

import lstm_cli
from lstm_cli.api import train_run
from lstm_cli.config import config_from_mapping
from lstm_cli.predict import predict_run
from lstm_cli.training.events import Started
from lstm_cli.training.sinks import Sink
from tests.support.data import read_jsonl, write, write_jsonl

TINY = {
    "threads": 1,
    "model": {"layers": [4], "dropout": 0},
    "optimizer": {"name": "adam", "learning_rate": 0.02},
    "train": {"epochs": 2, "batch_size": 4},
}


def trained(folder, name, **sections):
    return lstm_cli.train(TINY | sections, run=folder / name, verbosity=-1)


def series(rng, *, sequences=6, steps=25, gaps=0.2):
    """Sequences of two numbers with gaps, and targets of every kind with gaps."""
    rows = []
    for k in range(sequences):
        x, z = rng.normal(size=steps).cumsum(), rng.normal(20, 3, steps)
        given = pd.DataFrame({"x": x.round(3), "z": z.round(3), "y": (3 * x + z).round(3)})
        given["label"] = np.where(given["x"] > given["x"].mean(), "up", "down")
        rows.append({"id": f"s{k}"} | {name: given[name].tolist() for name in given})
        for name in given:
            for step in np.flatnonzero(rng.random(steps) < gaps):
                rows[-1][name][step] = None
    return rows


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two files of sequences with gaps, and runs on them: numbers, labels, and the next step."""
    folder = tmp_path_factory.mktemp("gaps")
    for number, name in enumerate(["train", "test"]):
        write_jsonl(folder / f"{name}.jsonl", series(np.random.default_rng(number)))
    files = {
        "train": str(folder / "train.jsonl"),
        "valid": str(folder / "test.jsonl"),
        "test": str(folder / "test.jsonl"),
    }
    missing = {"fill": {"x": "linear", "z": "mean"}, "indicator": True, "target": "skip"}
    for target in ("y", "label"):
        trained(folder, target, data={**files, "inputs": ["x", "z"], "target": target, "missing": missing})
    missing = {"fill": "previous", "indicator": True, "target": "skip"}
    trained(folder, "next", data={**files, "inputs": ["x", "z"], "target": "next", "missing": missing})
    loop = {"warmup": 4, "steps": 5}
    trained(folder, "loop", data={**files, "inputs": ["x", "z"], "target": "next", "missing": missing}, rollout=loop)
    return folder


def predicted(folder, name):
    predict_run(folder / name, folder / "test.jsonl", out=folder / f"{name}.jsonl")
    return read_jsonl(folder / f"{name}.jsonl"), read_jsonl(folder / "test.jsonl")


def test_scores_of_numbers_are_those_of_scikit_learn_on_the_known_ones(folder):
    rows, given = predicted(folder, "y")
    assert [len(row["prediction"]) for row in rows] == [len(row["x"]) for row in given]  # also where nothing is known
    pairs = [
        (true, guess)
        for row, truth in zip(rows, given, strict=True)
        for true, guess in zip(truth["y"], row["prediction"], strict=True)
        if true is not None
    ]
    true, guess = np.array(pairs, np.float64).T
    found = lstm_cli.load(folder / "y").evaluate(folder / "test.jsonl")
    assert found["rmse"] == pytest.approx(metrics.root_mean_squared_error(true, guess), rel=1e-5)
    assert found["mae"] == pytest.approx(metrics.mean_absolute_error(true, guess), rel=1e-5)
    assert found["r2"] == pytest.approx(metrics.r2_score(true, guess), rel=1e-5)


def test_scores_of_labels_are_those_of_scikit_learn_on_the_known_ones(folder):
    rows, given = predicted(folder, "label")
    pairs = [
        (true, guess)
        for row, truth in zip(rows, given, strict=True)
        for true, guess in zip(truth["label"], row["prediction"], strict=True)
        if true is not None
    ]
    true, guess = zip(*pairs, strict=True)
    found = lstm_cli.load(folder / "label").evaluate(folder / "test.jsonl")
    assert found["accuracy"] == pytest.approx(metrics.accuracy_score(true, guess))
    assert found["macro_f1"] == pytest.approx(metrics.f1_score(true, guess, average="macro", zero_division=0))


def test_a_file_and_python_are_filled_alike(folder):
    rows, given = predicted(folder, "y")
    run = lstm_cli.load(folder / "y")
    assert [row["prediction"] for row in run.predict(given)] == [row["prediction"] for row in rows]
    arrays = [{name: np.array(row[name], np.float64) for name in "xz"} for row in given]
    assert [row["prediction"] for row in run.predict(arrays)] == [row["prediction"] for row in rows]


def test_filling_by_hand_gives_the_same_predictions(folder):
    """Without an indicator, a gap and the number that takes its place are the same."""
    config = json.loads((folder / "train.jsonl").read_text().splitlines()[0])
    data = {"train": str(folder / "train.jsonl"), "inputs": ["x"], "target": "y", "valid": None}
    result = trained(folder, "plain", data={**data, "missing": {"fill": "linear", "target": "skip"}})
    run = lstm_cli.load(result.folder)
    by_hand = pd.Series(config["x"], dtype=np.float64).interpolate(limit_direction="both").tolist()
    gaps, filled = run.predict([{"x": config["x"]}, {"x": by_hand}])
    assert gaps["prediction"] == filled["prediction"]


def test_gaps_of_a_predicted_file_are_noted(folder):
    notes = []
    predict_run(folder / "y", folder / "test.jsonl", out=folder / "noted.jsonl", note=notes.append)
    counts = {
        name: sum(value is None for row in series(np.random.default_rng(1)) for value in row[name]) for name in "xz"
    }
    assert [note.rpartition("test.jsonl: ")[2] for note in notes if "missing" in note] == [
        f"x: {counts['x']} of 150 values missing, filled by linear",
        f"z: {counts['z']} of 150 values missing, filled by mean",
    ]


@pytest.mark.parametrize("name", ["next", "loop"])
def test_forecasts_fed_back_have_no_gaps(folder, name):
    """As if each forecast were the next observed value: the indicators of such steps are 0."""
    run, row = lstm_cli.load(folder / name), {"x": [0.5, None, 1.0, 1.5, None], "z": [20.0, 21.0, None, 19.0, 22.0]}
    (forecast,) = run.forecast([row], 4)
    for expected in forecast["prediction"]:
        (found,) = run.predict([row])
        last = found["prediction"][-1]
        np.testing.assert_allclose(last, expected, rtol=1e-4)
        row = {"x": [*row["x"], last[0]], "z": [*row["z"], last[1]]}


def weighted(folder, filler):
    rng = np.random.default_rng(5)
    lines = ["id,x,y,w"]
    for k in range(120):
        x, counts = rng.normal(), k % 3 > 0
        lines.append(f"s{k // 12},{x:.4f},{f'{2 * x + 1:.4f}' if counts else filler},{int(counts)}")
    return write(folder / "a.csv", "\n".join(lines) + "\n")


def test_what_stands_at_weight_zero_changes_no_bit_of_the_scores(tmp_path):
    scores = []
    for number, filler in enumerate(["0", "-999", "?", ""]):
        path = weighted(tmp_path, filler)
        data = {"train": str(path), "valid": str(path), "inputs": ["x"], "target": "y"}
        result = trained(tmp_path, f"run-{number}", data=data, loss={"weight": "w"})
        scores.append(result.scores["valid"])
        assert (result.folder / "scaling.json").read_bytes() == (tmp_path / "run-0" / "scaling.json").read_bytes()
        weights = (result.folder / "best" / "model.safetensors").read_bytes()
        assert weights == (tmp_path / "run-0" / "best" / "model.safetensors").read_bytes()
    assert all(found == scores[0] for found in scores)


class Events(list, Sink):
    """A sink that keeps all events."""

    __call__ = list.append

    def close(self):
        pass


@pytest.mark.parametrize("filler", ["-999", "NA"])
def test_the_naive_baseline_is_that_of_the_steps_that_count(tmp_path, filler):
    path = weighted(tmp_path, filler)
    data = {"train": str(path), "valid": str(path), "inputs": ["x"], "target": "y"}
    config = config_from_mapping(TINY | {"data": data, "loss": {"weight": "w"}}, tmp_path)
    events = Events()
    train_run(config, tmp_path / "run", sinks=[events], verbosity=-1)
    (baseline,) = next(event for event in events if isinstance(event, Started)).baselines
    table = pd.read_csv(path)
    known = table.loc[table["w"] > 0, "y"].astype(float)
    assert baseline.metrics["rmse"] == pytest.approx(known.std(ddof=0), rel=1e-5)
    assert baseline.metrics["r2"] == pytest.approx(0, abs=1e-6)
