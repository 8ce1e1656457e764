"""Outputs that say how far the truth may be from a prediction, and their losses, as Ops.

Outputs (N, K) are C curves of V values, those of the first curve before those of the second. Legend: N rows, V values,
C curves, K = C * V.
"""

import math
from collections.abc import Sequence

import numpy as np
from pytensor.gradient import disconnected_type
from pytensor.graph.basic import Apply, Variable

from lstm_cli.ops.contract import Storage, infers_shape
from lstm_cli.ops.inplace import InplaceOp
from lstm_cli.ops.losses import WeightedLoss, weighted_sum

_HALF_LOG_TAU = 0.5 * math.log(2 * math.pi)


def ordered(x: Variable, *, curves: int, middle: int, floor: float = 0.0) -> Variable:
    """Return curves (N, K) of which none crosses another, of numbers (N, K) that may be any.

    With m the middle curve, q_m = x_m, above it q_{k+1} = q_k + f + softplus(x_{k+1}), and below it
    q_{k-1} = q_k - f - softplus(x_{k-1}); softplus(x) = log(1 + exp(x)), f the floor.

    Parameters
    ----------
    x : (N, C * V)
    curves, middle : int
        C, and the number of the middle one.
    floor : float
        The least distance between neighbours.
    """
    return Ordered(curves, middle, floor)(x)


def pinball_loss(
    output: Variable, target: Variable, weight: Variable, *, levels: Sequence[float]
) -> tuple[Variable, Variable]:
    """Return the loss and the loss of every row: the mean over curves and values of p u where u >= 0, else (p - 1) u.

    u = y - q, for a truth y, the quantile q and its level p (Koenker and Bassett 1978, Econometrica 46): in expectation
    it is least where y is below q with probability p.

    Parameters
    ----------
    output : (N, C * V)
    target : (N, V)
    weight : (N,)
    levels : sequence of C numbers
    """
    loss, losses = Pinball(tuple(levels))(output, target, weight, return_list=True)
    return loss, losses


def gaussian_loss(output: Variable, target: Variable, weight: Variable) -> tuple[Variable, Variable]:
    """Return the loss and the loss of every row: the mean over values of the negative log-likelihood of a Gaussian.

    log s + (y - m)² / (2 s²) + log(2 pi) / 2, for a truth y, the mean m and the deviation s (Nix and Weigend 1994,
    Estimating the mean and variance of the target probability distribution).

    Parameters
    ----------
    output : (N, 2 * V)
        The means, and the means plus their deviations.
    target : (N, V)
    weight : (N,)
    """
    loss, losses = Gaussian()(output, target, weight, return_list=True)
    return loss, losses


