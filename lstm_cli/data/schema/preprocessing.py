"""Preprocessing of numeric columns and its inverse: transforms, then scaling.

A chain x_0 -> x_1 -> … -> x_m takes logarithms, x_j(t) = log x_{j-1}(t), and differences,
x_j(t) = x_{j-1}(t) - x_{j-1}(t - lag). Each difference removes the first `lag` steps. Undoing a chain at step t needs
the values x_{j-1}(t - lag), which are its past.

Legend: T steps, D numbers per step, N outputs.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_cli.data.formats.raw import ValueProblem
from lstm_cli.data.schema.blocks import limits
from lstm_cli.data.schema.moments import merged
from lstm_cli.typed_json import WrongValue, built

Numbers = NDArray[np.float64]

#: A spread below this share of the values' magnitude is rounding error: the column is constant.
_ROUNDING = 1e-12


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
        """Distance in steps to the nearest past value that undoing needs; None if it needs none."""
        return min((transform.lag for transform in self.transforms if transform.lag), default=None)

    def apply(self, values: Numbers) -> Numbers:
        """Return x_m of values x_0 (T, D), shape (T - lag, D)."""
        given = len(values)
        for transform in self.transforms:
            try:
                values = _applied(transform, values)
            except ValueProblem as problem:
                step = (problem.step or 0) + given - len(values)
                raise ValueProblem(problem.what, problem.fix, step=step) from None
        return values

    def past(self, values: Numbers) -> list[Numbers]:
        """Return the values that undoing needs: x_{j-1} (T, D) for every difference j, NaN where it does not exist."""
        past = []
        for transform in self.transforms:
            if transform.lag:
                past.append(values)
                values = _padded(_applied(transform, values), transform.lag)
            else:
                values = _applied(transform, values)
        return past

    def undo(self, outputs: Numbers, past: Sequence[Numbers], steps: NDArray[np.int64]) -> Numbers:
        """Return x_0 (N, H, D) of outputs x_m (N, H, D) for H steps, of which the first is `steps` of the past (N,)."""
        values, pending = outputs, list(past)
        for transform in reversed(self.transforms):
            if transform.lag:
                values = _summed(values, pending.pop(), steps, transform.lag)
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
        """Return x_0 (D,) of an output x_m (D,) at the step after the last, and append it to the past."""
        value, pending = output, list(self._past)
        for transform in reversed(self._chain.transforms):
            if transform.lag:
                known = pending.pop()
                value = value + known[-transform.lag]
                known.append(value)
            else:
                value = _exponential(value)
        return value


def _summed(differences: Numbers, past: Numbers, steps: NDArray[np.int64], lag: int) -> Numbers:
    """Return the values (N, H, D) of differences: added to the past, or from step `lag` on to the values themselves."""
    values = differences.copy()
    for step in range(values.shape[1]):
        values[:, step] += past[steps + step - lag] if step < lag else values[:, step - lag]
    return values


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


@dataclass(frozen=True, eq=False)
class Scaling:
    """Scaled values are (value - center) / spread.

    Attributes
    ----------
    center : array (D,)
        Mean (standard) or minimum (minmax).
    spread : array (D,)
        Standard deviation (standard) or range (minmax); 1 for a constant column, which is scaled to 0.
    """

    center: Numbers
    spread: Numbers

    @classmethod
    def none(cls, width: int) -> "Scaling":
        """Return the identity scaling."""
        return cls(np.zeros(width), np.ones(width))

    @classmethod
    def fit(cls, method: str, pieces: Sequence[Numbers], width: int) -> "Scaling":
        """Fit to values given in pieces (T, D), of which NaN are left out: ``none``, ``standard`` or ``minmax``.

        An array (n, 1, D) is n pieces of one step.

        Numbers whose squares overflow float64 give a scaling that is not finite.
        """
        if method == "none":
            return cls.none(width)
        with np.errstate(over="ignore", invalid="ignore"):
            return cls._fit(method, pieces, width)

    @property
    def finite(self) -> bool:
        """Whether the scaling can be used."""
        return bool(np.isfinite(self.center).all() and np.isfinite(self.spread).all())

    @classmethod
    def _fit(cls, method: str, pieces: Sequence[Numbers], width: int) -> "Scaling":
        count, mean, squares = merged(pieces, width)
        if not count.any():
            return cls.none(width)
        low, high = limits((piece.reshape(-1, width) for piece in pieces), width)
        center, spread = (mean, np.sqrt(squares / np.maximum(count, 1))) if method == "standard" else (low, high - low)
        constant = (low == high) | (spread <= _ROUNDING * np.maximum(np.abs(low), np.abs(high)))
        return cls(np.where(constant, low, center), np.where(constant, 1.0, spread))

    @classmethod
    def join(cls, scalings: Iterable["Scaling"]) -> "Scaling":
        """Return the scaling of columns side by side."""
        parts = list(scalings)
        return cls(np.concatenate([part.center for part in parts]), np.concatenate([part.spread for part in parts]))

    @classmethod
    def stack(cls, scalings: Sequence["Scaling"]) -> "Scaling":
        """Return the scalings of n series, with arrays (n, 1, D)."""
        centers, spreads = [part.center for part in scalings], [part.spread for part in scalings]
        return cls(np.stack(centers)[:, np.newaxis], np.stack(spreads)[:, np.newaxis])

    def part(self, elements: Sequence[int] | NDArray[np.int64]) -> "Scaling":
        """Return the scaling of some of the columns, or series."""
        return Scaling(self.center[list(elements)], self.spread[list(elements)])

    def apply(self, values: Numbers) -> Numbers:
        """Return values (T, D) scaled."""
        return (values - self.center) / self.spread

    def undo(self, values: np.ndarray) -> Numbers:
        """Return scaled values (T, D) in their units, in float64."""
        return values.astype(np.float64) * self.spread + self.center

    def to_json(self) -> dict[str, list[float]]:
        """Return both as lists; Python writes floats so that they load as equal."""
        return {"center": self.center.tolist(), "spread": self.spread.tolist()}

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "Scaling":
        """Return the scaling that `to_json` described, or raise the `WrongValue` that says what is wrong."""
        stored = built(_Stored, content)
        scaling = cls(np.array(stored.center, np.float64), np.array(stored.spread, np.float64))
        if len(scaling.center) != len(scaling.spread) or not scaling.finite or not (scaling.spread > 0).all():
            raise WrongValue("expected as many finite centers as spreads above 0")
        return scaling


@dataclass(frozen=True)
class _Stored:
    """A scaling as JSON."""

    center: tuple[float, ...]
    spread: tuple[float, ...]
