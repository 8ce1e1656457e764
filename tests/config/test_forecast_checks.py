"""Keys of forecasts that exclude or require each other, each refused before the work starts."""
# ruff: noqa: E501

import pytest

from tests.support.config import errors

HORIZON = "target: {column: y, horizon: 3}"
WINDOW = "scale: window, window: 5"
# What stands in `data` and after it, the key that the message names, and what it says.
TABLE = [
    ("target: y, stride: 2", "", "data.stride", "needs data.window"),
    ("target: y, window: 4, stride: 2, carry_state: true", "", "data.stride", "the state flows from window to window"),
    ("target: {column: y, horizon: 3, kind: category}", "", "data.target.horizon", "only for numbers, not kind: category"),
    ("target: {column: y, horizon: 3, per: sequence}", "", "data.target.horizon", "only for a target per step"),
    ("target: {next: true, horizon: 3}", "rollout: {steps: 2}", "data.target.horizon", "a closed loop predicts step by step"),
    (HORIZON, "model: {bidirectional: true}", "data.target.horizon", "a bidirectional layer sees the steps"),
    ("inputs: {x: {known: true}}, target: y", "", "data.inputs.x.known", "the target is at the same step"),
    (f"inputs: {{x: {{known: true, kind: tokens}}}}, {HORIZON}", "", "data.inputs.x.known", "only for numbers, not kind: tokens"),
    (f"inputs: {{x: {{known: true, static: true}}}}, {HORIZON}", "", "data.inputs.x.known", "a static input has no other value"),
    ("inputs: {y: {known: true}}, target: {column: y, horizon: 3}", "", "data.inputs.y.known", "the target is what has to be predicted"),
    ("inputs: {a: {}, x: {known: true}}, target: next", "rollout: {steps: 2}", "data.inputs.x.known", "a closed loop has no known"),
    ("inputs: [a], target: next, time: t, calendar: hour", "rollout: {steps: 2}", "data.calendar", "a closed loop reads its own outputs only"),
    ("target: next, scale: window", "", "data.scale", "needs data.window"),
    (f"target: next, {WINDOW}, carry_state: true", "", "data.scale", "each window has its own scaling"),
    (f"target: next, {WINDOW}", "train: {valid_streams: 4}", "data.scale", "a window has one output"),
    (f"target: next, {WINDOW}", "rollout: {steps: 2, warmup: 3}", "data.scale", "a closed loop has no window to scale by"),
    (f"target: {{column: y, kind: set}}, {WINDOW}", "", "data.scale", "only for a target of numbers per step"),
    (f"target: {{column: y, per: sequence}}, {WINDOW}", "", "data.scale", "only for a target of numbers per step"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "rest", "key", "message"), TABLE)
def test_conflicts_name_their_key(tmp_path, data, rest, key, message):
    found = errors(tmp_path, f"data: {{train: a.csv, {data}}}\n{rest}\n")
    assert any(f" {key}: {message}" in line for line in found), found


@pytest.mark.parametrize("data", [HORIZON, f"target: next, {WINDOW}, stride: 2", "target: next, window: 4, stride: 9"])
def test_what_fits_is_accepted(tmp_path, data):
    assert errors(tmp_path, f"data: {{train: a.csv, {data}}}\n") == []
