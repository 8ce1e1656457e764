"""Losses of rows of outputs as Ops: the weighted sum, and the loss of every single row for metrics.

Each loss is ``sum_n weight_n * loss_n`` over N rows; the weights come normalised. Gradients are written over the
outputs where nothing else reads these. Legend: N rows, K classes or labels, D numbers.
"""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import pytensor.tensor as pt
from pytensor.gradient import disconnected_type
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.op import Op
from pytensor.tensor.type import TensorType

from lstm_cli.kernels import losses as kernels
from lstm_cli.ops.contract import Storage, dense_array, infers_shape, task_count
from lstm_cli.ops.inplace import InplaceOp

DISTANCES = {"squared": kernels.SQUARED, "absolute": kernels.ABSOLUTE, "huber": kernels.HUBER}


def softmax_cross_entropy(
    logits: Variable, target: Variable, weight: Variable, *, label_smoothing: float = 0.0
) -> tuple[Variable, Variable]:
    """Return the loss and the negative log-likelihood of every row.

    nll_n = log sum_k exp(x_nk) - x_nt, t the target. With the smoothing s (Szegedy et al. 2016) the loss of a row is
    (1 - s) nll_n - s mean_k log softmax(x_n)_k, as in PyTorch.

    Parameters
    ----------
    logits : (N, K)
    target : (N,) int64
        Class of each row; -1: unknown, its loss and gradient are 0.
    weight : (N,)
    label_smoothing : float

    Returns
    -------
    loss : scalar
    nll : (N,)
        Without smoothing. No gradient flows through it.
    """
    loss, nll, _ = SoftmaxCrossEntropy(label_smoothing)(logits, target, weight, return_list=True)
    return loss, nll


def sigmoid_cross_entropy(logits: Variable, target: Variable, weight: Variable) -> tuple[Variable, Variable]:
    """Return the loss and the negative log-likelihood of every row, summed over labels.

    nll_n = sum_k log(1 + exp(x_nk)) - x_nk y_nk.

    Parameters
    ----------
    logits, target : (N, K)
        Target: 1 where the label is set, else 0; of the logits' dtype.
    weight : (N,)

    Returns
    -------
    loss : scalar
    nll : (N,)
        No gradient flows through it.
    """
    loss, nll = SigmoidCrossEntropy()(logits, target, weight, return_list=True)
    return loss, nll


def regression_loss(
    output: Variable, target: Variable, weight: Variable, *, distance: str = "squared", delta: float = 1.0
) -> tuple[Variable, Variable]:
    """Return the loss and the loss of every row: the mean over its D numbers of the distance to the target.

    squared: d²; absolute: |d|; huber: d² / 2 where |d| <= delta, else delta (|d| - delta / 2).

    Parameters
    ----------
    output, target : (N, D)
    weight : (N,)
    distance : squared, absolute or huber
    delta : float
        Where huber turns from squared to absolute.

    Returns
    -------
    loss : scalar
    losses : (N,)
        No gradient flows through it.
    """
    loss, losses = Regression(distance, delta)(output, target, weight, return_list=True)
    return loss, losses


class WeightedLoss(Op):
    """``(output (N, K), target, weight (N,)) -> (loss, loss of each row (N,), …)``."""

    extra_rows: ClassVar[int] = 0  # further outputs (N,) that the gradient reads

    def make_node(self, output: Variable, target: Variable, weight: Variable) -> Apply:
        output, target, weight = (pt.as_tensor_variable(v) for v in (output, target, weight))
        dtype = output.type.dtype
        wanted = self.target_type(dtype)
        types = [(2, dtype), (wanted.ndim, wanted.dtype), (1, dtype)]
        for what, variable, (ndim, kind) in zip(
            ("outputs", "targets", "weights"), (output, target, weight), types, strict=True
        ):
            if variable.type.ndim != ndim or variable.type.dtype != kind:
                raise TypeError(f"{type(self).__name__}: {what} must be {kind} with {ndim} axes, got {variable.type}")
        row = TensorType(dtype, (output.type.shape[0],))
        rows = [row() for _ in range(1 + self.extra_rows)]
        return Apply(self, [output, target, weight], [pt.scalar(dtype=dtype), *rows])

    def target_type(self, dtype: str) -> TensorType:
        return TensorType(dtype, (None, None))

    @infers_shape
    def infer_shape(self, node: Apply, shapes: list[Any]) -> list[Any]:
        return [(), *[(shapes[0][0],)] * (len(node.outputs) - 1)]

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        nothing = [False] * len(node.outputs)
        return [[True, *nothing[1:]], nothing, nothing]


