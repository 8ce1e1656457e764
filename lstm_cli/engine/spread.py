"""The metrics of outputs that say how far the truth may be: pinball loss, likelihood, and coverage of intervals.

Legend: N counted positions, D numbers at each, C curves of each number.
"""

import math
from collections.abc import Sequence
from typing import Any, Literal, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from lstm_cli.data.schema.heads import Head

Array = NDArray[Any]


class Points(Protocol):
    """The metrics of the predictions alone."""

    @property
    def names(self) -> tuple[str, ...]:
        """The metrics in the result."""

    def update(self, values: Array, truth: Array) -> None:
        """Add predictions and truth (N, D)."""

    def merge(self, other: Any) -> None:
        """Add the positions of another accumulator of the same task."""

    def result(self) -> dict[str, float]:
        """Return the metrics of all positions so far."""


class Spread:
    """The metrics of predictions, and those of the curves around them, in the units of the truth.

    Of quantiles: ``pinball``, the mean over curves of their pinball losses (`lstm_cli.ops.spread`), and ``coverage``,
    the share of the truth between the lowest and the highest. Of a Gaussian: ``nll``, the mean negative log-likelihood
    in nats, and ``coverage`` of its central interval of 90 %. All of them are of each column where there are
    several, and likelihood and coverage, which compare, over all numbers too.

    Parameters
    ----------
    points : Points
        Accumulates the predictions.
    head : Head
    columns
        The column that each of the D numbers is a value of.
    """

    consumes: Literal["outputs"] = "outputs"

    def __init__(self, points: Points, head: Head, columns: Sequence[str]) -> None:
        self._points, self._head, self._columns = points, head, np.array(columns)
        self._count = 0
        self._sums = {name: np.zeros(len(columns)) for name in self._own}

    @property
    def _own(self) -> tuple[str, ...]:
        loss = "nll" if self._head.gaussian else "pinball"
        return (loss,) if self._head.level is None else (loss, "coverage")

    @property
    def _several(self) -> bool:
        return len(set(self._columns.tolist())) > 1

    @property
    def names(self) -> tuple[str, ...]:
        """The metrics in the result, the most informative first."""
        own = [name for name in self._own if not self._several or name != "pinball"]
        each = [f"{name}.{column}" for column in dict.fromkeys(self._columns.tolist()) for name in self._own]
        return (*self._points.names, *own, *(each if self._several else ()))

    def update(self, values: Array, truth: Array) -> None:
        """Add positions: the curves (C, N, D) and the truth (N, D)."""
        self._points.update(values[self._head.middle], truth)
        self._count += len(truth)
        for name, found in of_positions(self._head, values, truth).items():
            self._sums[name] += found.sum(axis=0)

    def merge(self, other: Self) -> None:
        """Add the positions of another accumulator of the same task."""
        self._points.merge(other._points)
        self._count += other._count
        for name, sums in other._sums.items():
            self._sums[name] += sums

    def result(self) -> dict[str, float]:
        """Return the metrics of all positions so far; none where there were none."""
        if not self._count:
            return {}
        means = {name: sums / self._count for name, sums in self._sums.items()}
        overall = {name: float(mean.mean()) for name, mean in means.items() if not self._several or name != "pinball"}
        found = self._points.result() | overall
        for column in dict.fromkeys(self._columns.tolist()) if self._several else ():
            found |= {f"{name}.{column}": float(mean[self._columns == column].mean()) for name, mean in means.items()}
        return found


def of_positions(head: Head, curves: Array, truth: Array) -> dict[str, Array]:
    """Return what the metrics are means of, for each number (N, D): by the names of the metrics."""
    interval = head.interval(curves)
    inside = {} if interval is None else {"coverage": (interval[0] <= truth) & (truth <= interval[1])}
    if head.gaussian:
        deviation = curves[1] - curves[0]
        with np.errstate(all="ignore"):
            nats = np.log(deviation) + np.square((truth - curves[0]) / deviation) / 2 + 0.5 * math.log(2 * math.pi)
        return {"nll": nats, **inside}
    levels = np.array(head.levels)[:, np.newaxis, np.newaxis]
    error = truth - curves
    return {"pinball": np.maximum(levels * error, (levels - 1) * error).mean(axis=0), **inside}
