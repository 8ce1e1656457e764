"""What every Op here needs from PyTensor: the one file that knows its versions.

Shapes are written with the legend T time, B batch, I input, H units, K classes.
"""

import importlib
import inspect
import threading
from collections.abc import Callable, Sequence
from functools import cache, wraps
from typing import Any

import numpy as np
import pytensor
import pytensor.tensor as pt
from pytensor.compile.mode import Mode
from pytensor.gradient import DisconnectedType
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.op import Op
from pytensor.graph.rewriting.db import RewriteDatabaseQuery
from pytensor.link.vm import VMLinker
from pytensor.tensor.elemwise import Elemwise

from lstm_cli.kernels import runtime

Storage = list[list[Any]]

_EXCLUSIVE = threading.RLock()


def exclusive(method: Callable[..., Any]) -> Callable[..., Any]:
    """Let one thread at a time into all methods marked so: those that compile a graph, or call a compiled function.

    A function of PyTensor keeps its inputs, and the outputs on their way, in memory of its own. Nothing is lost, as a
    call uses all processors, and Python's own lock is held while a kernel runs.
    """

    @wraps(method)
    def alone(*args: Any, **options: Any) -> Any:
        with _EXCLUSIVE:
            return method(*args, **options)

    return alone


# Up to 3.0 PyTensor hands the method `infer_shape` of an Op the graph as well; later versions warn of Ops that take it.
_WITH_GRAPH = "fgraph" in inspect.signature(Elemwise.infer_shape).parameters


def infers_shape(method: Callable[[Any, Apply, list[Any]], list[Any]]) -> Callable[..., list[Any]]:
    """Return a method ``infer_shape(node, shapes)`` as the PyTensor that is installed calls it."""
    return (lambda self, fgraph, node, shapes: method(self, node, shapes)) if _WITH_GRAPH else method


def shapes_of(op: Op, node: Apply, shapes: list[Any]) -> list[Any]:
    """Return the shapes of a node's outputs, were it of another Op."""
    return op.infer_shape(None, node, shapes) if _WITH_GRAPH else op.infer_shape(node, shapes)


def is_disconnected(cotangent: Variable) -> bool:
    """Whether nothing downstream uses this output."""
    return isinstance(cotangent.type, DisconnectedType)


def or_zeros(cotangent: Variable, like: Variable) -> Variable:
    """Return the cotangent, or zeros of the shape of `like` where nothing downstream uses the output."""
    return pt.zeros_like(like) if is_disconnected(cotangent) else cotangent


def output_buffer(cell: list[Any], shape: Sequence[int], dtype: np.dtype | str) -> np.ndarray:
    """Memory for an output: the last call's where it fits exactly (its contents are arbitrary), else new."""
    held, shape, dtype = cell[0], tuple(shape), np.dtype(dtype)
    fits = (
        isinstance(held, np.ndarray)
        and held.shape == shape
        and held.dtype == dtype
        and held.flags.c_contiguous
        and held.flags.owndata
    )
    if not fits:
        held = cell[0] = np.empty(shape, dtype)
    return held


def dense_array(array: np.ndarray, dtype: np.dtype | str) -> np.ndarray:
    """Return the array C-ordered, of one dtype and writable, as compiled kernels take it (no copy where it is)."""
    flags = array.flags
    fits = array.dtype == dtype and flags.c_contiguous and flags.writeable
    return array if fits else np.require(array, dtype, ["C", "W"])


def share_out(numbers: int) -> int:
    """Return into how many tasks a pass over so many numbers is cut; to wake a thread costs as much as 8192 of them."""
    return min(runtime.threads(), 1 + numbers // 8192)


_REWRITES = ("merge", "useless", "minimum_compile", "inplace", "lstm_numpy_elementwise", "lstm_trim_outputs")


@cache
def python_mode() -> Mode:
    """Return how every function of the project is compiled: Ops are called one after the other, from Python.

    Our Ops are few and do their work in compiled kernels. The linkers that compile a graph would take up to a minute,
    again for every layer size; most of PyTensor's rewrites would take longer than they save, and some make Ops that
    are slow without a compiler (products of three and more factors, shapes taken apart into scalars).
    """
    importlib.import_module("lstm_cli.ops.elementwise")  # these two register rewrites named above
    importlib.import_module("lstm_cli.ops.rewrites")
    return Mode(linker=VMLinker(use_cloop=False, c_thunks=False), optimizer=RewriteDatabaseQuery(include=_REWRITES))


def compiled(
    inputs: Sequence[Variable],
    outputs: Sequence[Variable],
    *,
    updates: dict[Variable, Variable] | None = None,
    threads: int | None = None,
) -> Callable[..., Any]:
    """Return a PyTensor function that runs on `threads` threads, whatever ran before; None: on the current number."""
    function = pytensor.function(inputs, outputs, updates=updates, mode=python_mode(), on_unused_input="ignore")

    @wraps(function)
    def call(*arrays: np.ndarray) -> Any:
        if threads is not None:
            runtime.set_threads(threads)
        return function(*arrays)

    return call
