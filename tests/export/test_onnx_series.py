"""ONNX models of forecasts, language models and sets give what `lstm-predict` gives."""

import math

import numpy as np
import pytest

from tests.support.data import read_jsonl, write_jsonl
from tests.support.kinds import MODEL, names, numbered, passengers, pendulum, regression, sets, tagger, words
from tests.support.onnx import Exported, assert_equal_predictions, drawn_run, slow_except

pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")


def tied(folder, rng):
    """A language model whose output weights are the embeddings."""
    return words(folder, rng) | {"model": {**MODEL, "layers": [4], "tie_embeddings": True}}


ROWS = {
    regression: None, numbered: None, tagger: None, sets: None,
    passengers: [{"count": [math.exp(4 + step / 30 + math.sin(step)) for step in range(n)]} for n in (9, 30)],
    pendulum: [{"a": np.sin(np.arange(n) / 5).tolist(), "b": np.cos(np.arange(n) / 5).tolist()} for n in (7, 20)],
    words: [{"text": ["to", "be", "Hamlet"]}, {"text": ["not", "or", "be", "to"]}],
    tied: [{"text": ["to", "be", "Hamlet"]}, {"text": ["or"]}],
    names: [{"text": list("anne")}, {"text": list("mia")}],
}  # fmt: skip
KINDS = {kind.__name__: kind for kind in ROWS}


@pytest.mark.parametrize("name", slow_except(KINDS, ["sets", "tied"]))
def test_every_kind_of_data(name, tmp_path):
    kind = KINDS[name]
    config = kind(tmp_path, np.random.default_rng(1))
    run = drawn_run(tmp_path, {"model": MODEL, **config})
    assert_equal_predictions(Exported(run.folder), ROWS[kind] or read_jsonl(tmp_path / "train.jsonl")[:8])


def load(folder, *, ahead=1, horizon=1, transform=(), scale="standard", loss=None, **inputs):
    """A series per file row with a temperature that is known beforehand."""
    rows = [
        {"id": f"s{n}", "load": [50 + 9 * math.sin(t / 2 + n) + n for t in range(30 + n)],
         "temp": [10 + 5 * math.cos(t / 2 + n) for t in range(30 + n)]} for n in range(4)
    ]  # fmt: skip
    write_jsonl(folder / "train.jsonl", rows)
    target = {"column": "load", "kind": "number", "per": "step", "ahead": ahead, "horizon": horizon}
    columns = {"load": {}, "temp": {}, **inputs}
    data = {"train": "train.jsonl", "inputs": columns, "target": target, "valid": 1, "scale": scale}
    transforms = {"transform": {"load": list(transform)}} if transform else {}
    return {"data": {**data, **transforms}, "model": MODEL, "loss": loss or {}}, rows


FORECASTS = {
    "several steps at once": {"horizon": 4},
    "differences": {"horizon": 5, "transform": ("difference", "seasonal_difference(3)")},
    "log and difference": {"horizon": 3, "transform": ("log", "difference")},
    "same step": {"ahead": 0, "transform": ("difference",)},
    "two steps ahead": {"ahead": 2, "horizon": 3, "transform": ("seasonal_difference(4)",)},
    "quantiles": {"horizon": 2, "loss": {"quantiles": [0.1, 0.25, 0.5, 0.9]}, "transform": ("log",)},
    "gaussian": {"horizon": 3, "loss": {"distribution": "gaussian"}},
    "own scale": {"horizon": 3, "scale": "series", "transform": ("difference",)},
}


@pytest.mark.parametrize("name", slow_except(FORECASTS, ("quantiles", "own scale")))
def test_forecasts(name, tmp_path):
    config, rows = load(tmp_path, **FORECASTS[name])
    assert_equal_predictions(Exported(drawn_run(tmp_path, config).folder), rows)


@pytest.mark.parametrize("scale", slow_except(["standard", "series"], ["series"]))
def test_known_inputs(scale, tmp_path):
    """Inputs that are known beforehand have `ahead + horizon - 1` more steps than the others."""
    config, rows = load(tmp_path, horizon=4, transform=("difference",), temp={"known": True}, scale=scale)
    run = drawn_run(tmp_path, config)
    exported, reach = Exported(run.folder), 4
    feeds = exported.feeds([{**row, "load": row["load"][:-reach]} for row in rows])
    (output,) = exported.session.run(None, feeds)
    steps = len(rows[1]["load"]) - reach
    future = [{"id": row["id"], "temp": row["temp"][-reach:]} for row in rows]
    past = [{name: value if name == "id" else value[:-reach] for name, value in row.items()} for row in rows]
    for number, forecast in enumerate(run.forecast(past, future=future)):
        np.testing.assert_allclose(output[number, len(past[number]["load"]) - 1], forecast["prediction"], rtol=1e-5)
    assert steps == feeds["lengths"][1]
