"""One vector for a whole sequence: mean, largest, or attention over its real steps.

Legend: T time, B batch, H units; ``lengths`` (B,) int64, 1 to T.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.gradient import disconnected_type
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.op import Op
from pytensor.tensor.type import TensorType

from lstm_cli.kernels import pooling as kernels
from lstm_cli.ops.contract import Storage, dense_array, infers_shape, output_buffer, task_count


def pool_mean(h: Variable, lengths: Variable) -> Variable:
    """Return the mean (B, H) of h (T, B, H) over each sequence's real steps."""
    return WeightedSum()(h, MeanWeights()(h, lengths), lengths)


def pool_max(h: Variable, lengths: Variable) -> Variable:
    """Return the largest value (B, H) of h (T, B, H) over each sequence's real steps, unit by unit."""
    return Largest()(h, lengths, return_list=True)[0]


def pool_attention(h: Variable, scores: Variable, lengths: Variable) -> Variable:
    """Return sum_t a_t h_t (B, H), a the softmax of each sequence's scores over its real steps.

    Parameters
    ----------
    h : (T, B, H)
    scores : (T, B)
    lengths : (B,) int64
    """
    return WeightedSum()(h, MaskedSoftmax()(scores, lengths), lengths)


class MeanWeights(Op):
    """``(h (T, B, H), lengths (B,)) -> weights (T, B)``: 1 / length on real steps, 0 on padding."""

    __props__ = ()

    def make_node(self, h: Variable, lengths: Variable) -> Apply:
        h, lengths = pt.as_tensor_variable(h), pt.as_tensor_variable(lengths)
        return Apply(self, [h, lengths], [TensorType(h.type.dtype, h.type.shape[:2])()])

    @infers_shape
    def infer_shape(self, node: Apply, shapes: list[Any]) -> list[Any]:
        return [shapes[0][:2]]

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        return [[False], [False]]

    def perform(self, node: Apply, inputs: Sequence[np.ndarray], outputs: Storage) -> None:
        h, lengths = inputs
        outputs[0][0] = _real_steps(h, lengths) / lengths.astype(h.dtype)

    def pullback(
        self, inputs: Sequence[Variable], outputs: Sequence[Variable], cotangents: Sequence[Variable]
    ) -> list[Variable]:
        return [disconnected_type(), disconnected_type()]


class MaskedSoftmax(Op):
    """``(scores (T, B), lengths (B,)) -> weights (T, B)``: they sum to 1 over real steps and are 0 on padding."""

    __props__ = ()

    def make_node(self, scores: Variable, lengths: Variable) -> Apply:
        scores, lengths = pt.as_tensor_variable(scores), pt.as_tensor_variable(lengths)
        return Apply(self, [scores, lengths], [scores.type()])

    @infers_shape
    def infer_shape(self, node: Apply, shapes: list[Any]) -> list[Any]:
        return [shapes[0]]

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        return [[True], [False]]

    def perform(self, node: Apply, inputs: Sequence[np.ndarray], outputs: Storage) -> None:
        scores, lengths = inputs
        masked = np.where(_real_steps(scores, lengths), scores, scores.dtype.type(-np.inf))
        weights = np.exp(masked - masked.max(0))
        outputs[0][0] = weights / weights.sum(0)

    def pullback(
        self, inputs: Sequence[Variable], outputs: Sequence[Variable], cotangents: Sequence[Variable]
    ) -> list[Variable]:
        return [MaskedSoftmaxGradient()(outputs[0], cotangents[0]), disconnected_type()]


class MaskedSoftmaxGradient(Op):
    """``(weights (T, B), dweights (T, B)) -> dscores (T, B)``."""

    __props__ = ()

    def make_node(self, weights: Variable, dweights: Variable) -> Apply:
        return Apply(self, [weights, dweights], [weights.type()])

    def perform(self, node: Apply, inputs: Sequence[np.ndarray], outputs: Storage) -> None:
        weights, dweights = inputs
        outputs[0][0] = weights * (dweights - (weights * dweights).sum(0))


