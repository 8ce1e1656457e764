"""Weights of steps or sequences in the loss, from the columns of weights, starts and lengths.

Legend: T steps.
"""

from collections.abc import Sized
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_cli.data.formats.cells import Cells
from lstm_cli.data.formats.missing import MissingValues
from lstm_cli.data.formats.raw import RawSequence, ValueProblem
from lstm_cli.data.schema import values
from lstm_cli.data.schema.column_values import of_width, parsed
from lstm_cli.data.schema.layout import LossColumns
from lstm_cli.data.schema.record import Numbers
from lstm_cli.errors import DataError, counted

_WEIGHT_FIX = "give 0 to leave a step out"


def given_weight(
    loss: LossColumns, missing: MissingValues, sequence: RawSequence, steps: int, *, per_step: bool
) -> Numbers | None:
    """Return the weight of every step (T,), or of the sequence (1,); None if all are equal."""
    if not loss.names:
        return None
    weight = np.ones(steps if per_step else 1)
    if loss.weight is not None:
        weight *= _column(sequence, loss.weight, len(weight), missing, per_step=per_step)
    begin = 0 if loss.start is None else _whole(sequence, loss.start)
    end = steps if loss.length is None else begin + _whole(sequence, loss.length)
    if not 0 <= begin < end <= steps:
        what = f"the loss window {begin} to {end} (counted from 0) is not within the {counted(steps, 'step')}"
        name = loss.start or loss.length or "loss"
        raise sequence.error(name, ValueProblem(what, "correct start and length"))
    if not per_step:
        return weight if loss.weight else None
    weight[:begin] = 0
    weight[end:] = 0
    return weight


def _column(sequence: RawSequence, name: str, count: int, missing: MissingValues, *, per_step: bool) -> Numbers:
    def read(value: Any) -> Numbers:
        if per_step and isinstance(value, list | np.ndarray | Cells):
            given = values.numbers(value, textual=sequence.textual, missing=missing)
            given = _single_numbers(values.complete(given, value, what="the weight", fix=_WEIGHT_FIX))
            if len(given) != count:
                what = f"{counted(len(given), 'weight')} for {counted(count, 'step')}"
                raise ValueProblem(what, "give one per step, or one for the sequence")
        else:
            given = values.vector(value, textual=sequence.textual, missing=missing, what="the weight")
            given = _single_numbers(given)
        if (given < 0).any():
            step = int(np.flatnonzero(given < 0)[0])
            raise ValueProblem(f"the weight {given[step]:g} is negative", "give 0 to leave a step out", step=step)
        return given

    return parsed(sequence, name, read)


def _whole(sequence: RawSequence, name: str) -> int:
    def read(value: Any) -> int:
        number = float(_single_numbers(values.vector(value, textual=sequence.textual))[0])
        if not number.is_integer():
            raise ValueProblem(f"expected a whole number, got {number:g}", "count steps from 0")
        return int(number)

    return parsed(sequence, name, read)


def _single_numbers(given: Numbers) -> Numbers:
    return of_width(given, 1, "the dimension that training has")[:, 0]


def counted_values(weight: Numbers | None, count: int, ahead: int, horizon: int) -> NDArray[np.bool_]:
    """Return which values (T,) of a target column, or which one (1,), are predicted by a step whose weight is not 0.

    Parameters
    ----------
    weight : array (T,) or (1,), or None
        Of every step, or of the sequence.
    count
        Values of the column: T, or 1.
    ahead, horizon
        How many steps after a step the first of its targets is, and how many there are.
    """
    if weight is None:
        return np.ones(count, np.bool_)
    counts = np.zeros(count, np.bool_)
    for distance in range(ahead, min(ahead + horizon, count)):
        counts[distance:] |= weight[: count - distance] > 0
    return counts


def counted_cells(
    loss: LossColumns, missing: MissingValues, sequence: RawSequence, cells: Any, ahead: int, horizon: int
) -> Any:
    """Return the cells of a target per step that count; all if that cannot be said, or if there is one per sequence."""
    if not loss.names or not isinstance(cells, Sized) or isinstance(cells, str):
        return cells
    try:
        weight = given_weight(loss, missing, sequence, len(cells), per_step=True)
    except DataError:  # reported when the sequence is parsed
        return cells
    return values.taken(cells, np.flatnonzero(counted_values(weight, len(cells), ahead, horizon)))
