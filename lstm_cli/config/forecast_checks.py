"""Checks across the keys of forecasts: horizon, known inputs, overlapping windows, scaling by series or window."""

from collections.abc import Iterator

from lstm_cli.config.config import Config
from lstm_cli.config.conflict import Conflict, is_text


def _stride(config: Config) -> Iterator[Conflict]:
    data = config.data
    if data.stride is None:
        return
    if data.window is None:
        yield Conflict(("data.stride", "data.window"), "needs data.window, the length of the windows in steps")
    if data.carry_state:
        text = "the state flows from window to window, so that each begins where the one before ends: leave it out"
        yield Conflict(("data.stride", "data.carry_state"), text)


def _horizon(config: Config) -> Iterator[Conflict]:
    """Find keys that conflict with predicting several steps at once."""
    target = config.data.target
    if target is None or target.horizon == 1:
        return
    key = "data.target.horizon"
    if target.kind not in ("auto", "number"):
        yield Conflict((key, "data.target.kind"), f"only for numbers, not kind: {target.kind}: leave it out")
    if target.per == "sequence":
        yield Conflict((key, "data.target.per"), "only for a target per step: leave one of the two keys out")
    if config.rollout is not None:
        yield Conflict((key, "rollout"), "a closed loop predicts step by step: leave one of the two keys out")
    if any(layer.bidirectional for layer in config.model.layers):
        text = "a bidirectional layer sees the steps that it should predict: set it to false"
        yield Conflict((key, "model.bidirectional", "model.layers"), text)


def _known(config: Config) -> Iterator[Conflict]:
    """Find keys that conflict with inputs whose future is known."""
    data = config.data
    for name, spec in data.inputs.items():
        if not spec.known:
            continue
        key = f"data.inputs.{name}.known"
        if spec.kind not in ("auto", "number"):
            yield Conflict((key, f"data.inputs.{name}"), f"only for numbers, not kind: {spec.kind}: leave it out")
        if spec.static:
            yield Conflict((key, f"data.inputs.{name}"), "a static input has no other value later: leave known out")
        if config.rollout is not None:
            yield Conflict((key, "rollout"), "a closed loop has no known future inputs: leave it out")
        target = data.target
        if target is not None and name in target.names:
            text = "the target is what has to be predicted: leave known out, or name another column"
            yield Conflict((key, "data.target.column", "data.target"), text)
        elif target is not None and not target.next and target.ahead == 0 and target.horizon == 1:
            text = "the target is at the same step, whose inputs are read anyway: leave it out, or set target.ahead"
            yield Conflict((key, "data.target.ahead", "data.target"), text)


def _scale(config: Config) -> Iterator[Conflict]:
    """Find keys that conflict with scaling by series or by window."""
    data, key = config.data, "data.scale"
    if data.scale == "series" and config.rollout is not None and config.rollout.dynamics is not None:
        yield Conflict((key, "rollout.dynamics"), "a system computes in its own units: use standard")
    if data.scale != "window":
        return
    if data.window is None:
        yield Conflict((key, "data.window"), "needs data.window, the length of the windows in steps")
    if data.carry_state:
        text = "each window has its own scaling, so no state can flow from one to the next: set carry_state to false"
        yield Conflict((key, "data.carry_state"), text)
    if config.train.valid_streams is not None:
        yield Conflict((key, "train.valid_streams"), "a window has one output and its own scaling: leave streams out")
    if config.rollout is not None:
        yield Conflict((key, "rollout"), "a closed loop has no window to scale by: use series or standard")
    target = data.target
    if is_text(data) or (target is not None and (target.kind in ("category", "set") or target.per == "sequence")):
        yield Conflict((key, "data.target"), "only for a target of numbers per step: use series or standard")


CHECKS = (_stride, _horizon, _known, _scale)
