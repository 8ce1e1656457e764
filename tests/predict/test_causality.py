"""No prediction of a causal model depends on what comes after it, beyond the declared steps of known inputs."""

import numpy as np
import pandas as pd
import pytest

import lstm_cli
from lstm_cli.predict import predict_run
from tests.support.data import read_jsonl

CUT, SERIES = 20, {"north": 41, "south": 33}
BOTH = {"a": {}, "b": {}}
KNOWN = BOTH | {"k": {"known": True}}
LATER = {"column": "a", "kind": "number", "per": "step", "ahead": 2}
DIRECT = {"column": "y", "kind": "number", "per": "step", "horizon": 3}
GAPS = {"indicator": True, "target": "skip"}

TASKS = {
    "next": {"inputs": BOTH, "target": "next"},
    "differences": {"inputs": BOTH, "target": "next", "transform": {"a": ["log", "difference"]}},
    "window scale": {"inputs": BOTH, "target": "next", "scale": "window", "window": 5, "stride": 2},
    "window scale, known": {"inputs": KNOWN, "target": DIRECT, "scale": "window", "window": 6},
    "known, calendar": {"inputs": KNOWN, "target": LATER, "time": "t", "calendar": ["hour", "weekday"]},
    "carried": {"inputs": BOTH, "target": "next", "scale": "minmax", "window": 7, "carry_state": True},
    "previous": {"inputs": KNOWN, "target": DIRECT, "missing": {"fill": "previous", **GAPS}},
    "mean": {"inputs": BOTH, "target": "next", "window": 4, "missing": {"fill": "mean", **GAPS}},
    "zero": {"inputs": BOTH, "target": LATER, "scale": "none", "missing": {"fill": "zero", **GAPS}},
}


def table(*, gaps, changed=False):
    """Two series, in some of which cells are missing; changed from step CUT on."""
    frames = []
    for number, (name, steps) in enumerate(SERIES.items()):
        rng = np.random.default_rng(number)
        values = rng.normal(size=(steps, 4)).cumsum(axis=0).round(3) + 50
        if gaps:
            values[:, :3][rng.random((steps, 3)) < 0.15] = np.nan
        if changed:
            values[CUT:] = rng.normal(size=(steps - CUT, 4)).round(3) * 9 + 300
        time = pd.date_range("2024-02-27", periods=steps, freq="7h").astype(str)
        frames.append(pd.DataFrame(values, columns=["a", "b", "k", "y"]).assign(id=name, t=time))
    return pd.concat(frames)


@pytest.mark.parametrize("name", TASKS)
def test_no_output_depends_on_later_rows(tmp_path, name):
    task = TASKS[name]
    gaps = "missing" in task
    table(gaps=gaps).to_csv(tmp_path / "whole.csv", index=False)
    table(gaps=gaps, changed=True).to_csv(tmp_path / "changed.csv", index=False)
    table(gaps=gaps).groupby("id").head(CUT).to_csv(tmp_path / "cut.csv", index=False)
    config = {
        "threads": 1,
        "data": {"train": str(tmp_path / "whole.csv"), "valid": None, **task},
        "model": {"layers": [4], "dropout": 0},
        "optimizer": {"name": "adam", "learning_rate": 0.03},
        "train": {"epochs": 1, "batch_size": 4, "monitor": "train.loss"},
    }
    lstm_cli.train(config, run=tmp_path / "run", verbosity=-1)
    found = {}
    for file in ("whole", "changed", "cut"):
        predict_run(tmp_path / "run", tmp_path / f"{file}.csv", out=tmp_path / "out.jsonl")
        found[file] = {row["id"]: row["prediction"] for row in read_jsonl(tmp_path / "out.jsonl")}
    ahead = 0
    if "k" in task["inputs"]:
        ahead = task["target"].get("horizon", task["target"].get("ahead", 1))
    for series in SERIES:
        whole = found["whole"][series]
        assert whole[: CUT - ahead] == found["changed"][series][: CUT - ahead]  # bit by bit
        assert whole[: CUT - ahead] == found["cut"][series][: CUT - ahead]
        assert any(entry is not None for entry in whole[: CUT - ahead])
        assert whole[CUT : -ahead or None] != found["changed"][series][CUT : -ahead or None]
        if ahead:
            assert found["cut"][series][CUT - ahead :] == [None] * ahead
