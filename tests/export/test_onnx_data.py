"""ONNX models take raw values and give original units, whatever the columns are."""

import math

import numpy as np
import pytest

from tests.support.data import write_jsonl
from tests.support.kinds import MODEL, labelled_waves
from tests.support.onnx import Exported, assert_equal_predictions, drawn_run

pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")


def columns(count, rng):
    """Sequences with a column of every kind."""
    rows = []
    for number, wave in enumerate(labelled_waves(count, rng)):
        steps = len(wave["x"])
        rows.append({
            **wave,
            "age": 20.0 + number, "town": ["Ulm", "Bern", "Lyon"][number % 3],
            "word": [["Sun", "rain", "SNOW"][(number + step) % 3] for step in range(steps)],
            "notes": [["a", "b", "c"][: (number + step) % 4] for step in range(steps)],
            "price": [math.exp(3 + math.sin(step + number)) for step in range(steps)],
            "y": float(number % 5) + 0.5, "level": [step * 1.5 + number for step in range(steps)],
        })  # fmt: skip
    return rows


def everything(folder, rng):
    """Every kind of input beside each other, static ones too, for a label of each sequence."""
    inputs = {
        "x": {}, "age": {"static": True}, "town": {"static": True, "kind": "tokens"},
        "word": {"kind": "tokens", "lowercase": True}, "end": {"of": "word", "kind": "tokens", "last": 2},
        "notes": {"kind": "set"}, "price": {},
    }  # fmt: skip
    return inputs, {"target": "label", "transform": {"price": ["log", "difference"]}}


def logarithm(folder, rng):
    target = {"column": "price", "kind": "number", "per": "step"}
    return ["x"], {"target": target, "transform": {"price": ["log"]}, "scale": "minmax"}


def own_scale(folder, rng):
    """Each sequence scaled by its own values; one of its columns is constant."""
    return {"price": {}, "level": {}, "age": {"static": True}}, {"target": "next", "scale": "series"}


def filled(folder, rng):
    missing = {"fill": {"x": "mean", "price": "zero"}, "indicator": True}
    return ["x", "price"], {"target": "label", "missing": missing}


def several(folder, rng):
    """A label, a number and a set for each step, from one network."""
    target = {"word": "category", "price": "number", "notes": "set"}
    return ["x", "level"], {"target": target, "transform": {"price": ["log"], "level": ["difference"]}}


COLUMNS = {maker.__name__: maker for maker in (everything, logarithm, own_scale, filled, several)}


@pytest.mark.parametrize("name", COLUMNS)
def test_every_kind_of_column(name, tmp_path):
    rows = columns(12, np.random.default_rng(5))
    write_jsonl(tmp_path / "train.jsonl", rows)
    inputs, data = COLUMNS[name](tmp_path, None)
    data = {"train": "train.jsonl", "inputs": inputs, "valid": 2, **data}
    run = drawn_run(tmp_path, {"data": data, "model": {**MODEL, "bidirectional": data["target"] != "next"}})
    exported = Exported(run.folder)
    if name == "own_scale":
        rows[0]["level"] = [7.0] * len(rows[0]["level"])
    if name == "filled":
        for row in rows[::2]:
            row["x"][1], row["price"][0] = [None, 3.0], None
    assert_equal_predictions(exported, rows[:7])


@pytest.mark.parametrize("loss", [{"quantiles": [0.1, 0.5, 0.9]}, {"distribution": "gaussian"}])
def test_several_target_columns_have_outputs_of_their_own(tmp_path, loss):
    """A label and a number for each sequence, the number with a spread."""
    rows = columns(9, np.random.default_rng(5))
    write_jsonl(tmp_path / "train.jsonl", rows)
    data = {"train": "train.jsonl", "inputs": ["x"], "target": ["label", "y"], "valid": 2}
    exported = Exported(drawn_run(tmp_path, {"data": data, "model": MODEL, "loss": loss}).folder)
    spread = ["deviation.y"] if "distribution" in loss else ["p10.y", "p90.y"]
    assert [one.name for one in exported.session.get_outputs()] == ["probabilities.label", "prediction.y", *spread]
    assert exported.metadata["labels"] == {"label": ["high", "low", "mid"]}
    assert exported.metadata["columns"] == {"y": ["y"]}
    assert_equal_predictions(exported, rows)