def _split(x: np.ndarray, curves: int) -> np.ndarray:
    """Return x (N, C * V) as (N, C, V), a view."""
    return x.reshape(len(x), curves, x.shape[1] // curves)


class Ordered(InplaceOp):
    """``x (N, C * V) -> curves (N, C * V)``."""

    __props__ = ("curves", "middle", "floor", "inplace")

    def __init__(self, curves: int, middle: int, floor: float) -> None:
        self.curves, self.middle, self.floor = curves, middle, float(floor)

    def make_node(self, x: Variable) -> Apply:
        return Apply(self, [x], [x.type()])

    @infers_shape
    def infer_shape(self, node: Apply, shapes: list[tuple[Variable, ...]]) -> list[tuple[Variable, ...]]:
        return [shapes[0]]

    def perform(self, node: Apply, inputs: Sequence[np.ndarray], outputs: Storage) -> None:
        outputs[0][0] = x = self.writable(inputs[0])
        parts, m = _split(x, self.curves), self.middle
        floor = x.dtype.type(self.floor)
        for k in range(m + 1, self.curves):
            parts[:, k] = parts[:, k - 1] + (floor + np.logaddexp(0, parts[:, k], dtype=x.dtype))
        for k in range(m - 1, -1, -1):
            parts[:, k] = parts[:, k + 1] - (floor + np.logaddexp(0, parts[:, k], dtype=x.dtype))

    def pullback(
        self, inputs: Sequence[Variable], outputs: Sequence[Variable], cotangents: Sequence[Variable]
    ) -> list[Variable]:
        return [OrderedGradient(self.curves, self.middle)(inputs[0], cotangents[0])]


class OrderedGradient(InplaceOp):
    """``(x (N, C * V), dcurves (N, C * V)) -> dx (N, C * V)``."""

    __props__ = ("curves", "middle", "inplace")

    def __init__(self, curves: int, middle: int) -> None:
        self.curves, self.middle = curves, middle

    def make_node(self, x: Variable, gradient: Variable) -> Apply:
        return Apply(self, [x, gradient], [x.type()])

    def perform(self, node: Apply, inputs: Sequence[np.ndarray], outputs: Storage) -> None:
        gradient, m = _split(inputs[1], self.curves), self.middle
        outputs[0][0] = x = self.writable(inputs[0])
        parts = _split(x, self.curves)
        slopes = np.exp(-np.logaddexp(0, -parts, dtype=x.dtype))
        parts[:, m] = gradient.sum(axis=1)
        for k in range(m + 1, self.curves):
            parts[:, k] = slopes[:, k] * gradient[:, k:].sum(axis=1)
        for k in range(m):
            parts[:, k] = -slopes[:, k] * gradient[:, : k + 1].sum(axis=1)


class _SpreadLoss(WeightedLoss):
    """``(output (N, C * V), target (N, V), weight (N,)) -> (loss, losses (N,))``."""

    curves: int

    def check(self, output: np.ndarray, target: np.ndarray, weight: np.ndarray) -> None:
        """Refuse arrays whose shapes do not fit each other."""
        rows, values = target.shape
        if output.shape != (rows, self.curves * values) or weight.shape != (rows,):
            what = f"{self.curves} curves of {target.shape} and weights {(rows,)}"
            raise ValueError(f"{type(self).__name__}: expected {what}, got {output.shape} and {weight.shape}")


class Pinball(_SpreadLoss):
    """``(output (N, C * V), target (N, V), weight (N,)) -> (loss, losses (N,))``."""

    __props__ = ("levels",)

    def __init__(self, levels: tuple[float, ...]) -> None:
        self.levels, self.curves = levels, len(levels)

    def perform(self, node: Apply, inputs: Sequence[np.ndarray], outputs: Storage) -> None:
        output, target, weight = inputs
        self.check(output, target, weight)
        u = target[:, np.newaxis] - _split(output, self.curves)
        p = np.array(self.levels, output.dtype)[:, np.newaxis]
        losses = np.maximum(p * u, (p - 1) * u).mean(axis=(1, 2), dtype=output.dtype)
        outputs[0][0], outputs[1][0] = weighted_sum(weight, losses), losses

    def pullback(
        self, inputs: Sequence[Variable], outputs: Sequence[Variable], cotangents: Sequence[Variable]
    ) -> list[Variable]:
        return [PinballGradient(self.levels)(*inputs, cotangents[0]), disconnected_type(), disconnected_type()]


class PinballGradient(InplaceOp):
    """``(output (N, C * V), target (N, V), weight (N,), dloss) -> doutput (N, C * V)``; 0 where u is 0."""

    __props__ = ("levels", "inplace")

    def __init__(self, levels: tuple[float, ...]) -> None:
        self.levels = levels

    def make_node(self, *inputs: Variable) -> Apply:
        return Apply(self, list(inputs), [inputs[0].type()])

    def perform(self, node: Apply, inputs: Sequence[np.ndarray], outputs: Storage) -> None:
        output, target, weight, dloss = inputs
        outputs[0][0] = x = self.writable(output)
        parts = _split(x, len(self.levels))
        p = np.array(self.levels, x.dtype)[:, np.newaxis]
        u = target[:, np.newaxis] - parts
        scale = (weight * dloss / x.dtype.type(max(1, parts[:1].size)))[:, np.newaxis, np.newaxis]
        parts[...] = np.where(u > 0, -p, np.where(u < 0, 1 - p, u)) * scale  # u itself where it is 0 or not a number


class Gaussian(_SpreadLoss):
    """``(output (N, 2 * V), target (N, V), weight (N,)) -> (loss, losses (N,))``."""

    __props__ = ()
    curves = 2

    def perform(self, node: Apply, inputs: Sequence[np.ndarray], outputs: Storage) -> None:
        output, target, weight = inputs
        self.check(output, target, weight)
        mean, deviation = _mean_and_deviation(output)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            nats = np.log(deviation) + np.square((target - mean) / deviation) / 2 + output.dtype.type(_HALF_LOG_TAU)
        losses = nats.mean(axis=1, dtype=output.dtype)
        outputs[0][0], outputs[1][0] = weighted_sum(weight, losses), losses

    def pullback(
        self, inputs: Sequence[Variable], outputs: Sequence[Variable], cotangents: Sequence[Variable]
    ) -> list[Variable]:
        return [GaussianGradient()(*inputs, cotangents[0]), disconnected_type(), disconnected_type()]


class GaussianGradient(InplaceOp):
    """``(output (N, 2 * V), target (N, V), weight (N,), dloss) -> doutput (N, 2 * V)``."""

    __props__ = ("inplace",)

    def make_node(self, *inputs: Variable) -> Apply:
        return Apply(self, list(inputs), [inputs[0].type()])

    def perform(self, node: Apply, inputs: Sequence[np.ndarray], outputs: Storage) -> None:
        output, target, weight, dloss = inputs
        outputs[0][0] = x = self.writable(output)
        parts = _split(x, 2)
        mean, deviation = _mean_and_deviation(x)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            z = (target - mean) / deviation
            scale = (weight * dloss / x.dtype.type(max(1, target.shape[1])))[:, np.newaxis] / deviation
            # The mean is in both curves, and the deviation is their difference.
            by_deviation = scale * (1 - np.square(z))
            parts[:, 0], parts[:, 1] = -scale * z - by_deviation, by_deviation


def _mean_and_deviation(output: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    parts = _split(output, 2)
    return parts[:, 0].copy(), parts[:, 1] - parts[:, 0]
