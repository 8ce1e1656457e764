"""Scaling of numbers, fitted on training data.

Legend: T steps, D numbers per step.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

#: A spread below this share of the values' size is rounding: the column is constant.
_ROUNDING = 1e-12


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
        """Return the scaling that changes nothing."""
        return cls(np.zeros(width), np.ones(width))

    @classmethod
    def fit(cls, method: str, pieces: Iterable[Numbers], width: int) -> "Scaling":
        """Fit to values given in pieces (T, D): ``none``, ``standard`` or ``minmax``.

        Numbers whose squares are beyond float64 give a scaling that is not finite.
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
    def _fit(cls, method: str, pieces: Iterable[Numbers], width: int) -> "Scaling":
        count, mean, squares = 0, np.zeros(width), np.zeros(width)
        low, high = np.full(width, np.inf), np.full(width, -np.inf)
        for values in pieces:
            if not len(values):
                continue
            # Means and squares are merged piece by piece (Chan, Golub and LeVeque 1983).
            own, total = values.mean(axis=0), count + len(values)
            gap = own - mean
            squares += np.square(values - own).sum(axis=0) + np.square(gap) * (count * len(values) / total)
            mean, count = mean + gap * (len(values) / total), total
            low, high = np.minimum(low, values.min(axis=0)), np.maximum(high, values.max(axis=0))
        if not count:
            return cls.none(width)
        center, spread = (mean, np.sqrt(squares / count)) if method == "standard" else (low, high - low)
        constant = (low == high) | (spread <= _ROUNDING * np.maximum(np.abs(low), np.abs(high)))
        return cls(np.where(constant, low, center), np.where(constant, 1.0, spread))

    @classmethod
    def join(cls, scalings: Iterable["Scaling"]) -> "Scaling":
        """Return the scaling of columns side by side."""
        parts = list(scalings)
        return cls(np.concatenate([part.center for part in parts]), np.concatenate([part.spread for part in parts]))

    def part(self, elements: Sequence[int]) -> "Scaling":
        """Return the scaling of some of the columns."""
        return Scaling(self.center[list(elements)], self.spread[list(elements)])

    def apply(self, values: Numbers) -> Numbers:
        """Return values (T, D) scaled."""
        return (values - self.center) / self.spread

    def undo(self, values: np.ndarray) -> Numbers:
        """Return scaled values (T, D) in their units, in float64."""
        return values.astype(np.float64) * self.spread + self.center

    def to_json(self) -> dict[str, list[float]]:
        """Return both as lists; Python writes floats so that they read back equal."""
        return {"center": self.center.tolist(), "spread": self.spread.tolist()}

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "Scaling":
        """Return what `to_json` described."""
        return cls(np.array(content["center"], np.float64), np.array(content["spread"], np.float64))
