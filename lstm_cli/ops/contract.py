"""What every Op here needs from PyTensor: the one file that knows its versions.

Shapes are written with the legend T time, B batch, I input, H units, K classes.
"""

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytensor.tensor as pt
from numpy.typing import DTypeLike
from pytensor.gradient import DisconnectedType
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.op import Op
from pytensor.tensor.elemwise import Elemwise

from lstm_cli.kernels.runtime.threads import threads

Storage = list[list[Any]]

# Up to 3.0 PyTensor hands the method `infer_shape` of an Op the graph as well; later versions warn of Ops that take it.
_WITH_GRAPH = "fgraph" in inspect.signature(Elemwise.infer_shape).parameters


def infers_shape(method: Callable[[Any, Apply, list[Any]], list[Any]]) -> Callable[..., list[Any]]:
    """Return a method ``infer_shape(node, shapes)`` as the PyTensor that is installed calls it."""
    return (lambda self, fgraph, node, shapes: method(self, node, shapes)) if _WITH_GRAPH else method


def shapes_of(op: Op, node: Apply, shapes: list[Any]) -> list[Any]:
    """Return the shapes of a node's outputs, were it of another Op."""
    of_outputs: list[Any] = op.infer_shape(None, node, shapes) if _WITH_GRAPH else op.infer_shape(node, shapes)
    return of_outputs


def is_disconnected(cotangent: Variable) -> bool:
    """Whether nothing downstream uses this output."""
    return isinstance(cotangent.type, DisconnectedType)


def or_zeros(cotangent: Variable, like: Variable) -> Variable:
    """Return the cotangent, or zeros of the shape of `like` where nothing downstream uses the output."""
    return pt.zeros_like(like) if is_disconnected(cotangent) else cotangent


def output_buffer(cell: list[Any], shape: Sequence[int], dtype: DTypeLike) -> np.ndarray:
    """Memory for an output: the last call's where it fits exactly (its contents are arbitrary), else new."""
    held, shape, dtype = cell[0], tuple(shape), np.dtype(dtype)
    if (
        isinstance(held, np.ndarray)
        and held.shape == shape
        and held.dtype == dtype
        and held.flags.c_contiguous
        and held.flags.owndata
    ):
        return held
    cell[0] = new = np.empty(shape, dtype)
    return new


def dense_array(array: np.ndarray, dtype: DTypeLike) -> np.ndarray:
    """Return the array C-ordered, of one dtype and writable, as compiled kernels take it (no copy where it is)."""
    flags = array.flags
    fits = array.dtype == dtype and flags.c_contiguous and flags.writeable
    return array if fits else np.require(array, dtype, ["C", "W"])


def task_count(numbers: int) -> int:
    """Return the number of tasks of a pass over this many numbers; to wake a thread costs as much as 8192 of them."""
    return min(threads(), 1 + numbers // 8192)