def _check_rows(name: str, output: np.ndarray, target: np.ndarray, weight: np.ndarray) -> None:
    """Kernels check no bounds."""
    wanted = output.shape[: target.ndim]
    if target.shape != wanted or weight.shape != wanted[:1]:
        raise ValueError(
            f"{name}: outputs {output.shape} need targets {wanted} and weights {wanted[:1]}, "
            f"got {target.shape} and {weight.shape}"
        )


def weighted_sum(weight: np.ndarray, losses: np.ndarray) -> np.ndarray:
    """Sum in float64, in the order of the rows: the same whatever the number of threads."""
    return np.asarray(np.multiply(weight, losses, dtype=np.float64).sum(), losses.dtype)


class SoftmaxCrossEntropy(WeightedLoss):
    """``(logits (N, K), target (N,), weight (N,)) -> (loss, nll (N,), log_sum (N,))``; the last for the gradient."""

    __props__ = ("label_smoothing",)
    extra_rows = 1

    def __init__(self, label_smoothing: float = 0.0) -> None:
        self.label_smoothing = float(label_smoothing)

    def target_type(self, dtype: str) -> TensorType:
        return TensorType("int64", (None,))

    def perform(self, node: Apply, inputs: Sequence[np.ndarray], outputs: Storage) -> None:
        logits, target, weight = inputs
        _check_rows("softmax cross-entropy", logits, target, weight)
        rows, classes = logits.shape
        if rows and not -1 <= target.min() <= target.max() < classes:
            raise IndexError(
                f"softmax cross-entropy: classes must lie in -1 … {classes - 1}, got {target.min()} … {target.max()}"
            )
        losses, nll, log_sum = (np.empty(rows, logits.dtype) for _ in range(3))
        k = np.array([self.label_smoothing], logits.dtype)
        logits, target = dense_array(logits, logits.dtype), dense_array(target, np.int64)
        kernels.softmax_losses(task_count(logits.size), logits, classes, target, k, losses, nll, log_sum)
        outputs[0][0], outputs[1][0], outputs[2][0] = weighted_sum(weight, losses), nll, log_sum

    def pullback(
        self, inputs: Sequence[Variable], outputs: Sequence[Variable], cotangents: Sequence[Variable]
    ) -> list[Variable]:
        gradient = SoftmaxGradient(self.label_smoothing)(*inputs, outputs[2], cotangents[0])
        return [gradient, disconnected_type(), disconnected_type()]


class SoftmaxGradient(InplaceOp):
    """``(logits (N, K), target (N,), weight (N,), log_sum (N,), dloss) -> dlogits (N, K)``."""

    __props__ = ("label_smoothing", "inplace")

    def __init__(self, label_smoothing: float = 0.0) -> None:
        self.label_smoothing = float(label_smoothing)

    def make_node(self, *inputs: Variable) -> Apply:
        return Apply(self, list(inputs), [inputs[0].type()])

    def perform(self, node: Apply, inputs: Sequence[np.ndarray], outputs: Storage) -> None:
        logits, target, weight, log_sum, dloss = inputs
        outputs[0][0] = x = self.writable(logits)
        classes, s = x.shape[1], self.label_smoothing
        k = np.array([s / classes, 1 - s], x.dtype)
        target = dense_array(target, np.int64)
        kernels.softmax_gradient(task_count(x.size), x, classes, target, log_sum, weight * dloss, k)


