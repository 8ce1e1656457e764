"""``theano.gof.graph``: what PyTensor has renamed of it."""

from typing import Any

from pytensor.graph.basic import Variable, equal_computations
from pytensor.graph.traversal import applys_between, graph_inputs, orphans_between, variable_depends_on, vars_between

from lstm_cli.theano_lstm.theano.cloning import clone as replaced

__all__ = ["inputs", "is_in_ancestors", "is_same_graph", "ops", "orphans", "variables"]

inputs = graph_inputs
variables, ops, orphans = vars_between, applys_between, orphans_between
is_in_ancestors = variable_depends_on


def is_same_graph(var1: Variable, var2: Variable, givens: Any = None) -> bool:
    """Return whether two variables are computed in the same way from the same inputs, `givens` replaced in both."""
    return bool(equal_computations(replaced([var1], givens), replaced([var2], givens)))
