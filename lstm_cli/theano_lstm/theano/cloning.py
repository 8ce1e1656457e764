"""``theano.clone``."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pytensor.graph.basic import Variable
from pytensor.graph.replace import clone_replace

__all__ = ["clone"]


def clone(
    output: Variable | Sequence[Variable],
    replace: Mapping[Variable, Variable] | Iterable[tuple[Variable, Variable]] | None = None,
    strict: bool = True,
    share_inputs: bool = True,
    copy_inputs: bool | None = None,
) -> Any:
    """Return a copy of the graph of one or several variables, parts of it replaced.

    Parameters
    ----------
    output : variable or sequence of them
    replace : mapping or pairs, optional
        What stands in the graph, and what is to stand there.
    strict : bool
        Whether a part may be replaced by one of the same type only.
    share_inputs : bool
        Whether the copy has the same inputs and shared variables, and not copies of them.
    copy_inputs : bool, optional
        The old name of `share_inputs`.

    Returns
    -------
    variable or list of them, as `output`
    """
    shared = share_inputs if copy_inputs is None else copy_inputs
    pairs = dict(replace or {})
    return clone_replace(output, pairs, rebuild_strict=strict, copy_inputs_over=shared)
