"""Many arrays in one vector: parameters as views of it, their gradients joined into it."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.op import Op
from pytensor.tensor.type import TensorType

from lstm_cli.kernels.flat import add_to, copy_to
from lstm_cli.ops.contract import Storage, dense_array, infers_shape, or_zeros, task_count
from lstm_cli.ops.inplace import InplaceOp

Shape = tuple[int, ...]


def unflatten(flat: Variable, shapes: Sequence[Shape]) -> list[Variable]:
    """Return views of a vector, one after the other, in these shapes.

    Parameters
    ----------
    flat : (P,)
    shapes : sequence of tuple of int
        Their sizes add up to P.
    """
    views: list[Variable] = Unflatten(tuple(tuple(shape) for shape in shapes))(flat, return_list=True)
    return views


def flatten(parts: Sequence[Variable]) -> Variable:
    """Return the parts' numbers one after the other in a new vector."""
    return Flatten()(*parts)


def flatten_into(
    total: Variable, parts: Sequence[Variable], *, add: bool = False, starts: Sequence[int] | None = None
) -> Variable:
    """Return the vector `total` with the parts' numbers in place of its own, or added to them.

    As the update of a shared vector it writes into that vector's memory: ``{total: flatten_into(total, parts)}``.

    Parameters
    ----------
    total : (P,)
    parts : sequence of arrays
        Of the dtype of `total`; without `starts` their sizes add up to P.
    add : bool
    starts : sequence of int, optional
        Where each part belongs; the numbers between them stay. None: one after the other.
    """
    return FlattenInto(add, None if starts is None else tuple(starts))(total, *parts)


class Unflatten(Op):
    """``flat (P,) -> views``, all of the same memory."""

    __props__ = ("shapes",)

    def __init__(self, shapes: tuple[Shape, ...]) -> None:
        self.shapes = shapes
        self.view_map = {output: [0] for output in range(len(shapes))}

    def make_node(self, flat: Variable) -> Apply:
        flat = pt.as_tensor_variable(flat)
        if flat.type.ndim != 1:
            raise TypeError(f"Unflatten: expected a vector, got {flat.type}")
        return Apply(self, [flat], [TensorType(flat.type.dtype, shape)() for shape in self.shapes])

    @infers_shape
    def infer_shape(self, node: Apply, shapes: list[Any]) -> list[Any]:
        return list(self.shapes)

    def perform(self, node: Apply, inputs: Sequence[np.ndarray], outputs: Storage) -> None:
        (flat,) = inputs
        needed = sum(math.prod(shape) for shape in self.shapes)
        if flat.shape != (needed,):
            raise ValueError(f"Unflatten: the shapes need a vector of {needed} numbers, got one of {flat.size}")
        start = 0
        for shape, output in zip(self.shapes, outputs, strict=True):
            stop = start + math.prod(shape)
            output[0] = flat[start:stop].reshape(shape)
            start = stop

    def pullback(
        self, inputs: Sequence[Variable], outputs: Sequence[Variable], cotangents: Sequence[Variable]
    ) -> list[Variable]:
        return [flatten([or_zeros(c, like) for c, like in zip(cotangents, outputs, strict=True)])]


class Flatten(Op):
    """``parts (…) -> vector (P,)``."""

    __props__ = ()

    def make_node(self, *parts: Variable) -> Apply:
        inputs = [pt.as_tensor_variable(part) for part in parts]
        return Apply(self, inputs, [pt.vector(dtype=inputs[0].type.dtype)])

    def perform(self, node: Apply, inputs: Sequence[np.ndarray], outputs: Storage) -> None:
        outputs[0][0] = np.concatenate([part.reshape(-1) for part in inputs])


class FlattenInto(InplaceOp):
    """``(total (P,), *parts (…)) -> vector (P,)``."""

    __props__ = ("add", "starts", "inplace")

    def __init__(self, add: bool, starts: tuple[int, ...] | None = None) -> None:
        self.add, self.starts = add, starts

    def make_node(self, total: Variable, *parts: Variable) -> Apply:
        inputs = [pt.as_tensor_variable(variable) for variable in (total, *parts)]
        return Apply(self, inputs, [inputs[0].type()])

    @infers_shape
    def infer_shape(self, node: Apply, shapes: list[Any]) -> list[Any]:
        return [shapes[0]]

    def perform(self, node: Apply, inputs: Sequence[np.ndarray], outputs: Storage) -> None:
        total, *parts = inputs
        ends = np.cumsum([part.size for part in parts])
        if self.starts is None and total.size != ends[-1]:
            raise ValueError(f"FlattenInto: the parts are not {total.size} numbers in all")
        outputs[0][0] = vector = self.writable(total)
        starts = [0, *map(int, ends[:-1])] if self.starts is None else self.starts
        for start, part in zip(starts, parts, strict=True):
            place = vector[start : start + part.size]
            if len(place) != part.size:
                raise ValueError(f"FlattenInto: a part of {part.size} numbers at {start} does not fit {total.size}")
            (add_to if self.add else copy_to)(task_count(part.size), dense_array(part, vector.dtype), place)
