"""``theano.compile.nanguardmode``: functions that stop at the first number that is not finite, or too big."""

import logging
from dataclasses import dataclass
from io import StringIO
from typing import Any

import numpy as np
import pytensor
from pytensor.compile.mode import Mode
from pytensor.graph.basic import Apply, Constant, Variable
from pytensor.graph.fg import FunctionGraph
from pytensor.graph.rewriting.basic import in2out, node_rewriter
from pytensor.graph.rewriting.db import RewriteDatabaseQuery
from pytensor.graph.utils import get_variable_trace_string
from pytensor.link.vm import VMLinker
from pytensor.printing import debugprint
from pytensor.scan.op import Scan
from pytensor.tensor.basic import AllocEmpty
from pytensor.tensor.subtensor import IncSubtensor

from lstm_cli.ops.rewrites import TrimmableOp
from lstm_cli.theano_lstm.theano.quick_rewrites import rewrites, scan_in_mode

logger = logging.getLogger("theano.compile.nanguardmode")
BIG = 1e10  # Theano's
_BEFORE_LOOPS_IN_PYTHON = 49.055


@dataclass(frozen=True)
class Guard:
    """What is an error, and the check of one value."""

    nan: bool
    inf: bool
    big: bool

    def after_node(self, node: Apply, thunk: Any, storage_map: Any, compute_map: Any) -> None:
        """Check what a node has computed."""
        for output in node.outputs:
            if compute_map[output][0] and not _is_passed_over(output):
                self.check(output, storage_map[output][0], node)

    def on_input(self, variable: Variable, value: Any) -> None:
        """Check an input of a function, a shared variable or a constant."""
        if not _is_passed_over(variable):
            self.check(variable, value, None)

    def check(self, variable: Variable, value: Any, node: Apply | None) -> None:
        """Check a value.

        Raises
        ------
        AssertionError
            It is an error, unless ``config.NanGuardMode.action`` is to warn or to start the debugger.
        """
        found = self.found(value)
        if not found:
            return
        message = _message(found, variable, value, node)
        action = pytensor.config.NanGuardMode__action
        if action == "raise":
            raise AssertionError(message)
        logger.error(message)
        if action == "pdb":
            breakpoint()

    def found(self, value: Any) -> str:
        """Return what is wrong with a value, empty for nothing and for what is no number: generators, slices, None."""
        if not isinstance(value, np.ndarray | np.number) or not value.size or value.dtype.kind not in "biufc":
            return ""
        if value.dtype.kind == "b" or np.abs(value).max() <= BIG:  # false of NaN: one look at what is right
            return ""
        real = value.dtype.kind in "fc"
        if self.nan and real and np.isnan(value).any():
            return "NaN"
        if self.inf and real and np.isinf(value).any():
            return "Inf"
        with np.errstate(invalid="ignore"):
            return "Big value" if self.big and (np.abs(value) > BIG).any() else ""


class NanGuardMode(Mode):
    """A mode that compiles like the ordinary one, and checks every number that a function or one of its loops meets.

    Parameters
    ----------
    nan_is_error, inf_is_error, big_is_error : bool, optional
        Big is a size of more than 1e10. By default as in ``config.NanGuardMode``.
    optimizer : optional
        Other rewrites than the ordinary ones.
    linker : optional
        Only for PyTensor, which copies modes.
    """

    def __init__(
        self,
        nan_is_error: bool | None = None,
        inf_is_error: bool | None = None,
        big_is_error: bool | None = None,
        optimizer: Any = "default",
        linker: Any = None,
    ) -> None:
        config = pytensor.config
        self.guard = Guard(
            config.NanGuardMode__nan_is_error if nan_is_error is None else nan_is_error,
            config.NanGuardMode__inf_is_error if inf_is_error is None else inf_is_error,
            config.NanGuardMode__big_is_error if big_is_error is None else big_is_error,
        )
        if not (self.guard.nan or self.guard.inf or self.guard.big):
            raise AssertionError("NanGuardMode: nothing is an error; set nan_is_error, inf_is_error or big_is_error")
        super().__init__(linker=_linker(self.guard), optimizer=rewrites(optimizer))

    def __getstate__(self) -> Any:
        return self.guard, self.provided_optimizer

    def __setstate__(self, state: Any) -> None:
        if isinstance(state[0], Guard):
            self.guard = state[0]
            state = _linker(self.guard), state[1]
        super().__setstate__(state)

    @property
    def optimizer(self) -> Any:
        """The rewrites, with one that compiles the bodies of loops in this mode."""
        if not isinstance(self._optimizer, RewriteDatabaseQuery):
            return self._optimizer
        loops = in2out(node_rewriter([Scan])(self._guard_loop), ignore_newtrees=True)
        return self.optdb.query(self._optimizer.register((loops, _BEFORE_LOOPS_IN_PYTHON)))

    def _guard_loop(self, fgraph: FunctionGraph, node: Apply) -> list[Variable] | None:
        if node.op.mode is not None:
            return None
        return scan_in_mode(node, self)

    def clone(self, link_kwargs: Any = None, optimizer: Any = "", **others: Any) -> "NanGuardMode":
        """Return a copy with other rewrites that guards against the same."""
        guard = self.guard
        rewrites = self.provided_optimizer if isinstance(optimizer, str) and not optimizer else optimizer
        return type(self)(guard.nan, guard.inf, guard.big, optimizer=rewrites)


def _linker(guard: Guard) -> VMLinker:
    return VMLinker(use_cloop=False, c_thunks=False, callback=guard.after_node, callback_input=guard.on_input)


def _is_passed_over(variable: Variable) -> bool:
    """Whether a variable holds numbers of no meaning: memory to be filled yet, or what an Op keeps for itself."""
    node = variable.owner
    if not getattr(variable.tag, "nan_guard_mode_check", True):
        return True
    if node is None:
        return False
    if isinstance(node.op, TrimmableOp) and hasattr(node.op, "connection_pattern"):
        return not any(connected[variable.index] for connected in node.op.connection_pattern(node))
    if isinstance(node.op, IncSubtensor) and node.op.set_instead_of_inc:
        return _is_passed_over(node.inputs[0])
    return isinstance(node.op, AllocEmpty)


def _message(found: str, variable: Variable, value: Any, node: Apply | None) -> str:
    """Return what was found where, then the graph of a computed variable, then where the script made it."""
    described = f"{value.dtype} of shape {np.shape(value)}"
    if node is None:
        kind = "a constant" if isinstance(variable, Constant) else "an input"
        where = f"{kind} of the graph, {variable}"
    else:
        name = f"{variable.name!r}, " if variable.name else ""
        where = f"the output of a node: {name}{node.op} of {', '.join(str(v) for v in node.inputs)}"
    text = StringIO()
    text.write(f"{found} detected\nNanGuardMode found an error in {where}; {described}\n")
    if node is not None:
        debugprint(node, file=text)
    text.write(str(get_variable_trace_string(variable)))
    return text.getvalue()
