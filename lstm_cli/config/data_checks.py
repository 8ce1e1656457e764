"""Checks across the keys of times and splits."""

from collections.abc import Iterator

from lstm_cli.config.config import Config
from lstm_cli.config.conflict import Conflict
from lstm_cli.config.data import HeldOutSpec


def has_valid(config: Config) -> bool:
    """Return whether there may be validation data: `data.split` may name some."""
    return config.data.valid is not None or config.data.split is not None


def _time(config: Config) -> Iterator[Conflict]:
    data = config.data
    if data.calendar and data.time is None:
        yield Conflict(("data.calendar", "data.time"), "needs data.time, the column of the dates")
    if data.calendar and config.rollout is not None:
        text = "a closed loop reads its own outputs only, and no calendar: leave it out"
        yield Conflict(("data.calendar", "rollout"), text)
    if data.time is not None and config.rollout is not None and config.rollout.dynamics is not None:
        text = "a closed loop around a system counts its own steps: leave it out"
        yield Conflict(("data.time", "rollout.dynamics"), text)


def _split(config: Config) -> Iterator[Conflict]:
    data, target = config.data, config.data.target
    held_out = {"data.valid": data.valid, "data.test": data.test}
    for key, held in held_out.items():
        if data.split is not None and held is not None:
            text = f"data.split says what is held out: leave {key} out, or give null"
            yield Conflict((key, "data.split"), text)
        if isinstance(held, HeldOutSpec) and held.by == "time" and target is not None and target.per == "sequence":
            yield Conflict((f"{key}.by", key), "time: needs a target per step: hold out by sequence")


def _fold(config: Config) -> Iterator[Conflict]:
    """Find what cross-validation cannot do: it holds out whole sequences of the training data."""
    data, keys = config.data, ("data.fold",)
    if data.fold is None:
        return
    if data.split is not None:
        yield Conflict((*keys, "data.split"), "data.split says what is held out, and folds do so too: leave one out")
    elif data.valid is None or isinstance(data.valid, str | list):
        got = "null" if data.valid is None else "files"
        text = f"folds of the training data are held out as data.valid, which is {got}: leave data.valid out"
        yield Conflict((*keys, "data.valid"), text)
    for key, held in (("valid", data.valid), ("test", data.test)):
        if isinstance(held, HeldOutSpec) and held.by == "time":
            text = f"folds are of whole sequences, and data.{key} holds out the last steps of each: use lstm backtest"
            yield Conflict((*keys, f"data.{key}.by", f"data.{key}"), text)


CHECKS = (_time, _split, _fold)
