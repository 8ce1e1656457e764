"""Closed loops as data: rows of starts and goals around a system, and which steps of a batch count.

A row gives the start, the observed states that the network sees before the loop closes, and the goal, one for all
steps of the loop or one for each. As arrays it is a sequence like others: the start, then steps that the loop fills.

Legend: T steps, W observed ones, S steps of the loop, T = W + S - 1, D numbers of the state, K of the goal, B batch.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from lstm_cli.config.config import Config
from lstm_cli.data.batch import Batch
from lstm_cli.data.formats.raw import RawSequence, ValueProblem
from lstm_cli.data.schema import values
from lstm_cli.data.schema.columns import Column, TargetColumn
from lstm_cli.data.schema.record import Record

if TYPE_CHECKING:
    from lstm_cli.data.schema.layout import Layout

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class SystemLoop:
    """How rows of a loop around a system are read; the first input is the state, further ones it leaves alone.

    Attributes
    ----------
    steps
        S.
    warmup
        How many of the last observed states are fed; None: all.
    elements
        Which elements of the state the goal is for.
    """

    steps: int
    warmup: int | None
    elements: tuple[int, ...]


@dataclass(frozen=True)
class Counted:
    """Which steps of a closed loop count, and how much.

    Attributes
    ----------
    warmup
        Observed steps of every sequence, unless the sequences themselves say how many.
    at
        ``every``, ``last``, or the weight of each step of the loop.
    """

    warmup: int
    at: Literal["every", "last"] | tuple[float, ...]

    def __call__(self, batch: Batch, *, normalize: Literal["step", "sequence"]) -> Batch:
        """Return a batch whose rows are the steps that count, and which knows how many steps are observed."""
        observed = np.full(len(batch.lengths), self.warmup) if batch.observed is None else batch.observed
        time, columns = batch.counted_times, batch.counted_sequences
        turn = time - (observed[columns] - 1)  # the step of the loop, from 0
        weight = batch.weight * self._weights(turn, last=time == batch.lengths[columns] - 1)
        kept = weight > 0
        rows, weight = batch.counted[kept], weight[kept]
        total = weight.sum(dtype=np.float64) if normalize == "step" else len(np.unique(columns[kept]))
        target = None if batch.target is None else batch.target[kept]
        return replace(
            batch,
            counted=rows,
            weight=weight,
            target=target,
            loss_divisor=float(total),
            observed=observed.astype(np.int64),
        )

    def _weights(self, turn: NDArray[np.int64], *, last: NDArray[np.bool_]) -> Numbers:
        if self.at == "every":
            return (turn >= 0).astype(np.float64)
        if self.at == "last":
            return ((turn >= 0) & last).astype(np.float64)
        weights = np.array([*self.at, 0], np.float64)
        return np.where(turn >= 0, weights[np.clip(turn, 0, len(self.at))], 0.0)


def counted_steps(config: Config) -> Counted | None:
    """Return which steps of a closed loop count; None where there is none."""
    loop = config.rollout
    return None if loop is None else Counted(loop.warmup or 1, loop.loss_at)


def infer_loop(config: Config, rows: Sequence[RawSequence]) -> tuple[tuple[Column, ...], TargetColumn, SystemLoop]:
    """Return the columns of a loop around a system: all of them numbers, as wide as in most rows."""
    state, *others = config.data.inputs
    goal, loop = config.data.target.column, config.rollout
    inputs = tuple(Column(name, name, "number", _width(rows, name)) for name in (state, *others))
    size, width = inputs[0].width, _width(rows, goal)
    elements = tuple(range(size)) if loop.loss_on is None else loop.loss_on
    if max(elements) >= size:
        what = f"there is no element {max(elements)} in a state of {size} numbers ({state})"
        raise config.error("rollout.loss_on", f"{what}: count from 0 to {size - 1}")
    if width != len(elements):
        what = f"{len(elements)} elements of the state are compared, but {goal} has {width} numbers"
        raise config.error("rollout.loss_on", f"{what}: list as many elements, in the order of {goal}")
    answer = TargetColumn(goal, "number", "step", width=width)
    return inputs, answer, SystemLoop(loop.steps, loop.warmup, elements)


def _width(rows: Sequence[RawSequence], name: str) -> int:
    """Return how many numbers most rows have."""
    widths: Counter[int] = Counter()
    for row in rows:
        try:
            widths[_table(row, name).shape[1]] += 1
        except ValueProblem:
            continue  # the row is refused, or skipped, when it is parsed
    return widths.most_common(1)[0][0] if widths else 1


def _table(row: RawSequence, name: str) -> Numbers:
    """Return a flat list as one step (1, D), a list of lists as several (T, D)."""
    value = row.columns.get(name)
    if value is None and name in row.columns:
        raise ValueProblem("the value is null", "fill it in or remove the sequence")
    if value is None:
        raise ValueProblem("the column is missing", "add it")
    nested = (isinstance(value, list) and value and isinstance(value[0], list)) or getattr(value, "ndim", 1) == 2
    return values.numbers(value, textual=False) if nested else values.vector(value, textual=False)


def parse_loop(layout: "Layout", row: RawSequence, *, labelled: bool) -> Record:
    """Return the typed values of a row, or raise the `DataError` that says what is wrong with it."""
    loop, (state, *others) = layout.loop, layout.inputs
    start = _column(row, state.name, state.width)
    if loop.warmup is not None and len(start) < loop.warmup:
        problem = ValueProblem(
            f"{len(start)} observed states, but rollout.warmup is {loop.warmup}", "give that many, or lower it"
        )
        raise row.error(state.name, problem)
    start = start if loop.warmup is None else start[-loop.warmup :]
    goal = _column(row, layout.answer.column, layout.answer.width, most=loop.steps) if labelled else None
    turns = len(goal) if goal is not None and len(goal) > 1 else loop.steps
    steps, observed = len(start) + turns - 1, len(start)
    inputs = {state.name: np.concatenate([start, np.zeros((turns - 1, state.width))])}
    for column in others:
        inputs[column.name] = _spread(_column(row, column.name, column.width, most=None), turns, observed)
    answer = None if goal is None else _spread(goal, turns, observed)
    weight = layout.weight(row, steps) if labelled else None
    return Record(row.id, row.where, steps, inputs, answer, weight, observed=observed)


def _column(row: RawSequence, name: str, width: int, *, most: int | None = None) -> Numbers:
    try:
        found = _table(row, name)
        if found.shape[1] != width:
            what = f"expected {width} number{'s' * (width != 1)}, got {found.shape[1]}"
            raise ValueProblem(what, "give every sequence as many as most of them have")
        if most is not None and len(found) > most:
            raise ValueProblem(
                f"{len(found)} steps, but rollout.steps is {most}", "give at most that many, or raise it"
            )
    except ValueProblem as problem:
        raise row.error(name, problem) from None
    return found


def _spread(given: Numbers, turns: int, observed: int) -> Numbers:
    """Return values for all steps: one for all, or one for each step of the loop, whose first the start sees too."""
    places = np.clip(np.arange(observed + turns - 1) - (observed - 1), 0, len(given) - 1)
    return given[places]
