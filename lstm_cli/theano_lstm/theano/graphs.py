"""``theano.gof.graph``: what PyTensor has renamed of it, in lists from left to right as Theano had them."""

from collections.abc import Iterable
from typing import Any

from pytensor.graph.basic import Variable, equal_computations
from pytensor.graph.traversal import applys_between, orphans_between, variable_depends_on, vars_between

from lstm_cli.theano_lstm.theano.cloning import clone as replaced

__all__ = ["ancestors", "inputs", "is_in_ancestors", "is_same_graph", "ops", "orphans", "variables"]

variables, ops, orphans = vars_between, applys_between, orphans_between
is_in_ancestors = variable_depends_on


def ancestors(variable_list: Iterable[Variable], blockers: Iterable[Variable] | None = None) -> list[Variable]:
    """Return the variables and all that they are computed from, each before what it is computed from.

    Parameters
    ----------
    variable_list : variables
    blockers : variables, optional
        Whose own ancestors are left out.
    """
    blocked, waiting = set(blockers or ()), list(variable_list)
    found: dict[Variable, None] = {}
    while waiting:
        variable = waiting.pop()
        if variable not in found:
            found[variable] = None
            waiting += [] if variable.owner is None or variable in blocked else reversed(variable.owner.inputs)
    return list(found)


def inputs(variable_list: Iterable[Variable], blockers: Iterable[Variable] | None = None) -> list[Variable]:
    """Return the `ancestors` that are not computed: inputs, shared variables and constants."""
    return [variable for variable in ancestors(variable_list, blockers) if variable.owner is None]


def is_same_graph(var1: Variable, var2: Variable, givens: Any = None) -> bool:
    """Return whether two variables are computed in the same way from the same inputs, `givens` replaced in both."""
    return bool(equal_computations(replaced([var1], givens), replaced([var2], givens)))