class SigmoidCrossEntropy(WeightedLoss):
    """``(logits (N, K), target (N, K), weight (N,)) -> (loss, nll (N,))``."""

    __props__ = ()

    def perform(self, node: Apply, inputs: Sequence[np.ndarray], outputs: Storage) -> None:
        logits, target, weight = inputs
        _check_rows("sigmoid cross-entropy", logits, target, weight)
        nll = np.empty(len(logits), logits.dtype)
        logits, target = dense_array(logits, logits.dtype), dense_array(target, logits.dtype)
        kernels.sigmoid_losses(task_count(logits.size), logits, logits.shape[1], target, nll)
        outputs[0][0], outputs[1][0] = weighted_sum(weight, nll), nll

    def pullback(
        self, inputs: Sequence[Variable], outputs: Sequence[Variable], cotangents: Sequence[Variable]
    ) -> list[Variable]:
        return [SigmoidGradient()(*inputs, cotangents[0]), disconnected_type(), disconnected_type()]


class SigmoidGradient(InplaceOp):
    """``(logits (N, K), target (N, K), weight (N,), dloss) -> dlogits (N, K)``."""

    __props__ = ("inplace",)

    def make_node(self, *inputs: Variable) -> Apply:
        return Apply(self, list(inputs), [inputs[0].type()])

    def perform(self, node: Apply, inputs: Sequence[np.ndarray], outputs: Storage) -> None:
        logits, target, weight, dloss = inputs
        outputs[0][0] = x = self.writable(logits)
        target = dense_array(target, x.dtype)
        kernels.sigmoid_gradient(task_count(x.size), x, x.shape[1], target, weight * dloss)


class Regression(WeightedLoss):
    """``(output (N, D), target (N, D), weight (N,)) -> (loss, losses (N,))``."""

    __props__ = ("distance", "delta")

    def __init__(self, distance: str, delta: float = 1.0) -> None:
        if distance not in DISTANCES:
            raise ValueError(f"distance: got {distance!r}, expected one of {', '.join(DISTANCES)}")
        self.distance, self.delta = distance, float(delta)

    def perform(self, node: Apply, inputs: Sequence[np.ndarray], outputs: Storage) -> None:
        output, target, weight = inputs
        _check_rows("regression loss", output, target, weight)
        losses, k = np.empty(len(output), output.dtype), np.array([self.delta], output.dtype)
        output, target = dense_array(output, output.dtype), dense_array(target, output.dtype)
        distance = DISTANCES[self.distance]
        kernels.regression_losses(task_count(output.size), output, output.shape[1], target, distance, k, losses)
        outputs[0][0], outputs[1][0] = weighted_sum(weight, losses), losses

    def pullback(
        self, inputs: Sequence[Variable], outputs: Sequence[Variable], cotangents: Sequence[Variable]
    ) -> list[Variable]:
        gradient = RegressionGradient(self.distance, self.delta)(*inputs, cotangents[0])
        return [gradient, disconnected_type(), disconnected_type()]


class RegressionGradient(InplaceOp):
    """``(output (N, D), target (N, D), weight (N,), dloss) -> doutput (N, D)``."""

    __props__ = ("distance", "delta", "inplace")

    def __init__(self, distance: str, delta: float) -> None:
        self.distance, self.delta = distance, delta

    def make_node(self, *inputs: Variable) -> Apply:
        return Apply(self, list(inputs), [inputs[0].type()])

    def perform(self, node: Apply, inputs: Sequence[np.ndarray], outputs: Storage) -> None:
        output, target, weight, dloss = inputs
        outputs[0][0] = x = self.writable(output)
        target, k = dense_array(target, x.dtype), np.array([self.delta], x.dtype)
        distance = DISTANCES[self.distance]
        kernels.regression_gradient(task_count(x.size), x, x.shape[1], target, distance, k, weight * dloss)
