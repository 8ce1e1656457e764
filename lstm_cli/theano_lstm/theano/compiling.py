"""``theano.function``, so that a script starts within seconds.

PyTensor's default, the numba linker, took 28 to 175 s to compile a loop over one or two LSTM layers with its gradient,
and again for every other size of layer. By default functions here run Op by Op from Python: two LSTM layers of 20 units
that drive a double pendulum were built in 8 s. A time step, forward and back, then cost 2 to 3 ms on one core, numba's
0.15 ms. For hours of training set ``theano.config.mode = "NUMBA"`` or pass ``mode="NUMBA"``. Where the inputs are known
in advance, `sequence` of a recurrent layer runs over all steps as one Op, which is faster than both.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import pytensor
from pytensor.compile.builders import OpFromGraph
from pytensor.compile.mode import Mode, optdb
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.fg import FunctionGraph
from pytensor.graph.rewriting.basic import in2out, node_rewriter
from pytensor.graph.rewriting.db import RewriteDatabaseQuery
from pytensor.link.vm import VMLinker
from pytensor.scan.op import Scan
from pytensor.tensor.rewriting.ofg import inline_ofg_node
from pytensor.tensor.sharedvar import TensorSharedVariable

import lstm_cli.ops.elementwise
import lstm_cli.ops.rewrites  # noqa: F401  (both register rewrites that are named below)
from lstm_cli.ops.overwrite import overwrite
from lstm_cli.theano_lstm.theano.pickling import pickle_batched_ops

Updates = Mapping[Variable, Variable] | Iterable[tuple[Variable, Variable]]

_ADDED = (
    "stabilize",
    "lstm_inner_graphs",
    "lstm_numpy_elementwise",
    "lstm_loops_in_python",
    "lstm_work_in_place",
    "add_destroy_handler",
)
_EXCLUDED = ("cxx_only", "numba", "fusion", "BlasOpt", "ShapeOpt")


pickle_batched_ops()


@cache
def fast_start() -> Mode:
    """Return the default mode: no compiler, and only the rewrites that pay off within a few calls."""
    rewrites = RewriteDatabaseQuery(include=("fast_compile", *_ADDED), exclude=_EXCLUDED)
    return Mode(linker=VMLinker(use_cloop=False, c_thunks=False), optimizer=rewrites)


def function(
    inputs: Iterable[Variable],
    outputs: Any = None,
    mode: str | Mode | None = None,
    updates: Updates | None = None,
    **options: Any,
) -> Any:
    """Return a compiled function; the arguments are those of `pytensor.function`.

    Parameters
    ----------
    inputs, outputs, updates, options
        As in PyTensor and Theano.
    mode : optional
        By default `fast_start`, unless ``config.mode`` is set.

    Notes
    -----
    Shared variables are updated in place, in memory that other processes may share (`lstm_cli.wrap_params`).
    """
    if mode is None and pytensor.config.mode == "Mode":
        mode = fast_start()
        updates = {held: _in_its_memory(held, new) for held, new in _pairs(updates)}
    return pytensor.function(list(inputs), outputs, mode=mode, updates=updates, **options)


def _pairs(updates: Updates | None) -> Iterable[tuple[Variable, Variable]]:
    return updates.items() if isinstance(updates, Mapping) else updates or ()


def _in_its_memory(held: Variable, new: Variable) -> Variable:
    if not isinstance(held, TensorSharedVariable):
        return new
    new = pytensor.tensor.as_tensor_variable(new)
    same = new.type.dtype == held.type.dtype and new.type.ndim == held.type.ndim
    return overwrite(held, held.type.filter_variable(new)) if same else new  # PyTensor reports the mismatch


@node_rewriter([OpFromGraph])
def inner_graphs(fgraph: FunctionGraph, node: Apply) -> list[Variable]:
    """Replace what is made of Ops, as softmax, by these; as an Op it would compile them by numba, at its first call."""
    outputs: list[Variable] = inline_ofg_node(node)
    return outputs


@node_rewriter([Scan])
def loops_in_python(fgraph: FunctionGraph, node: Apply) -> list[Variable] | None:
    """Compile the body of a scan with the same mode as its function."""
    if node.op.mode is not None:
        return None
    op = node.op.clone()
    op.mode = fast_start()
    outputs: list[Variable] = op.make_node(*node.inputs).outputs
    return outputs


optdb.register("lstm_inner_graphs", in2out(inner_graphs), position=49.04)  # stable, since nothing rewrites it further
optdb.register("lstm_loops_in_python", in2out(loops_in_python, ignore_newtrees=True), position=49.06)
