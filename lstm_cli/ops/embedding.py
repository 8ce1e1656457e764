"""Rows of a table by their numbers: embeddings. Legend: T time, B batch, V rows, E columns."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.gradient import disconnected_type
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.op import Op
from pytensor.tensor.type import TensorType

from lstm_cli.kernels.embedding import scatter_add
from lstm_cli.ops.contract import Storage, dense_array, infers_shape, output_buffer, task_count


def embedding(table: Variable, ids: Variable) -> Variable:
    """Return the rows of a table, ``table[ids]``.

    Parameters
    ----------
    table : (V, E)
    ids : (…) of integers in 0 … V - 1, mostly (T, B)

    Returns
    -------
    rows : (…, E)
    """
    return Take()(table, ids)


class Take(Op):
    """``(table (…, E), ids (…)) -> rows (…, E)``; ids number the rows over all leading axes of the table."""

    __props__ = ()

    def make_node(self, table: Variable, ids: Variable) -> Apply:
        table, ids = pt.as_tensor_variable(table), pt.as_tensor_variable(ids)
        if table.type.ndim < 2 or "int" not in ids.type.dtype:
            raise TypeError(f"Take: expected rows of numbers and integers, got {table.type} and {ids.type}")
        rows = TensorType(table.type.dtype, (*ids.type.shape, table.type.shape[-1]))
        return Apply(self, [table, ids], [rows()])

    @infers_shape
    def infer_shape(self, node: Apply, shapes: list[Any]) -> list[Any]:
        return [(*shapes[1], shapes[0][-1])]

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        return [[True], [False]]

    def perform(self, node: Apply, inputs: Sequence[np.ndarray], outputs: Storage) -> None:
        table, ids = inputs
        table = table.reshape(-1, table.shape[-1])
        if ids.size and not 0 <= ids.min() <= ids.max() < len(table):
            raise IndexError(f"rows must lie in 0 … {len(table) - 1}, got {ids.min()} … {ids.max()}")
        rows = output_buffer(outputs[0], (*ids.shape, table.shape[1]), table.dtype)
        np.take(table, ids, axis=0, out=rows, mode="clip")  # the other modes copy once more

    def pullback(
        self, inputs: Sequence[Variable], outputs: Sequence[Variable], cotangents: Sequence[Variable]
    ) -> list[Variable]:
        return [TakeGradient()(*inputs, cotangents[0]), disconnected_type()]


class TakeGradient(Op):
    """``(table (…, E), ids (…), drows (…, E)) -> dtable (…, E)``: a row used often collects every gradient."""

    __props__ = ()

    def make_node(self, table: Variable, ids: Variable, drows: Variable) -> Apply:
        return Apply(self, [table, ids, drows], [table.type()])

    @infers_shape
    def infer_shape(self, node: Apply, shapes: list[Any]) -> list[Any]:
        return [shapes[0]]

    def perform(self, node: Apply, inputs: Sequence[np.ndarray], outputs: Storage) -> None:
        table, ids, drows = inputs
        dtable = output_buffer(outputs[0], table.shape, table.dtype)
        dtable.fill(0)
        source = dense_array(drows, table.dtype)
        scatter_add(task_count(source.size), source, dense_array(ids, np.int64), dtable, table.shape[-1])
