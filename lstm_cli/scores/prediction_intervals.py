"""Intervals around forecasts, and how often the truth lies in them.

Two kinds of bounds can be judged here: those of `Intervals`, which adds the quantiles of earlier errors to a forecast,
and those of a model that predicts quantiles itself. `coverage` takes the bounds of either.

Legend: N forecasts, H steps ahead, D numbers at each step.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_cli.data.schema.heads import Head
from lstm_cli.scores.horizons import Forecasts
from lstm_cli.scores.positions import Positions
from lstm_cli.typed_json import WrongValue, built, plain

Numbers = NDArray[np.float64]

LEVEL = 0.8  # share of the values that an interval is to hold
LEAST_ERRORS = 9  # below, the 10 % and 90 % quantiles would lie outside the errors that there are


@dataclass(frozen=True, eq=False)
class Bounds:
    """The lower and upper bounds (N, H, D) of forecasts, and the share of values that is to lie between them."""

    low: Numbers
    high: Numbers
    level: float


def bounds_of(positions: Positions) -> Bounds | None:
    """Return the bounds that a model predicts itself, the widest ones; None where it predicts none."""
    target, curves = positions.dataset.schema.target, positions.curves
    if curves is None:
        return None
    return bounds_in(target.head, np.stack([target.by_step(curve) for curve in curves.swapaxes(0, 1)]))


def bounds_in(head: Head, curves: Numbers) -> Bounds | None:
    """Return the widest bounds in the curves (C, N, H, D) of a head; None where it has none."""
    found = head.interval(curves) if len(curves) > 1 else None
    return None if found is None or head.level is None else Bounds(*found, head.level)


@dataclass(frozen=True, eq=False)
class Intervals:
    """Quantiles of errors, by steps ahead, of forecasts whose truth is known.

    Attributes
    ----------
    level
        The share of values that an interval is to hold.
    low, high : float64 arrays (H, D)
        What is added to a forecast; NaN at a step with fewer than `LEAST_ERRORS` errors.
    """

    level: float
    low: Numbers
    high: Numbers

    @classmethod
    def fit(cls, forecasts: Forecasts, level: float = LEVEL) -> "Intervals":
        """Return the intervals from the errors of forecasts, such as those on the validation data.

        The quantile p of n errors is the p (n + 1)-th smallest: a later error, if it is like these, is below it with
        probability p, however few they are.

        References
        ----------
        R. Hyndman, Y. Fan (1996). Sample quantiles in statistical packages. The American Statistician 50, type 6.
        V. Vovk, A. Gammerman, G. Shafer (2005). Algorithmic learning in a random world.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            errors = forecasts.truth - forecasts.predicted
        usable = np.isfinite(errors)
        shape = errors.shape[1:]
        low, high = np.full(shape, np.nan), np.full(shape, np.nan)
        tails = ((1 - level) / 2, (1 + level) / 2)
        for place in np.ndindex(shape):
            own = errors[(slice(None), *place)][usable[(slice(None), *place)]]
            if len(own) >= LEAST_ERRORS:
                low[place], high[place] = np.quantile(own, tails, method="weibull")
        return cls(level, low, high)

    @property
    def steps(self) -> int:
        """H."""
        return len(self.low)

    def around(self, predicted: Numbers) -> tuple[Numbers, Numbers]:
        """Return the lower and upper bounds of forecasts (N, H', D) of at most H steps."""
        steps = predicted.shape[1]
        return predicted + self.low[:steps], predicted + self.high[:steps]

    def to_json(self) -> dict[str, Any]:
        """Return the intervals as plain values, None for a step without an interval."""
        return {"level": self.level, "low": plain(self.low.tolist()), "high": plain(self.high.tolist())}

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "Intervals":
        """Return the intervals that `to_json` described, or raise the `WrongValue` that says what is wrong."""
        stored = built(_Stored, content)
        widths = {len(row) for row in (*stored.low, *stored.high)}
        if not 0 < stored.level < 1 or len(widths) != 1 or len(stored.low) != len(stored.high):
            raise WrongValue("expected a level between 0 and 1, and as many rows of low as of high")
        return cls(stored.level, np.array(stored.low, np.float64), np.array(stored.high, np.float64))


@dataclass(frozen=True)
class _Stored:
    """Intervals as JSON."""

    level: float
    low: tuple[tuple[float | None, ...], ...]
    high: tuple[tuple[float | None, ...], ...]


def coverage(truth: Numbers, low: Numbers, high: Numbers) -> dict[str, Any]:
    """Return how often bounds (N, H, D) hold the truth, and how wide they are.

    Returns
    -------
    figures
        ``coverage`` and ``width`` over all numbers that have a truth and bounds, and both at each step ahead under
        ``horizons``; empty if there is no such number.
    """
    counted = np.isfinite(truth) & np.isfinite(low) & np.isfinite(high)
    if not counted.any():
        return {}
    with np.errstate(invalid="ignore", over="ignore"):
        inside, width = counted & (low <= truth) & (truth <= high), np.where(counted, high - low, 0)
        by_step = {
            name: (values.sum(axis=(0, 2)) / counted.sum(axis=(0, 2))).tolist()
            for name, values in (("coverage", inside), ("width", width))
        }
    total = int(counted.sum())
    return {"coverage": int(inside.sum()) / total, "width": float(width.sum()) / total, "horizons": by_step}


def interval_of(positions: Positions) -> dict[str, Any]:
    """Return what the intervals that a model predicts are worth: their ``level``, and the figures of `coverage`."""
    bounds = bounds_of(positions)
    if bounds is None:
        return {}
    found = coverage(positions.dataset.schema.target.by_step(positions.truth), bounds.low, bounds.high)
    return {"level": bounds.level, **found} if found else {}
