"""From a raw sequence to typed values, by the layout: a `Record`, or the `DataError` that says what is wrong.

In a closed loop around a system a sequence gives the start, that is the observed states before the loop closes, and
the target, one for all steps of the closed loop or one for each. Its record is like any other: the start, then steps
that the closed loop fills.

Legend: T steps, D numbers per step; in a closed loop W observed states, S steps, T = W + S - 1.
"""

from dataclasses import replace
from typing import Any

import numpy as np

from lstm_cli.data.formats.bunch import Bunch
from lstm_cli.data.formats.missing import MissingValues
from lstm_cli.data.formats.raw import RawSequence, ValueProblem
from lstm_cli.data.formats.text import BOUNDARY
from lstm_cli.data.schema import symbols, values
from lstm_cli.data.schema.column_values import of_width, parsed, transformable
from lstm_cli.data.schema.grid import calendar_features
from lstm_cli.data.schema.layout import ClosedLoopLayout, Column, Layout, TargetColumn
from lstm_cli.data.schema.record import Numbers, Record, Values
from lstm_cli.data.schema.target_parsing import parse_parts, parse_target
from lstm_cli.data.schema.times import TimeForm, Times, ordered, parse_times
from lstm_cli.data.schema.weights import given_weight
from lstm_cli.errors import DataError, are, counted

_FIX = "fill it in, or say how with data.missing.fill"


def parse(layout: Layout, sequence: RawSequence, *, labelled: bool, whole: bool = True) -> Record:
    """Return the typed values of a sequence, or raise the `DataError` that says what is wrong with it.

    Parameters
    ----------
    layout
        The columns that the sequence must have.
    sequence
        As a reader yields it.
    labelled
        Whether it must have a target.
    whole
        Whether it must have more steps than transforms remove; otherwise it may be a piece of a sequence.
    """
    if layout.time is not None:
        sequence, times, moved = in_time(layout.time, layout.time_form, sequence)
        record = _parse_open(layout, sequence, times, labelled=labelled)
        record.times, record.moved = times, moved
    elif layout.closed_loop is None:
        record = _parse_open(layout, sequence, None, labelled=labelled)
    else:
        record = _parse_closed_loop(layout, layout.closed_loop, sequence, labelled=labelled)
    if whole and record.steps <= layout.lag:
        fix = f"data.transform removes {layout.lag} of them; give more, or transform less"
        what = f"{counted(record.steps, 'step')} {are(record.steps)} too few"
        raise sequence.error(layout.first.name, ValueProblem(what, fix))
    record.places = sequence.places
    if labelled:
        missing, per_step = layout.missing_values, layout.target.per == "step"
        record.weight = given_weight(layout.loss, missing, sequence, record.steps, per_step=per_step)
        if layout.closed_loop is None:
            if layout.parts:
                record.parts, record.known = parse_parts(layout, sequence, record)
            else:
                record.target, record.known = parse_target(layout, sequence, record)
    return record


def in_time(column: str, form: TimeForm, sequence: RawSequence) -> tuple[RawSequence, Times, int]:
    """Return a sequence in the order of its times, the times, and how many steps were out of order."""
    times = parsed(sequence, column, lambda value: parse_times(value, form))
    return parsed(sequence, column, lambda _: ordered(sequence, times))


