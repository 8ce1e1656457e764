"""The steps of a padded batch that reach the output layer. Legend: T time, B batch, H units, N rows."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.gradient import disconnected_type
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.op import Op
from pytensor.tensor.type import TensorType

from lstm_cli.kernels.rows import pick, spread
from lstm_cli.ops.contract import Storage, dense_array, infers_shape, output_buffer, task_count


def gather(h: Variable, rows: Variable) -> Variable:
    """Return the steps of h that count; the gradient of all others is 0.

    Parameters
    ----------
    h : (T, B, H)
    rows : (N,) int64
        Flat positions t * B + b, ascending.

    Returns
    -------
    steps : (N, H)

    Raises
    ------
    IndexError
        A position is not in h, or they do not ascend.
    """
    return Gather()(h, rows)


class Gather(Op):
    """``(h (T, B, H), rows (N,)) -> steps (N, H)``."""

    __props__ = ()

    def make_node(self, h: Variable, rows: Variable) -> Apply:
        h, rows = pt.as_tensor_variable(h), pt.as_tensor_variable(rows)
        if h.type.ndim != 3 or (rows.type.ndim, rows.type.dtype) != (1, "int64"):
            raise TypeError(f"gather: expected h of 3 dimensions and a vector of int64, got {h.type} and {rows.type}")
        steps = TensorType(h.type.dtype, (rows.type.shape[0], h.type.shape[2]))
        return Apply(self, [h, rows], [steps()])

    @infers_shape
    def infer_shape(self, node: Apply, shapes: list[Any]) -> list[Any]:
        return [(shapes[1][0], shapes[0][2])]

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        return [[True], [False]]

    def perform(self, node: Apply, inputs: Sequence[np.ndarray], outputs: Storage) -> None:
        h, rows = (dense_array(array, array.dtype) for array in inputs)
        places = h.shape[0] * h.shape[1]
        if len(rows) and not (0 <= rows[0] and rows[-1] < places and (rows[1:] > rows[:-1]).all()):
            raise IndexError(f"gather: rows must ascend in 0 … {places - 1}, got {rows[0]} … {rows[-1]}")
        steps = output_buffer(outputs[0], (len(rows), h.shape[2]), h.dtype)
        pick(task_count(steps.size), h, rows, steps, h.shape[2])

    def pullback(
        self, inputs: Sequence[Variable], outputs: Sequence[Variable], cotangents: Sequence[Variable]
    ) -> list[Variable]:
        return [GatherGradient()(*inputs, cotangents[0]), disconnected_type()]


class GatherGradient(Op):
    """``(h (T, B, H), rows (N,), dsteps (N, H)) -> dh (T, B, H)``; of h only the shape is read."""

    __props__ = ()

    def make_node(self, h: Variable, rows: Variable, dsteps: Variable) -> Apply:
        return Apply(self, [h, rows, dsteps], [h.type()])

    @infers_shape
    def infer_shape(self, node: Apply, shapes: list[Any]) -> list[Any]:
        return [shapes[0]]

    def perform(self, node: Apply, inputs: Sequence[np.ndarray], outputs: Storage) -> None:
        h, rows, dsteps = inputs
        dh = output_buffer(outputs[0], h.shape, h.dtype)
        spread(task_count(dh.size), dense_array(dsteps, h.dtype), dense_array(rows, np.int64), dh, h.shape[2])
