"""``theano.gof``: what PyTensor has renamed or dropped of the parts of a graph and of what rewrites it."""

import struct
from collections.abc import Callable, Sequence
from typing import Any

from pytensor.graph.basic import Variable
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
from pytensor.link.vm import VMLinker

VM_Linker = VMLinker
PureOp = Op
Optimizer, optimizer, inplace_optimizer = GraphRewriter, graph_rewriter, inplace_graph_rewriter
SeqOptimizer, TopoOptimizer = SequentialGraphRewriter, WalkingGraphRewriter
EquilibriumOptimizer = EquilibriumGraphRewriter
LocalOptGroup = SequentialNodeRewriter
OpSub, PatternSub = SubstitutionNodeRewriter, PatternNodeRewriter
DB, Query = RewriteDatabase, RewriteDatabaseQuery

__all__ = [
    "DB", "EquilibriumOptimizer", "LocalOptGroup", "OpRemove", "OpSub", "Optimizer", "PatternSub", "PureOp", "Query",
    "SeqOptimizer", "TopoOptimizer", "VM_Linker", "debug_assert", "get_debug_values", "get_lock",
    "inplace_optimizer", "local_bitwidth", "local_optimizer", "optimizer", "python_int_bitwidth", "release_lock",
    "set_lock_status",
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


def OpRemove(op: Op, reason: str | None = None) -> Any:
    """Return a rewrite that puts the inputs of an Op in place of its outputs, as of one that clips gradients."""

    def remove(fgraph: Any, node: Any) -> Any:
        return node.inputs if node.op == op else None

    remove.__name__ = f"remove_{reason or op}"
    return node_rewriter([op])(remove)


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
