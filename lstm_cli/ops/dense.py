"""The dense layer, ``y = x W^T + b``, as one Op with its gradient.

Legend: I input, K outputs. Weights are (out, in).
"""

from collections.abc import Sequence

import numpy as np
import pytensor.tensor as pt
from pytensor.graph.basic import Apply, Variable
from pytensor.tensor.type import TensorType

from lstm_cli.ops.contract import Storage
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

    def trim(self, unused: frozenset[int]) -> "Dense":
        return self

    def make_node(self, x: Variable, W: Variable, b: Variable) -> Apply:
        x, W, b = (pt.as_tensor_variable(v) for v in (x, W, b))
        return Apply(self, [x, W, b], [TensorType(x.type.dtype, (*x.type.shape[:-1], W.type.shape[0]))()])

    def infer_shape(self, fgraph: object, node: Apply, shapes: list) -> list:
        x, W, _ = shapes
        return [(*x[:-1], W[0])]

    def perform(self, node: Apply, inputs: Sequence[np.ndarray], outputs: Storage) -> None:
        x, W, b = inputs
        outputs[0][0] = x @ W.T + b

    def pullback(
        self, inputs: Sequence[Variable], outputs: Sequence[Variable], cotangents: Sequence[Variable]
    ) -> list[Variable]:
        return DenseGradient()(inputs[0], inputs[1], cotangents[0], return_list=True)


class DenseGradient(TrimmableOp):
    """``(x (…, I), W (K, I), dy (…, K)) -> (dx, dW, db)``."""

    __props__ = ()

    def trim(self, unused: frozenset[int]) -> "DenseGradient":
        return self

    def make_node(self, x: Variable, W: Variable, dy: Variable) -> Apply:
        bias = TensorType(W.type.dtype, (W.type.shape[0],))
        return Apply(self, [x, W, dy], [x.type(), W.type(), bias()])

    def perform(self, node: Apply, inputs: Sequence[np.ndarray], outputs: Storage) -> None:
        x, W, dy = inputs
        rows = dy.reshape(-1, dy.shape[-1])
        outputs[0][0] = dy @ W
        outputs[1][0] = rows.T @ x.reshape(-1, x.shape[-1])
        outputs[2][0] = rows.sum(0)
