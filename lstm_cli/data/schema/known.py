"""Inputs whose values at the steps to be predicted are known, after the end of the data too.

Legend: T steps of a sequence, F steps after them, W numbers of the known inputs at a step, H steps predicted at once.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lstm_cli.data.formats.raw import ValueProblem, problem_at
from lstm_cli.data.schema.grid import calendar_features, following
from lstm_cli.data.schema.layout import Column, Layout
from lstm_cli.data.schema.preprocessing import Scaling
from lstm_cli.data.schema.record import Numbers, Record
from lstm_cli.errors import are, counted


def continued_by_calendar(layout: Layout, record: Record, steps: int) -> Record:
    """Return a record with its regular continuation, if its known inputs are all of the time; else the record."""
    if record.times is None or len(record.times) < 2:
        return record
    times = following(record.times, steps)
    if not layout.known:
        return replace(record, future_times=times)
    parts = {column.name: calendar_features(times, column.calendar) for column in layout.known if column.calendar}
    complete = len(parts) == len(layout.known)
    return replace(record, future=parts if complete else {}, future_times=times)


def predicted_steps(layout: Layout, record: Record, kept: int, *, labelled: bool) -> int:
    """Return how many of the `kept` steps have all known inputs of the steps that they predict.

    Raises
    ------
    DataError
        None has, so that there would be no output at all.
    """
    reach = layout.target.reach
    given = record.steps - layout.lag + record.future_steps - reach
    if not layout.known or given >= kept or (labelled and given <= 0):
        return kept
    if given <= 0:
        ahead = f"as {layout.known[0].name} is known {counted(reach, 'step')} ahead"
        what = f"{counted(record.steps, 'step')} {are(record.steps)} too few, {ahead}"
        fix = "give more steps, or later values with --future"
        raise problem_at(record.where, layout.known[0].name, ValueProblem(what, fix))
    return given


def ahead_of(
    layout: Layout, record: Record, scaling: Mapping[str, Scaling], precision: str
) -> NDArray[np.floating] | None:
    """Return the known inputs (T + F, H * W) of the steps that each step predicts, 0 where they are not given."""
    if not layout.known:
        return None
    steps = record.steps - layout.lag + record.future_steps
    own = np.concatenate(
        [scaling[column.name].apply(extended(column, record, steps)) for column in layout.known], axis=1
    )
    ahead, horizon = layout.target.ahead, layout.target.horizon
    later = np.concatenate([own[ahead:], np.zeros((layout.target.reach, own.shape[1]))])
    pieces = [later[step : step + steps] for step in range(horizon)]
    return np.concatenate(pieces, axis=1).astype(precision)


def extended(column: Column, record: Record, steps: int) -> Numbers:
    """Return the transformed numbers of an input at the last `steps` steps, with those after the end of the data.

    Where later values are not known, the last one is repeated.
    """
    values = record.numbers(column.name)
    if column.name in record.future:
        values = np.concatenate([values, record.future[column.name][: record.future_steps]])
    elif record.future_steps:
        values = np.concatenate([values, np.repeat(values[-1:], record.future_steps, axis=0)])
    transformed = column.chain.apply(values)
    return transformed[len(transformed) - steps :]
