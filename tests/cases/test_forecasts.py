"""Several steps at once, known inputs, windows with a stride, and scales of a sequence's or a window's own."""

import json

import numpy as np
import pytest

from tests.support.cases import Case, table

RAMP = {"a.csv": table("load,temp", *(f"{k * k}.5,{k}.25" for k in range(10)))}
LOAD = {"inputs": ["load"]}
TWO = {
    "a.jsonl": "".join(json.dumps({"x": [5.0 + k, 7.0 + k, 9.0 + 4 * k], "y": "ab"[k % 2]}) + "\n" for k in range(4))
}
SQUARES = [k * k + 0.5 for k in range(10)]
THREE = [[SQUARES[k + 1 : k + 4] if k < 7 else [0, 0, 0]][0] for k in range(10)]

CASES = {
    "three steps at once": Case(
        RAMP,
        {**LOAD, "target": {"column": "load", "horizon": 3}},
        target=("number", "step"),
        targets=THREE,
        counted=[1] * 7 + [0] * 3,
    ),
    "values known ahead are inputs": Case(
        RAMP,
        {"inputs": {"load": {}, "temp": {"known": True}}, "target": {"column": "load", "horizon": 2}},
        numbers=[[SQUARES[k], k + 0.25, k + 1.25, k + 2.25] for k in range(8)],
        targets=[SQUARES[k + 1 : k + 3] for k in range(8)],
    ),
    "known without a horizon": Case(
        RAMP, {"inputs": {"load": {}, "temp": {"known": True}}, "target": "load"}, refused="known: "
    ),
    "a horizon of labels": Case(
        TWO, {"inputs": ["x"], "target": {"column": "y", "kind": "category", "horizon": 2}}, refused="horizon"
    ),
    "a stride without a window": Case(RAMP, {**LOAD, "target": "next", "stride": 2}, refused=r"data\.stride.*window"),
    "a calendar without time": Case(
        RAMP, {**LOAD, "target": "next", "calendar": "hour"}, refused=r"calendar.*data\.time"
    ),
    "each sequence by its own mean and deviation": Case(
        TWO,
        {"inputs": ["x"], "target": "y", "scale": "series"},
        numbers=np.concatenate(
            [(v - v.mean()) / v.std() for k in range(4) for v in [np.array([5.0 + k, 7.0 + k, 9.0 + 4 * k])]]
        )[:, None].tolist(),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_case(name, tmp_path):
    CASES[name].run(tmp_path)
