"""Transforms of numeric columns before scaling, and how they are undone.

A chain x_0 -> x_1 -> … -> x_m takes logarithms, x_j(t) = log x_{j-1}(t), and differences,
x_j(t) = x_{j-1}(t) - x_{j-1}(t - lag). Each difference costs the first `lag` steps. To undo a chain at step t, the
values x_{j-1}(t - lag) have to be known: the chain keeps them as its past.

Legend: T steps, D numbers per step, N outputs.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lstm_cli.data.formats.raw import ValueProblem

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Transform:
    """One link of a chain: a logarithm (lag 0) or the difference from `lag` steps before."""

    name: str
    lag: int = 0


@dataclass(frozen=True)
class Chain:
    """The transforms of one column, in the order in which they are applied."""

    transforms: tuple[Transform, ...] = ()

    @property
    def lag(self) -> int:
        """How many steps at the start have no value after all differences."""
        return sum(transform.lag for transform in self.transforms)

    @property
    def shortest_lag(self) -> int | None:
        """The nearest past value that undoing needs, in steps; None if it needs none."""
        return min((transform.lag for transform in self.transforms if transform.lag), default=None)

    def apply(self, values: Numbers) -> Numbers:
        """Return x_m of values x_0 (T, D), shape (T - lag, D)."""
        given = len(values)
        for transform in self.transforms:
            try:
                values = _applied(transform, values)
            except ValueProblem as problem:
                raise ValueProblem(problem.what, problem.fix, step=problem.step + given - len(values)) from None
        return values

    def past(self, values: Numbers) -> list[Numbers]:
        """Return what undoing looks up: x_{j-1} (T, D) for every difference j, NaN where it does not exist."""
        past = []
        for transform in self.transforms:
            if transform.lag:
                past.append(values)
                values = _padded(_applied(transform, values), transform.lag)
            else:
                values = _applied(transform, values)
        return past

    def undo(self, outputs: Numbers, past: Sequence[Numbers], steps: NDArray[np.int64]) -> Numbers:
        """Return x_0 (N, D) of outputs x_m (N, D), each at its step of the past (N,)."""
        values, pending = outputs, list(past)
        for transform in reversed(self.transforms):
            if transform.lag:
                values = values + pending.pop()[steps - transform.lag]
            else:
                values = _exponential(values)
        return values


class Trail:
    """The past of one sequence's column, growing as forecasts are appended.

    Parameters
    ----------
    chain
        The column's transforms.
    values
        Original values (T, D).
    """

    def __init__(self, chain: Chain, values: Numbers) -> None:
        self._chain = chain
        self._past = [list(values) for values in chain.past(values)]

    def append(self, output: Numbers) -> Numbers:
        """Return x_0 (D,) of an output x_m (D,) at the step after the last, and take it as known from now on."""
        value, pending = output, list(self._past)
        for transform in reversed(self._chain.transforms):
            if transform.lag:
                known = pending.pop()
                value = value + known[-transform.lag]
                known.append(value)
            else:
                value = _exponential(value)
        return value


def _applied(transform: Transform, values: Numbers) -> Numbers:
    if transform.lag:
        return values[transform.lag :] - values[: -transform.lag]
    missing = np.isnan(values)
    if not (values[~missing] > 0).all():
        step = int(np.flatnonzero(~(missing | (values > 0)).all(axis=1))[0])
        what = f"log of {values[step].min():g}"
        raise ValueProblem(what, "use it for positive numbers only, or leave it out of data.transform", step=step)
    return np.log(values)


def _padded(values: Numbers, lag: int) -> Numbers:
    return np.concatenate([np.full((lag, *values.shape[1:]), np.nan), values])


def _exponential(values: Numbers) -> Numbers:
    with np.errstate(over="ignore"):
        return np.exp(values)
