"""The settings of the data that a target needs: its form, transforms, scaling, windows, and what is missing."""

from collections.abc import Sequence
from typing import Any

from lstm_cli.config.table import MISSING
from lstm_cli.errors import counted, listed
from lstm_cli.insight.draft.columns import Column
from lstm_cli.insight.draft.inputs import Input
from lstm_cli.insight.draft.look import Look
from lstm_cli.insight.draft.series import Shape, shape_of
from lstm_cli.insight.draft.targets import Candidate
from lstm_cli.insight.draft.text import Entry

_DAY = 86_400.0
#: Steps of a series from which on it is read in windows, and their lengths.
_LONG, _WINDOW, _TEXT_WINDOW = 250, 64, 128
#: Values that are predicted at once, at most, and windows with an output each.
_HORIZON, _WINDOWS = 96, 15_000


def settings_for(look: Look, candidate: Candidate, inputs: Sequence[Input]) -> list[Entry]:
    """Return the settings for a target: its form first."""
    missing = _missing(look, candidate, inputs)
    if candidate.task == "forecast":
        return [*_forecast(look, candidate, inputs), *missing]
    windows = _window_entries(_window(look, candidate), look)
    return [_target(look, candidate), *_scale(look, inputs), *missing, *windows]


def _target(look: Look, candidate: Candidate) -> Entry:
    if candidate.column is None:
        return Entry("target", "next", f"predict {candidate.what}")
    column = look.column(candidate.column)
    name, per = candidate.column, "step" if column is not None and column.per == "step" else "sequence"
    why = f"one {'label' if candidate.task in ('classify', 'tag') else 'number'} per {per}"
    if column is not None and column.values and candidate.task in ("classify", "tag"):
        why += f": {_counts(column)}"
    elif column is not None and column.kind == "number":
        why += f", {column.extent}"
    if candidate.others:
        why += f"; {listed(candidate.others, 3)} would fit, too: --target"
    value: Any = name
    if column is not None and (
        column.per == "constant" or column.whole or name == "next" or candidate.task == "regress"
    ):
        kind = "category" if candidate.task in ("classify", "tag") else "number"
        value = {"column": name, "kind": kind, "per": per} if column.kind != "set" else {"column": name, "per": per}
    return Entry("target", value, why)


def _counts(column: Column) -> str:
    """Return how often the most frequent labels occur."""
    total = sum(column.values.values())
    return listed([f"{label} {count / total:.0%}" for label, count in column.values.most_common()], 4)


def _scale(look: Look, inputs: Sequence[Input]) -> list[Entry]:
    numeric = [found for item in inputs if (found := look.column(item.name)) is not None and found.kind == "number"]
    wide = bool(look.arrangement.wide) or look.form in ("ts", "npy", "npz")
    return [Entry("scale", "standard", "numbers to mean 0 and deviation 1")] if numeric or wide else []


def _missing(look: Look, candidate: Candidate, inputs: Sequence[Input]) -> list[Entry]:
    """Return what is done about missing values."""
    columns = [found for item in inputs if (found := look.column(item.name)) is not None and found.kind == "number"]
    holes = [column for column in columns if column.missing or column.marks]
    target = look.column(candidate.column) if candidate.column is not None else None
    if candidate.column is None and candidate.task == "forecast":
        target = next(iter(holes), None)
    marks = sorted({mark for column in [*columns, *([target] if target else [])] for mark in column.marks}, key=str)
    entries = []
    if marks:
        verb = "stands" if len(marks) == 1 else "stand"
        entries.append(Entry("values", [*MISSING, *marks], f"what is missing; {listed(marks)} {verb} among numbers"))
    if holes:
        shown = listed([f"{column.name} {column.missing}" for column in holes], 4)
        entries.append(Entry("fill", "previous", f"the value before; missing values: {shown}"))
    if target is not None and (target.missing or target.marks):
        what = counted(target.missing, "value")
        entries.append(Entry("target", "skip", f"{what} of {target.name} missing: these do not count"))
    return [Entry("missing", entries, "cells without a value")] if entries else []


def _window(look: Look, candidate: Candidate) -> int | None:
    """Return the length of the windows of a long series; None where whole sequences are read."""
    column = look.column(candidate.column) if candidate.column is not None else None
    if candidate.task == "classify" or (column is not None and column.per != "step"):
        return None
    if max(look.lengths) <= _LONG:
        return None
    return _TEXT_WINDOW if candidate.task == "language-model" else _WINDOW


