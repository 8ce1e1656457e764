"""Element-wise Ops as one numpy call each, for functions that are called Op by Op from Python.

PyTensor's own `perform` costs 6 to 15 µs a call, and calls Python once an element for casts, clips and products of
three and more factors. The rewrite `REWRITE` puts these leaner Ops in their place, last of all.
"""

import importlib
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from pytensor.compile.mode import optdb
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.fg import FunctionGraph
from pytensor.graph.op import Op
from pytensor.graph.rewriting.basic import in2out, node_rewriter
from pytensor.scalar import basic as scalars
from pytensor.tensor.elemwise import Elemwise

from lstm_cli.ops.contract import Storage, infers_shape, shapes_of

Function = Callable[..., np.ndarray]
REWRITE = "lstm_numpy_elementwise"  # its name in PyTensor's database


class NumpyElementwise(Op):
    """``arrays (…) -> array (…)``: what an `Elemwise` of this scalar Op computes."""

    __props__ = ("scalar_op",)

    def __init__(self, scalar_op: scalars.ScalarOp) -> None:
        self.scalar_op = scalar_op
        function = numpy_function(scalar_op)
        if function is None:
            raise TypeError(f"{scalar_op}: numpy has no such function")
        self.function = function

    def make_node(self, *inputs: Variable) -> Apply:
        return Apply(self, list(inputs), [Elemwise(self.scalar_op).make_node(*inputs).outputs[0].type()])

    @infers_shape
    def infer_shape(self, node: Apply, shapes: list[Any]) -> list[Any]:
        return shapes_of(Elemwise(self.scalar_op), node, shapes)

    def perform(self, node: Apply, inputs: Sequence[np.ndarray], outputs: Storage) -> None:
        shape = inputs[0].shape
        if any(array.shape != shape for array in inputs):
            Elemwise._check_runtime_broadcast(node, inputs)
        with np.errstate(all="ignore"):
            result = self.function(*inputs)
        outputs[0][0] = np.asarray(result, dtype=node.outputs[0].type.dtype)


def numpy_function(scalar_op: scalars.ScalarOp) -> Function | None:
    """Return the numpy function of whole arrays that does what the scalar Op does, None where there is none."""
    if type(scalar_op) in _FUNCTIONS:
        return _FUNCTIONS[type(scalar_op)]
    if isinstance(scalar_op, scalars.Cast):
        return partial(_cast, dtype=scalar_op.o_type.dtype)
    name, inputs, outputs = getattr(scalar_op, "nfunc_spec", None) or ("", 0, 0)
    if not name or inputs != scalar_op.nin or outputs != 1:
        return None
    module, _, attribute = name.rpartition(".")
    function: Function = getattr(importlib.import_module(module or "numpy"), attribute)
    return function


def _cast(x: np.ndarray, dtype: str) -> np.ndarray:
    return x.astype(dtype)


def _product(first: np.ndarray, *factors: np.ndarray) -> np.ndarray:
    for factor in factors:
        first = np.multiply(first, factor)
    return first


def _sum(first: np.ndarray, *terms: np.ndarray) -> np.ndarray:
    for term in terms:
        first = np.add(first, term)
    return first


def _clip(x: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    return np.where(x < low, low, np.where(x > high, high, x))


def _second(like: np.ndarray, value: np.ndarray) -> np.ndarray:
    filled = np.empty(np.broadcast_shapes(like.shape, value.shape), value.dtype)
    filled[...] = value
    return filled


_FUNCTIONS: dict[type, Function] = {
    scalars.Mul: _product,
    scalars.Add: _sum,
    scalars.Clip: _clip,
    scalars.Second: _second,
    scalars.Identity: np.copy,
}


@node_rewriter([Elemwise])
def numpy_elementwise(fgraph: FunctionGraph, node: Apply) -> list[Variable] | None:
    """Replace an `Elemwise` by its numpy function."""
    op = node.op
    if op.inplace_pattern or len(node.outputs) > 1 or not _same_dtypes(node) or numpy_function(op.scalar_op) is None:
        return None
    if isinstance(op.scalar_op, scalars.Add | scalars.Mul) and len(node.inputs) == 1:
        return None
    return [Apply(NumpyElementwise(op.scalar_op), node.inputs, [node.outputs[0].type()]).outputs[0]]


def _same_dtypes(node: Apply) -> bool:
    """Whether numpy computes in PyTensor's dtype: not with complex numbers, nor where integers give floats."""
    kinds = {np.dtype(v.type.dtype).kind for v in node.inputs}
    integers_give_floats = "f" not in kinds and np.dtype(node.outputs[0].type.dtype).kind == "f"
    return "c" not in kinds and (not integers_give_floats or isinstance(node.op.scalar_op, scalars.Cast))


optdb.register(REWRITE, in2out(numpy_elementwise, ignore_newtrees=True), position=49.05)
