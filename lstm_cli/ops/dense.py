"""The dense layer, ``y = x W^T + b``, as one Op with its gradient.

Legend: I input, K outputs. Weights are (out, in).
"""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import pytensor.tensor as pt
from pytensor.gradient import disconnected_type
from pytensor.graph.basic import Apply, Variable
from pytensor.tensor.type import TensorType

from lstm_cli.kernels import dense as kernels
from lstm_cli.ops.contract import Storage, infers_shape, is_disconnected, or_zeros, output_buffer
from lstm_cli.ops.rewrites import TrimmableOp


def dense(x: Variable, W: Variable, b: Variable) -> Variable:
    """Return ``x W^T + b``.

    Parameters
    ----------
    x : (…, I)
    W : (K, I)
    b : (K,)

    Returns
    -------
    y : (…, K)
    """
    return Dense()(x, W, b)


class Dense(TrimmableOp):
    """``(x (…, I), W (K, I), b (K,)) -> y (…, K)``."""

    __props__ = ()

    def trim(self, unused: frozenset[int]) -> Self:
        """Return itself: there is one output."""
        return self

    def make_node(self, x: Variable, W: Variable, b: Variable) -> Apply:
        """Check kinds."""
        x, W, b = (pt.as_tensor_variable(v) for v in (x, W, b))
        for name, variable, dimensions in (("x", x, max(1, x.type.ndim)), ("W", W, 2), ("b", b, 1)):
            if variable.type.ndim != dimensions or variable.type.dtype not in ("float32", "float64"):
                raise TypeError(f"dense: {name}: got {variable.type}, expected floats of {dimensions} dimensions")
            if variable.type.dtype != W.type.dtype:
                raise TypeError(f"dense: {name}: got {variable.type.dtype}, expected {W.type.dtype} as W has")
        return Apply(self, [x, W, b], [TensorType(x.type.dtype, (*x.type.shape[:-1], W.type.shape[0]))()])

    @infers_shape
    def infer_shape(self, node: Apply, shapes: list[Any]) -> list[Any]:
        """Return x's shape with the last axis replaced."""
        x, W, _ = shapes
        return [(*x[:-1], W[0])]

    def perform(self, node: Apply, inputs: Sequence[np.ndarray], outputs: Storage) -> None:
        """Run the kernels."""
        x, W, b = (np.ascontiguousarray(a) for a in inputs)
        if x.shape[-1] != W.shape[1] or b.shape != W.shape[:1]:
            raise ValueError(f"dense: got x {x.shape}, W {W.shape}, b {b.shape}, expected (…, I), (K, I), (K,)")
        y = output_buffer(outputs[0], (*x.shape[:-1], len(W)), x.dtype)
        kernels.affine(x.reshape(-1, x.shape[-1]), W, b, y.reshape(-1, len(W)))

    def pullback(
        self, inputs: Sequence[Variable], outputs: Sequence[Variable], cotangents: Sequence[Variable]
    ) -> list[Variable]:
        """Return the gradient Op's outputs."""
        if is_disconnected(cotangents[0]):
            return [disconnected_type() for _ in inputs]
        gradients: list[Variable] = DenseGradient()(inputs[0], inputs[1], cotangents[0], return_list=True)
        return gradients


class DenseGradient(TrimmableOp):
    """``(x (…, I), W (K, I), dy (…, K)) -> (dx, dW, db)``; `wanted`: whether dx is computed."""

    __props__ = ("wanted",)

    def __init__(self, wanted: bool = True) -> None:
        self.wanted = wanted

    def trim(self, unused: frozenset[int]) -> Self:
        """Leave out dx where nothing reads it."""
        return type(self)(self.wanted and 0 not in unused)

    def make_node(self, x: Variable, W: Variable, dy: Variable) -> Apply:
        """Make outputs of the types of what they are the gradients of."""
        return Apply(self, [x, W, dy], [x.type(), W.type(), TensorType(W.type.dtype, W.type.shape[:1])()])

    @infers_shape
    def infer_shape(self, node: Apply, shapes: list[Any]) -> list[Any]:
        """Return the shapes of what the outputs are the gradients of."""
        return [shapes[0], shapes[1], shapes[1][:1]]

    def perform(self, node: Apply, inputs: Sequence[np.ndarray], outputs: Storage) -> None:
        """Run the kernels."""
        x, W, dy = (np.ascontiguousarray(a) for a in inputs)
        likes = [x.shape if self.wanted else (0,) * x.ndim, W.shape, W.shape[:1]]
        dx, dW, db = (output_buffer(cell, shape, W.dtype) for cell, shape in zip(outputs, likes, strict=True))
        rows = dy.reshape(-1, len(W))
        kernels.weight_gradient(x.reshape(-1, x.shape[-1]), rows, dW, db)
        if self.wanted:
            kernels.times_weights(rows, W, dx.reshape(-1, x.shape[-1]))

    def pullback(
        self, inputs: Sequence[Variable], outputs: Sequence[Variable], cotangents: Sequence[Variable]
    ) -> list[Variable]:
        """Return the second gradients, ``dx = dy W, dW = dy^T x, db = sum dy`` being linear in x, W and dy."""
        x, W, dy = inputs
        x_rows, dy_rows = x.reshape((-1, x.shape[-1])), dy.reshape((-1, dy.shape[-1]))
        gx, gW, gb = (or_zeros(g, output) for g, output in zip(cotangents, outputs, strict=True))
        gx_rows = gx.reshape((-1, x.shape[-1]))
        from_dy = pt.dot(gx_rows, W.T) + pt.dot(x_rows, gW.T) + gb
        return [pt.dot(dy_rows, gW).reshape(x.shape), pt.dot(dy_rows.T, gx_rows), from_dy.reshape(dy.shape)]