def _window_entries(window: int | None, look: Look) -> list[Entry]:
    if window is None:
        return []
    longest = f"a series has {max(look.lengths):,} steps: " if look.several else f"{max(look.lengths):,} steps: "
    return [
        Entry("window", window, f"{longest}training reads {window} at a time"),
        Entry("carry_state", True, "the state flows from window to window"),
    ]


def _forecast(look: Look, candidate: Candidate, inputs: Sequence[Input]) -> list[Entry]:
    """Return the settings of a forecast of numbers."""
    column = look.column(candidate.column) if candidate.column is not None else None
    read = [found for item in inputs if (found := look.column(item.name)) is not None]
    shapes = {one.name: shape_of(one.longest[: int(0.8 * len(one.longest))]) for one in read if len(one.longest)}
    own = shapes.get(candidate.column or "", Shape())
    horizon = _horizon(look, own) if column is not None else 1
    if horizon > 1 and column is not None:
        return _several_ahead(look, column, own, horizon)
    alone = len(inputs) == 1 or column is None
    calendar = [] if alone and len(read) > 1 else _calendar(look, own)
    if alone:
        target = Entry("target", "next", "predict the step that follows")
    else:
        target = Entry("target", {"column": candidate.column, "kind": "number", "ahead": 1}, "its value one step later")
    entries = [target, *calendar]
    predicted = [one for one in read if one.name in shapes and (alone or one.name == candidate.column)]
    transforms = {one.name: steps for one in predicted if (steps := _transforms(shapes[one.name], one.low))}
    if transforms:
        listed_steps = [_transform(name, steps, shapes[name]) for name, steps in transforms.items()]
        entries.append(Entry("transform", listed_steps, "applied before training, undone in every forecast"))
    entries.append(_forecast_scale(look))
    return [*entries, *_window_entries(_window(look, candidate), look)]


def _forecast_scale(look: Look) -> Entry:
    if look.several and look.arrangement.dates:
        return Entry("scale", "series", "each series by its own mean and deviation")
    return Entry("scale", "standard", "to mean 0 and deviation 1")


def _transforms(shape: Shape, low: float) -> list[str]:
    """Return the transforms of a series with this shape and lowest value, in order."""
    steps = ["log"] if shape.grows and low > 0 else []
    steps += ["difference"] if shape.trend and shape.seasonal else []
    steps += [f"seasonal_difference({shape.season})"] if shape.trend and shape.seasonal else []
    return steps or (["difference"] if shape.trend and not shape.smooth else [])


def _transform(name: str, steps: Sequence[str], shape: Shape) -> Entry:
    reasons = {"log": "the swings grow with the level", "difference": "there is a trend"}
    return Entry(name, list(steps), "; ".join(reasons.get(step, f"and a season of {shape.season}") for step in steps))


def _horizon(look: Look, shape: Shape) -> int:
    """Return how many values are forecast at once: a day of them where days repeat themselves, else one."""
    every = look.arrangement.every
    if every is None or every <= 0 or every >= _DAY or shape.season is None:
        return 1
    day = round(_DAY / every)
    close = abs(shape.season - day) <= 0.05 * day or shape.season % day == 0
    enough = min(look.lengths) > 8 * day
    return day if close and enough and day <= _HORIZON else 1


def _several_ahead(look: Look, column: Column, shape: Shape, horizon: int) -> list[Entry]:
    window = 3 * horizon
    stride = max(1, round(look.steps / _WINDOWS))
    target = {"column": column.name, "horizon": horizon}
    each = "a forecast from every step is learned" if stride == 1 else "steps from one window to the next"
    return [
        Entry("target", target, f"the next {horizon} values at once: a day, after which it repeats itself"),
        *_calendar(look, shape),
        Entry("scale", "window", "each window by its last value and its deviation"),
        Entry("window", window, "three days before each forecast"),
        Entry("stride", stride, each),
    ]


def _calendar(look: Look, shape: Shape) -> list[Entry]:
    """Return the inputs made of dates: time of day and weekday of short steps, the place in the year."""
    every = look.arrangement.every
    if every is None or every <= 0 or every > _DAY:
        return []
    parts = ["hour"] * (every < _DAY) + ["weekday"] * (every < _DAY or shape.season in (7, 14))
    parts += ["year"] * (look.arrangement.span > 300)
    if not parts:
        return []
    return [Entry("calendar", parts, f"sine and cosine of each are inputs; a step is {_duration(every)}")]


def _duration(seconds: float) -> str:
    for unit, size in (("day", _DAY), ("hour", 3600.0), ("minute", 60.0)):
        if seconds >= size:
            return counted(round(seconds / size), unit)
    return f"{seconds:g} s"
