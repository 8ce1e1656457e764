"""Sums with gradients of parts of a variable: PyTensor's rewrites increment the other terms by the parts.

Where the other terms are equal for all elements, as the gradient of ``x.sum()`` is, PyTensor 3.0 has made them one
element by then, and increments that one. It also takes elements that are set at repeated places for increments.
"""

from collections.abc import Callable
from typing import Any

from pytensor.graph.basic import Apply, Variable
from pytensor.graph.fg import FunctionGraph
from pytensor.tensor.rewriting import subtensor
from pytensor.tensor.subtensor import AdvancedIncSubtensor

Rewrite = Callable[[FunctionGraph, Apply], Any]


def increment_whole_sums() -> None:
    """Let the rewrites act only where the result is the sum; repeated calls change nothing."""
    for rewrite in (subtensor.local_IncSubtensor_serialize, subtensor.local_add_of_sparse_write):
        if not hasattr(rewrite.fn, "is_checked"):
            rewrite.fn = _checked(rewrite.fn)


def _checked(rewrite: Rewrite) -> Rewrite:
    def checked(fgraph: FunctionGraph, node: Apply) -> Any:
        if any(_sets_places(term) for term in node.inputs):
            return None
        replaced = rewrite(fgraph, node)
        same = not replaced or replaced[0].type.broadcastable == node.outputs[0].type.broadcastable
        return replaced if same else None

    checked.is_checked = True  # type: ignore[attr-defined]
    return checked


def _sets_places(term: Variable) -> bool:
    """Whether elements are set at places of which some may be the same."""
    node = term.owner
    return node is not None and isinstance(node.op, AdvancedIncSubtensor) and node.op.set_instead_of_inc