class WeightedSum(Op):
    """``(h (T, B, H), weights (T, B), lengths (B,)) -> pooled (B, H)``."""

    __props__ = ()

    def make_node(self, h: Variable, weights: Variable, lengths: Variable) -> Apply:
        h, weights, lengths = (pt.as_tensor_variable(v) for v in (h, weights, lengths))
        return Apply(self, [h, weights, lengths], [TensorType(h.type.dtype, h.type.shape[1:])()])

    @infers_shape
    def infer_shape(self, node: Apply, shapes: list[Any]) -> list[Any]:
        return [shapes[0][1:]]

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        return [[True], [True], [False]]

    def perform(self, node: Apply, inputs: Sequence[np.ndarray], outputs: Storage) -> None:
        h, weights, lengths = _dense(inputs)
        pooled = output_buffer(outputs[0], h.shape[1:], h.dtype)
        kernels.weighted_sum(task_count(h.size), h, h.shape[2], weights, lengths, pooled)

    def pullback(
        self, inputs: Sequence[Variable], outputs: Sequence[Variable], cotangents: Sequence[Variable]
    ) -> list[Variable]:
        return [*WeightedSumGradient()(*inputs, cotangents[0], return_list=True), disconnected_type()]


class WeightedSumGradient(Op):
    """``(h (T, B, H), weights (T, B), lengths (B,), dpooled (B, H)) -> (dh (T, B, H), dweights (T, B))``."""

    __props__ = ()

    def make_node(self, *inputs: Variable) -> Apply:
        return Apply(self, list(inputs), [inputs[0].type(), inputs[1].type()])

    def perform(self, node: Apply, inputs: Sequence[np.ndarray], outputs: Storage) -> None:
        h, weights, lengths, dpooled = _dense(inputs)
        dh = output_buffer(outputs[0], h.shape, h.dtype)
        dweights = output_buffer(outputs[1], weights.shape, h.dtype)
        kernels.weighted_sum_gradient(task_count(h.size), h, h.shape[2], weights, lengths, dpooled, dh, dweights)


class Largest(Op):
    """``(h (T, B, H), lengths (B,)) -> (pooled (B, H), steps (B, H))``: the first step of each, for the gradient."""

    __props__ = ()

    def make_node(self, h: Variable, lengths: Variable) -> Apply:
        h, lengths = pt.as_tensor_variable(h), pt.as_tensor_variable(lengths)
        shape = h.type.shape[1:]
        return Apply(self, [h, lengths], [TensorType(h.type.dtype, shape)(), TensorType("int64", shape)()])

    @infers_shape
    def infer_shape(self, node: Apply, shapes: list[Any]) -> list[Any]:
        return [shapes[0][1:]] * 2

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        return [[True, False], [False, False]]

    def perform(self, node: Apply, inputs: Sequence[np.ndarray], outputs: Storage) -> None:
        h, lengths = _dense(inputs)
        _real_steps(h, lengths)
        pooled = output_buffer(outputs[0], h.shape[1:], h.dtype)
        steps = output_buffer(outputs[1], h.shape[1:], np.int64)
        kernels.largest(task_count(h.size), h, h.shape[2], lengths, pooled, steps)

    def pullback(
        self, inputs: Sequence[Variable], outputs: Sequence[Variable], cotangents: Sequence[Variable]
    ) -> list[Variable]:
        return [LargestGradient()(inputs[0], outputs[1], cotangents[0]), disconnected_type()]


class LargestGradient(Op):
    """``(h (T, B, H), steps (B, H), dpooled (B, H)) -> dh (T, B, H)``."""

    __props__ = ()

    def make_node(self, h: Variable, steps: Variable, dpooled: Variable) -> Apply:
        return Apply(self, [h, steps, dpooled], [h.type()])

    def perform(self, node: Apply, inputs: Sequence[np.ndarray], outputs: Storage) -> None:
        h, steps, dpooled = inputs
        outputs[0][0] = dh = np.zeros(h.shape, h.dtype)
        np.put_along_axis(dh, steps[None], dpooled[None], axis=0)


def _real_steps(array: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Return the mask (T, B) of the real steps of an array (T, B, …); kernels rely on the check."""
    steps, batch = array.shape[:2]
    if lengths.shape != (batch,) or not 1 <= lengths.min(initial=1) <= lengths.max(initial=1) <= steps:
        raise ValueError(f"pooling: expected {batch} lengths in 1 … {steps}, got {lengths}")
    return np.arange(steps)[:, None] < lengths


def _dense(arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Return the arrays as kernels take them."""
    return [dense_array(array, array.dtype) for array in arrays]
