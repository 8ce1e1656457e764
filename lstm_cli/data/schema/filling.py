"""Filling the missing numbers of inputs, sequence by sequence, with means of the training data where need be.

Legend: T steps, D numbers per step.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import cast

import numpy as np
from numpy.typing import NDArray

from lstm_cli.data.schema.layout import Column, Layout
from lstm_cli.data.schema.record import Numbers, Record
from lstm_cli.errors import DataError


def train_mean(column: Column, pieces: Iterable[Numbers]) -> Numbers:
    """Return the mean (D,) of the numbers that are not missing in pieces (T, D) of the training data.

    Raises
    ------
    DataError
        There are none.
    """
    total, count = np.zeros(column.width), np.zeros(column.width)
    for piece in pieces:
        total, count = total + np.nansum(piece, axis=0), count + (~np.isnan(piece)).sum(axis=0)
    if not count.all():
        what = f"column {column.name}: every value in train is missing, so that none can be filled"
        raise DataError(f"{what}: leave it out of data.inputs, or check data.missing.values")
    return np.asarray(total / count)


def filled_record(
    layout: Layout, means: Mapping[str, Numbers], record: Record
) -> tuple[Record, dict[str, NDArray[np.bool_]]]:
    """Return a record without missing inputs, and where they were: bool arrays (T, D) of the columns to fill.

    Known inputs of later steps continue their column: a gap at the first of them has a previous value.
    """
    inputs, future = dict(record.inputs), dict(record.future)
    gaps: dict[str, NDArray[np.bool_]] = {}
    for column in layout.filled:
        name, given = column.name, record.numbers(column.name)
        gaps[name] = np.isnan(given)
        if name in future:
            given = np.concatenate([given, cast(Numbers, future[name])])
        complete = filled(given, column.fill, means[name])
        inputs[name] = complete[: record.steps]
        if name in future:
            future[name] = complete[record.steps :]
    return (replace(record, inputs=inputs, future=future) if gaps else record), gaps


def filled(values: Numbers, method: str, mean: Numbers) -> Numbers:
    """Return values (T, D) with numbers in place of NaN.

    Parameters
    ----------
    values
    method
        ``previous``: the last value before it, ``linear``: on the line between its neighbours, beyond the first and
        the last value the nearest one, ``mean`` or ``zero``.
    mean : array (D,)
        Takes the place of what there is not: a previous value at the start, or any value in the sequence.
    """
    gaps = np.isnan(values)
    if not gaps.any():
        return values
    if method == "zero":
        return np.where(gaps, 0.0, values)
    columns = [
        _FILLS[method](column, gap, own) if gap.any() else column
        for column, gap, own in zip(values.T, gaps.T, mean, strict=True)
    ]
    return np.stack(columns, axis=1)


def _previous(values: Numbers, gaps: NDArray[np.bool_], mean: float) -> Numbers:
    last = np.maximum.accumulate(np.where(gaps, -1, np.arange(len(values))))
    return np.where(last < 0, mean, values[last])


def _linear(values: Numbers, gaps: NDArray[np.bool_], mean: float) -> Numbers:
    if gaps.all():
        return np.full(len(values), mean)
    steps, known = np.arange(len(values)), np.flatnonzero(~gaps)
    return np.where(gaps, np.interp(steps, known, values[known]), values)


def _mean(values: Numbers, gaps: NDArray[np.bool_], mean: float) -> Numbers:
    return np.where(gaps, mean, values)


_FILLS = {"previous": _previous, "linear": _linear, "mean": _mean}
