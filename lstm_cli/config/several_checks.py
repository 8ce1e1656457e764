"""Checks across the keys of several target columns, which one network predicts together."""

from collections.abc import Iterator

from lstm_cli.config.config import Config
from lstm_cli.config.conflict import Conflict
from lstm_cli.errors import did_you_mean, nearest

_KEYS = ("data.target.columns", "data.target")


def _columns(config: Config) -> Iterator[Conflict]:
    """Find keys that are for a single target column."""
    target = config.data.target
    if target is None or not target.columns:
        return
    if len(target.columns) == 1:
        yield Conflict(_KEYS, f"one column only: write column: {next(iter(target.columns))}")
    if target.kind != "auto":
        yield Conflict(("data.target.kind", *_KEYS), "several columns have a kind each: give it in data.target.columns")
    if target.horizon > 1:
        yield Conflict(("data.target.horizon", *_KEYS), "only for a single target column of numbers: leave it out")
    if config.rollout is not None:
        yield Conflict(("rollout", *_KEYS), "a closed loop has one target: name one column, or leave rollout out")
    if config.model.output_activation is not None:
        text = "several target columns have activations of their own: leave it out"
        yield Conflict(("model.output_activation", *_KEYS), text)


def _units(config: Config) -> Iterator[Conflict]:
    """Find scales and transforms that are not undone for several target columns."""
    data = config.data
    names = [] if data.target is None else [*data.target.columns]
    if names and data.scale == "window":
        yield Conflict(("data.scale", *_KEYS), "window: only for a single target column of numbers: use standard")
    if data.scale == "series" and (shared := [name for name in names if name in data.inputs]):
        text = f"series: {shared[0]} is an input and one of several target columns: use standard"
        yield Conflict(("data.scale", *_KEYS), text)
    for name in names:
        if any(step.lag for step in data.transform.get(name, ())):
            text = "differences of one of several target columns are not undone: use log, or leave it out"
            yield Conflict((f"data.transform.{name}", "data.transform", *_KEYS), text)


def _weights(config: Config) -> Iterator[Conflict]:
    """Find weights of what is not one of several target columns, or that leave no loss."""
    target, weights = config.data.target, config.loss.weights
    names = [] if target is None else [*target.columns]
    if weights and not names:
        text = "only for several target columns, as data.target: [a, b] names them: leave it out"
        yield Conflict(("loss.weights", "data.target"), text)
        return
    for name in weights:
        if name not in names:
            hint = did_you_mean(nearest(name, names)) or f", expected one of {', '.join(names)}"
            yield Conflict((f"loss.weights.{name}", "loss.weights", "data.target"), f"no such target column{hint}")
    if names and not any(weights.get(name, 1) for name in names):
        yield Conflict(("loss.weights", "data.target"), "all are 0, so that there is no loss: give one above 0")


CHECKS = (_columns, _units, _weights)
