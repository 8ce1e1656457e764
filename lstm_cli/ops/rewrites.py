"""Outputs that nothing reads are not computed, and memory that nothing reads again is overwritten.

An Op that can do less than all of its outputs is a `TrimmableOp`; one that can work in the memory of an input
has `in_place`. Both are decided here, where the whole function is known.
"""

from pytensor.compile.mode import optdb
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.fg import FunctionGraph
from pytensor.graph.op import Op
from pytensor.graph.rewriting.basic import in2out, node_rewriter

# The names of the rewrites in PyTensor's database.
TRIM, IN_PLACE = "lstm_trim_outputs", "lstm_work_in_place"


class TrimmableOp(Op):
    """An Op with outputs that cost something and are not always read."""

    def trim(self, unused: frozenset[int]) -> Op:
        """Return the Op that leaves these outputs empty (itself where there is nothing to save)."""
        raise NotImplementedError

    def in_place(self) -> Op:
        """Return the Op that overwrites an input which only it reads (itself where there is none)."""
        return self


@node_rewriter([TrimmableOp])
def trim_outputs(fgraph: FunctionGraph, node: Apply) -> list[Variable] | None:
    """Leave out the outputs without a reader."""
    unused = frozenset(i for i, output in enumerate(node.outputs) if not fgraph.clients.get(output))
    lean = node.op.trim(unused)
    return None if lean == node.op else lean(*node.inputs, return_list=True)


@node_rewriter([TrimmableOp])
def work_in_place(fgraph: FunctionGraph, node: Apply) -> list[Variable] | None:
    """Let the Op overwrite its input; PyTensor takes this back where something else still reads that."""
    op = node.op.in_place()
    return None if op == node.op else op(*node.inputs, return_list=True)


# PyTensor's in-place rewrites have positions from 50 to 60; the handler that guards them is added at 49.5.
optdb.register(TRIM, in2out(trim_outputs), "fast_run", "fast_compile", position=49.0)
optdb.register(IN_PLACE, in2out(work_in_place), "fast_run", "inplace", position=50.2)
