"""The rewrites of a function that starts at once: those that pay off within a few calls, and those that it needs."""

from copy import copy
from typing import Any

from pytensor.compile.mode import Mode
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.rewriting.db import RewriteDatabaseQuery

import lstm_cli.ops.elementwise
import lstm_cli.ops.rewrites  # noqa: F401  (both register rewrites that are named below)
from lstm_cli.theano_lstm.logarithm import LOG_SOFTMAX
from lstm_cli.theano_lstm.theano.configuration import config
from lstm_cli.theano_lstm.theano.known_flags import OPTIMIZERS

# Without these a function would compile parts of itself with numba, or its updates would leave shared memory.
_NEEDED = INNER, BODIES, GUARD, UPDATE = (
    "lstm_inner_graphs", "lstm_bodies_in_python", "lstm_guard_memory", "lstm_update_in_memory",
)  # fmt: skip
_WORTHWHILE = ("fast_compile", "stabilize", LOG_SOFTMAX, "lstm_numpy_elementwise", "lstm_work_in_place")
# The last asks for shapes: without what the one before it knows, it finds its own result again, without end.
_COSTLY = (
    "cxx_only", "numba", "fusion", "BlasOpt", "ShapeOpt", "local_read_of_write_same_indices",
    # These ask of every product and transpose whether a matrix is diagonal, symmetric or orthogonal: much work for
    # nothing in the long graphs of loops that scripts write out in Python.
    "dot_diag_to_elemwise", "orthogonal_dot_transpose_to_eye", "selection_dot_to_indexing",
    "useless_symmetric_transpose",
)  # fmt: skip


def rewrites(optimizer: Any) -> Any:
    """Return the rewrites that a name of Theano's stands for; a query of rewrites gets those that are needed."""
    optimizer = config.optimizer if optimizer == "default" else optimizer
    if isinstance(optimizer, RewriteDatabaseQuery):
        return optimizer.including(*_NEEDED)
    if optimizer in (None, "None", "merge"):
        return RewriteDatabaseQuery(include=(optimizer or "None", "minimum_compile", *_NEEDED))
    if not isinstance(optimizer, str):
        return optimizer
    if optimizer not in OPTIMIZERS:
        raise ValueError(f"optimizer: expected one of {', '.join(OPTIMIZERS)}, got {optimizer!r}")
    return RewriteDatabaseQuery(include=(*_WORTHWHILE, *_NEEDED), exclude=_COSTLY)


def scan_in_mode(node: Apply, mode: Mode) -> list[Variable]:
    """Return the outputs of a scan whose body is compiled in this mode; the graph of the script keeps its own."""
    op = node.op.clone()
    if op is node.op:  # as newer versions of PyTensor have it, whose scans do not change otherwise
        op = copy(op)
        op._fn = None
    op.mode = mode
    outputs: list[Variable] = op.make_node(*node.inputs).outputs
    return outputs