def _parse_open(layout: Layout, sequence: RawSequence, times: Times | None, *, labelled: bool) -> Record:
    first = layout.first.name
    inputs: dict[str, Values] = {}
    for column in layout.inputs:
        if column.calendar is not None and times is not None:
            inputs[column.name] = calendar_features(times, column.calendar)
        else:
            inputs[column.name] = _input(layout, sequence, column, labelled=labelled)
    steps = len(inputs[first])
    if times is not None and len(times) != steps:
        problem = ValueProblem(
            f"{counted(len(times), 'time')} for {counted(steps, 'step')} of {first}", "give one per step"
        )
        raise sequence.error(layout.time or "", problem)
    for column in layout.inputs:
        given = inputs[column.name]
        if column.static:
            inputs[column.name] = _repeated(given, steps)
        elif len(given) != steps:
            fix = "make them equally long"
            if isinstance(sequence.columns.get(column.source), str):
                fix += ", or set static: true if it is one value for the sequence"
            raise sequence.error(
                column.name, ValueProblem(f"{counted(len(given), 'step')}, but {first} has {steps}", fix)
            )
    bunch = sequence.bunch
    if bunch is not None and steps > int(bunch.lengths.sum()):  # with the boundaries of lines
        bunch = replace(bunch, lengths=bunch.lengths + (steps - int(bunch.lengths.sum())) // len(bunch))
    return Record(sequence.id, sequence.where, steps, inputs, bunch=bunch)


def parse_bunch(layout: Layout, sequence: RawSequence) -> Record | None:
    """Return the typed values of a bunch with its targets; None if its sequences have to be parsed one by one.

    Where something is wrong with one of them, that tells which, and what.
    """
    bunch, target = sequence.bunch, layout.target
    steps = sequence.columns.keys() - (frozenset() if bunch is None else bunch.whole)
    parts = layout.parts or (target,)
    if bunch is None or not {column.source for column in layout.inputs} <= steps or any(part.hot for part in parts):
        return None
    single = bool((bunch.lengths == 1).all())
    other = any((part.per == "step") != (part.name in steps) for part in parts)
    if not target.is_next and other and not (single and sequence.textual):
        return None
    try:
        record = parse(layout, sequence, labelled=True)
    except DataError:
        return None
    return None if target.is_next and (record.lengths <= target.reach).any() else record


def _repeated(given: Values, steps: int) -> Values:
    """Return the one value of a static column for every step."""
    return np.repeat(given, steps, axis=0) if isinstance(given, np.ndarray) else given * steps


def _parse_closed_loop(layout: Layout, loop: ClosedLoopLayout, sequence: RawSequence, *, labelled: bool) -> Record:
    state, *others = layout.inputs
    start = _table(sequence, state)
    if loop.warmup is not None and len(start) < loop.warmup:
        what = f"{len(start)} observed states, but rollout.warmup is {loop.warmup}"
        raise sequence.error(state.name, ValueProblem(what, "give that many, or lower it"))
    start = start if loop.warmup is None else start[-loop.warmup :]
    target = _table(sequence, layout.target, most=loop.steps) if labelled else None
    turns = len(target) if target is not None and len(target) > 1 else loop.steps
    steps, observed = len(start) + turns - 1, len(start)
    inputs: dict[str, Values] = {state.name: np.concatenate([start, np.zeros((turns - 1, state.width))])}
    for column in others:
        inputs[column.name] = _spread(_table(sequence, column), turns, observed)
    target = None if target is None else _spread(target, turns, observed)
    return Record(sequence.id, sequence.where, steps, inputs, target, observed=observed)


def _input(layout: Layout, sequence: RawSequence, column: Column, *, labelled: bool) -> Values:
    missing = layout.missing_values

    def read(value: Any) -> Values:
        if column.static:
            one = values.single(value, textual=sequence.textual, otherwise="static: false")
            return _static(one, column, missing, textual=sequence.textual)
        match column.kind:
            case "tokens":
                if isinstance(value, str) and column.text is False:
                    what = f"expected a list with one token per step, as in training, got the string {value!r:.40}"
                    raise ValueProblem(what, "write a list of tokens")
                tokens = symbols.tokens(value, unit=column.unit or layout.unit)
                bounded = layout.format == "text" and layout.lines
                return _bounded(tokens, sequence.bunch, labelled=labelled) if bounded else tokens
            case "set":
                return symbols.sets(value, textual=sequence.textual, separator=column.separator)
            case "number":
                return _numbers(value, column, missing, textual=sequence.textual)

    if column.static and column.kind == "number":
        if column.fill != "stop" and sequence.columns.get(column.source, missing) is None:
            return np.full((1, column.width), np.nan)
        return parsed(sequence, column.source, read, fix=_FIX)
    return parsed(sequence, column.source, read)


def _numbers(value: Any, column: Column, missing: MissingValues, *, textual: bool) -> Numbers:
    """Return numbers (T, D), NaN where they are missing and will be filled."""
    given = values.numbers(value, textual=textual, missing=missing)
    if column.fill == "stop":
        given = values.complete(given, value, fix=_FIX)
    return transformable(given, column)


def _static(value: Any, column: Column, missing: MissingValues, *, textual: bool) -> Values:
    """Return the one value of a static column as a single step."""
    match column.kind:
        case "tokens":
            return symbols.tokens([value], unit="char")
        case "set":
            return [symbols.elements(value, textual=textual, separator=column.separator)]
        case "number":
            vector = value if isinstance(value, list | np.ndarray) else [value]
            return _numbers([vector], column, missing, textual=textual)


def _bounded(tokens: list[str], bunch: Bunch | None, *, labelled: bool) -> list[str]:
    """Put the boundary before a line, so that its first token is predicted too, and after it as its end symbol."""
    if bunch is not None:
        ends = bunch.starts + bunch.lengths
        places = np.stack([bunch.starts, ends], axis=1).ravel()
        found: list[str] = np.insert(np.array(tokens, np.object_), places, BOUNDARY).tolist()
        return found
    return [BOUNDARY, *tokens, BOUNDARY] if labelled else [BOUNDARY, *tokens]


def _table(sequence: RawSequence, column: Column | TargetColumn, *, most: int | None = None) -> Numbers:
    """Return numbers of a closed loop (T, D): a flat list is one step, a list of lists up to `most` steps."""

    def read(value: Any) -> Numbers:
        found = of_width(values.table(value), column.width, "the dimension that most have")
        if most is not None and len(found) > most:
            what = f"{counted(len(found), 'step')}, but rollout.steps is {most}"
            raise ValueProblem(what, "give at most that many, or raise it")
        return found

    return parsed(sequence, column.name, read)


def _spread(given: Numbers, turns: int, observed: int) -> Numbers:
    """Return values for all steps: the same, or one for each step of the closed loop, the first for the start too."""
    places = np.clip(np.arange(observed + turns - 1) - (observed - 1), 0, len(given) - 1)
    return given[places]
