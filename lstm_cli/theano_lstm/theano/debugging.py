"""``theano.compile.debugmode`` and ``monitormode``: modes that watch how a function computes.

Both compile like the ordinary mode; PyTensor's own compile loops with numba.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

from pytensor.compile.debug import debugmode, monitormode
from pytensor.compile.mode import Mode
from pytensor.graph.basic import Apply
from pytensor.graph.fg import FunctionGraph
from pytensor.link.basic import PerformLinker, WrapLinkerMany

from lstm_cli.theano_lstm.theano.quick_rewrites import rewrites

Watcher: TypeAlias = Callable[[int, Apply, Any], object]


class MonitorMode(Mode):
    """A mode that calls a function before and after each node of a graph.

    Parameters
    ----------
    pre_func, post_func : callable, optional
        Called with the number of the node, the node, and the function that computes it, whose ``inputs`` and
        ``outputs`` are lists of cells with one array each.
    optimizer : optional
        Other rewrites than the ordinary ones.
    linker : optional
        Only for PyTensor, which copies modes.
    """

    def __init__(
        self,
        pre_func: Watcher | None = None,
        post_func: Watcher | None = None,
        optimizer: Any = "default",
        linker: Any = None,
    ) -> None:
        self.pre_func, self.post_func = pre_func, post_func
        super().__init__(linker=WrapLinkerMany([PerformLinker()], [self.eval]), optimizer=rewrites(optimizer))

    def eval(self, fgraph: FunctionGraph, number: int, node: Apply, compute: Callable[[], object]) -> None:
        """Compute a node between the calls of the functions."""
        if self.pre_func is not None:
            self.pre_func(number, node, compute)
        compute()
        if self.post_func is not None:
            self.post_func(number, node, compute)

    def __getstate__(self) -> Any:
        return self.pre_func, self.post_func, self.provided_optimizer

    def __setstate__(self, state: Any) -> None:
        if len(state) == 2:
            super().__setstate__(state)
        else:
            MonitorMode.__init__(self, *state)

    def clone(self, link_kwargs: Any = None, optimizer: Any = "", **others: Any) -> "MonitorMode":
        """Return a copy with other rewrites that calls the same functions."""
        chosen = self.provided_optimizer if isinstance(optimizer, str) and not optimizer else optimizer
        return type(self)(self.pre_func, self.post_func, optimizer=chosen)


def detect_nan(number: int, node: Apply, compute: Any) -> None:
    """Print a node, its inputs and outputs if it computed NaN: a `post_func`."""
    monitormode.detect_nan(None, number, node, compute)


class DebugMode(debugmode.DebugMode):
    """A mode that checks PyTensor and Ops: that rewrites change no value, and what Ops do to their memory."""

    def __init__(self, optimizer: Any = "default", *checks: Any, **options: Any) -> None:
        if len(checks) < 2:  # the second, where it is given by position
            options.setdefault("check_c_code", False)
        super().__init__(rewrites(optimizer), *checks, **options)
