"""``theano.function``: checked updates, in place, in a mode of Theano's (`lstm_cli.theano_lstm.theano.modes`)."""

from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from typing import Any

import pytensor
from pytensor.compile.builders import OpFromGraph
from pytensor.compile.mode import AddDestroyHandler, optdb
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.fg import FunctionGraph
from pytensor.graph.rewriting.basic import in2out, node_rewriter
from pytensor.scan.op import Scan
from pytensor.tensor.rewriting.ofg import inline_ofg_node
from pytensor.tensor.sharedvar import TensorSharedVariable

from lstm_cli.ops.mode import exclusive
from lstm_cli.ops.overwrite import Overwrite, overwrite
from lstm_cli.theano_lstm.theano.configuration import config
from lstm_cli.theano_lstm.theano.modes import AnyMode, Mode, fast_start, get_mode, runs_from_python
from lstm_cli.theano_lstm.theano.quick_rewrites import BODIES, GUARD, INNER, UPDATE, scan_in_mode

Updates = Mapping[Variable, Variable] | Iterable[tuple[Variable, Variable]]

# The mode of the function that is being compiled.
_outer: ContextVar[AnyMode | None] = ContextVar("_outer", default=None)


@exclusive  # the flags that PyTensor sets meanwhile are those of all threads
def function(
    inputs: Iterable[Variable],
    outputs: Any = None,
    mode: str | AnyMode | None = None,
    updates: Updates | None = None,
    **options: Any,
) -> Any:
    """Return a compiled function; the arguments are those of `pytensor.function`.

    Parameters
    ----------
    inputs, outputs, updates, options
        As in PyTensor and Theano.
    mode : optional
        By default the one that ``config.mode`` names, `fast_start` unless that is set.

    Raises
    ------
    ValueError
        A shared variable is updated twice, or there is no such mode.

    Notes
    -----
    Shared variables are updated in place, in memory that other processes may share (`lstm_cli.wrap_params`), except
    where a mode compiles.
    """
    if str(config.mode if mode is None else mode).upper() in ("PROFILEMODE", "PROFILE_MODE"):
        options["profile"] = options.get("profile") or True
    mode = get_mode(mode)
    pairs = _pairs(updates)
    if runs_from_python(mode):
        pairs = [(held, _in_its_memory(held, new)) for held, new in pairs]
    token = _outer.set(mode)
    try:
        return pytensor.function(list(inputs), outputs, mode=mode, updates=pairs, **options)
    finally:
        _outer.reset(token)


def _pairs(updates: Updates | None) -> list[tuple[Variable, Variable]]:
    pairs = list(updates.items() if isinstance(updates, Mapping) else updates or ())
    seen = set()
    for held, _ in pairs:
        if held in seen:
            raise ValueError(f"updates: the shared variable {held} has two: keep one of them, or combine both")
        seen.add(held)
    return pairs


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
def bodies_in_python(fgraph: FunctionGraph, node: Apply) -> list[Variable] | None:
    """Compile the body of a scan in the same mode as its function."""
    given = node.op.mode
    if given is not None and not isinstance(given, str):
        return None
    if given:
        return scan_in_mode(node, get_mode(given))
    outer = _outer.get()
    return scan_in_mode(node, outer if isinstance(outer, Mode) and runs_from_python(outer) else fast_start())


@node_rewriter([Overwrite])
def update_in_memory(fgraph: FunctionGraph, node: Apply) -> list[Variable] | None:
    """Let an update overwrite its variable, whichever in-place rewrites a mode leaves out."""
    op = node.op.in_place()
    return None if op == node.op else op(*node.inputs, return_list=True)


# PyTensor's in-place rewrites follow the handler that guards them, at 49.5.
optdb.register(INNER, in2out(inner_graphs), position=49.04)  # stable, since nothing rewrites it further
optdb.register(BODIES, in2out(bodies_in_python, ignore_newtrees=True), position=49.06)
optdb.register(GUARD, AddDestroyHandler(), position=49.5)
optdb.register(UPDATE, in2out(update_in_memory), position=50.2)
