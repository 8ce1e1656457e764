"""``theano.gof``: what PyTensor has renamed or dropped of the parts of a graph and of what rewrites it."""

import struct
from collections.abc import Callable, Sequence
from typing import Any

from pytensor.graph.basic import Variable, equal_computations
from pytensor.graph.op import Op
from pytensor.graph.rewriting.basic import (
    EquilibriumGraphRewriter,
    GraphRewriter,
    PatternNodeRewriter,
    SequentialGraphRewriter,
    SequentialNodeRewriter,
    SubstitutionNodeRewriter,
    WalkingGraphRewriter,
    graph_rewriter,
    inplace_graph_rewriter,
    node_rewriter,
)
from pytensor.graph.rewriting.db import RewriteDatabase, RewriteDatabaseQuery
from pytensor.graph.traversal import (
    applys_between,
    explicit_graph_inputs,
    graph_inputs,
    orphans_between,
    variable_depends_on,
    vars_between,
)
from pytensor.link.vm import VMLinker

from lstm_cli.theano_lstm.theano.cloning import clone

inputs = graph_inputs
variables, ops, orphans = vars_between, applys_between, orphans_between
is_in_ancestors = variable_depends_on
VM_Linker = VMLinker
PureOp = Op
Optimizer, optimizer, inplace_optimizer = GraphRewriter, graph_rewriter, inplace_graph_rewriter
SeqOptimizer, TopoOptimizer = SequentialGraphRewriter, WalkingGraphRewriter
EquilibriumOptimizer = EquilibriumGraphRewriter
LocalOptGroup = SequentialNodeRewriter
OpSub, PatternSub = SubstitutionNodeRewriter, PatternNodeRewriter
DB, Query = RewriteDatabase, RewriteDatabaseQuery

__all__ = [
    "DB", "EquilibriumOptimizer", "LocalOptGroup", "OpSub", "Optimizer", "PatternSub", "PureOp", "Query",
    "SeqOptimizer", "TopoOptimizer", "VM_Linker", "debug_assert", "explicit_graph_inputs", "get_debug_values",
    "get_lock", "inplace_optimizer", "inputs", "is_in_ancestors", "is_same_graph", "local_bitwidth",
    "local_optimizer", "ops", "optimizer", "orphans", "python_int_bitwidth", "release_lock", "set_lock_status",
    "variables",
]  # fmt: skip


def local_optimizer(tracks: Sequence[Any] | None, inplace: bool = False, requirements: Any = ()) -> Callable[..., Any]:
    """Return a decorator that makes a rewrite of ``(node) -> variables, or False``, as `node_rewriter` does.

    Parameters
    ----------
    tracks : sequence of Ops and classes of them, optional
        The nodes to rewrite; all by default.
    inplace, requirements
        As in PyTensor.
    """

    def decorate(rewrite: Callable[[Any], Any]) -> Any:
        def of_graph(fgraph: Any, node: Any) -> Any:
            return rewrite(node)

        of_graph.__name__, of_graph.__doc__ = rewrite.__name__, rewrite.__doc__
        return node_rewriter(tracks, inplace, requirements)(of_graph)

    return decorate


def is_same_graph(var1: Variable, var2: Variable, givens: Any = None) -> bool:
    """Return whether two variables are computed in the same way from the same inputs, `givens` replaced in both."""
    return bool(equal_computations(clone([var1], givens), clone([var2], givens)))


def get_debug_values(*variables: Variable) -> list[Any]:
    """Return the test values of the variables, of which PyTensor computes none."""
    return []


def debug_assert(condition: Any, message: str | None = None) -> None:
    """Do nothing: there are no test values to check."""


def local_bitwidth() -> int:
    """Return the number of bits of an address of this machine."""
    return struct.calcsize("P") * 8


def python_int_bitwidth() -> int:
    """Return the number of bits of a C ``long`` of this machine."""
    return struct.calcsize("l") * 8


def set_lock_status(status: bool) -> None:
    """Do nothing: PyTensor locks what it compiles by itself, and need not be stopped from it before processes start."""


def get_lock(*arguments: Any, **options: Any) -> None:
    """Do nothing, as `set_lock_status`."""


def release_lock() -> None:
    """Do nothing, as `set_lock_status`."""
