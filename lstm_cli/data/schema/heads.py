"""What the network's outputs are of the values of a target: the values themselves, their quantiles, or a Gaussian.

Legend: N positions, V values of a target, C curves, K = C * V outputs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import NormalDist

import numpy as np

from lstm_cli.config.train import LossSpec

#: The share of values that the interval of a Gaussian is to hold.
GAUSSIAN_LEVEL = 0.9
_STANDARD = NormalDist()


@dataclass(frozen=True)
class Head:
    """How outputs (N, K) are arranged: C curves of the V values, those of the first curve before those of the second.

    Each curve is a quantile in the units of the target, so that what undoes scaling and transforms of the values serves
    for all. A Gaussian has its mean, and the mean plus one deviation.

    Attributes
    ----------
    levels
        The probability of each curve, in ascending order; empty: the values themselves.
    gaussian
        The curves are those of a Gaussian.
    """

    levels: tuple[float, ...] = ()
    gaussian: bool = False

    @property
    def curves(self) -> int:
        """C."""
        return max(1, len(self.levels))

    @cached_property
    def middle(self) -> int:
        """The number of the curve that is the prediction: the median, and the mean of a Gaussian."""
        return self.levels.index(0.5) if self.levels else 0

    @property
    def names(self) -> dict[str, int]:
        """The names of the quantiles beside the median, such as ``p10``, and the numbers of their curves."""
        if self.gaussian:
            return {}
        return {f"p{100 * level:.6g}": k for k, level in enumerate(self.levels) if k != self.middle}

    @property
    def level(self) -> float | None:
        """The share of values that the widest interval is to hold; None without one."""
        if self.gaussian:
            return GAUSSIAN_LEVEL
        return round(self.levels[-1] - self.levels[0], 12) if len(self.levels) > 1 else None

    def outputs(self, values: int) -> int:
        """Return K, the number of outputs for V values."""
        return self.curves * values

    def split(self, outputs: np.ndarray) -> np.ndarray:
        """Return outputs (N, K) as curves (C, N, V)."""
        rows, outputs_each = outputs.shape
        return outputs.reshape(rows, self.curves, outputs_each // self.curves).swapaxes(0, 1)

    def point(self, outputs: np.ndarray) -> np.ndarray:
        """Return the predicted values (N, V) of outputs (N, K)."""
        return self.split(outputs)[self.middle] if self.levels else outputs

    def interval(self, curves: Sequence[np.ndarray] | np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
        """Return the bounds of the widest interval of curves (C, …), each of their shape; None without one."""
        if self.gaussian:
            reach = _STANDARD.inv_cdf((1 + GAUSSIAN_LEVEL) / 2) * (curves[1] - curves[0])
            return curves[0] - reach, curves[0] + reach
        return (curves[0], curves[-1]) if len(self.levels) > 1 else None


#: The values themselves, or a score of each label.
VALUES = Head()
GAUSSIAN = Head((0.5, _STANDARD.cdf(1.0)), gaussian=True)


def head_of(kind: str, loss: LossSpec) -> Head:
    """Return the head of a kind of target with the section `loss` of the config."""
    if kind != "number":
        return VALUES
    if loss.distribution == "gaussian":
        return GAUSSIAN
    return VALUES if loss.quantiles is None else Head(loss.quantiles)
