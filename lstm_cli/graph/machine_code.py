"""What numba compiles of a graph is kept on disk as our kernels are: its own way would run code that is damaged."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytensor
from numba.core.registry import CPUDispatcher

from lstm_cli.kernels.runtime.caches import cache_folder
from lstm_cli.kernels.runtime.compilation import machine_digest
from lstm_cli.kernels.runtime.entries import KernelCache


def _functions() -> Any:
    """Return the keys of the functions that PyTensor wrote, by function.

    Its module makes a folder for its own way of keeping code, which is not needed, and perhaps cannot be made.
    """
    try:
        from pytensor.link.numba.cache import CACHED_SRC_FUNCTIONS
    except OSError:
        usual, Path.mkdir = Path.mkdir, lambda *given, **others: None  # type: ignore[method-assign]
        try:
            from pytensor.link.numba.cache import CACHED_SRC_FUNCTIONS
        finally:
            Path.mkdir = usual  # type: ignore[method-assign]
    return CACHED_SRC_FUNCTIONS


FUNCTIONS = _functions()


class GraphCache(KernelCache):
    """The machine code of a function that PyTensor wrote.

    Parameters
    ----------
    compiled : dispatcher of numba
        Of that function. PyTensor's key of it says what it computes.
    """

    def __init__(self, compiled: Any) -> None:
        super().__init__(compiled.py_func, _folder)
        self._name = f"graph.{compiled.py_func.__name__}"
        inner = "no_cpython_wrapper" in compiled.targetoptions  # only other functions call it
        self._code = repr((self._code, FUNCTIONS[compiled.py_func], inner))


@cache
def _folder() -> Path:
    """Folder of the compiled graphs: another one for every version of PyTensor and everything below it."""
    return cache_folder(f"graphs-{pytensor.__version__}-{machine_digest()}")


@contextmanager
def own_cache() -> Iterator[None]:
    """Have numba look for the code of PyTensor's functions in our folder, and keep it there."""
    usual = CPUDispatcher.enable_caching

    def enable_caching(compiled: Any) -> None:
        if compiled.py_func in FUNCTIONS:
            compiled._cache = GraphCache(compiled)
        else:
            usual(compiled)

    CPUDispatcher.enable_caching = enable_caching
    try:
        yield
    finally:
        CPUDispatcher.enable_caching = usual
