"""How the project's functions are compiled and called."""

import threading
from collections.abc import Callable, Sequence
from functools import cache, wraps
from inspect import isgeneratorfunction
from typing import Any

import numpy as np
import pytensor
from pytensor.compile.mode import Mode
from pytensor.graph.basic import Variable
from pytensor.graph.rewriting.db import RewriteDatabaseQuery
from pytensor.link.vm import VMLinker

from lstm_cli.kernels.runtime.threads import set_threads
from lstm_cli.ops import elementwise, rewrites

_EXCLUSIVE = threading.RLock()


def exclusive(method: Callable[..., Any]) -> Callable[..., Any]:
    """Let one thread at a time into all methods marked so: those that compile a graph, or call a compiled function.

    A function of PyTensor keeps its inputs, and the outputs on their way, in memory of its own; while one is compiled,
    flags of PyTensor that all threads share have other values. Nothing is lost, as a call uses all processors, and
    Python's own lock is held while a kernel runs.

    Raises
    ------
    TypeError
        The method is a generator, whose body runs after the call.
    """
    if isgeneratorfunction(method):
        raise TypeError(f"{method.__qualname__} is a generator: it would run without the lock")

    @wraps(method)
    def alone(*args: Any, **options: Any) -> Any:
        with _EXCLUSIVE:
            return method(*args, **options)

    return alone


_REWRITES = ("merge", "useless", "minimum_compile", "inplace", elementwise.REWRITE, rewrites.TRIM)


@cache
def python_mode() -> Mode:
    """Return how every function of the project is compiled: Ops are called one after the other, from Python.

    Our Ops are few and do their work in compiled kernels. The linkers that compile a graph would take up to a minute,
    again for every layer size; most of PyTensor's rewrites would take longer than they save, and some make Ops that
    are slow without a compiler (products of three and more factors, shapes taken apart into scalars).
    """
    return Mode(linker=VMLinker(use_cloop=False, c_thunks=False), optimizer=RewriteDatabaseQuery(include=_REWRITES))


@exclusive
def compiled(
    inputs: Sequence[Variable],
    outputs: Sequence[Variable],
    *,
    updates: dict[Variable, Variable] | None = None,
    threads: int | None = None,
) -> Callable[..., Any]:
    """Return a PyTensor function that runs on `threads` threads, whatever ran before; None: on the current number."""
    function = pytensor.function(inputs, outputs, updates=updates, mode=python_mode(), on_unused_input="ignore")

    @wraps(function)
    def call(*arrays: np.ndarray) -> Any:
        if threads is not None:
            set_threads(threads)
        return function(*arrays)

    return call
