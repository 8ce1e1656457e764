"""How every kernel is compiled: flags, and machine code kept on disk for the next process.

Kernels are plain functions on arrays, cut into tasks (`runtime.tasks`) and made of parts. Their machine code
is kept in one folder per version of *all* kernel sources: numba's own cache looks at one file only and would serve
stale code after a change in another.
"""

import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numba
from numba.core import caching

from lstm_cli.kernels.runtime.caches import cache_folder
from lstm_cli.kernels.runtime.registers import REGISTERS

# No guards against NaN and infinity in the arithmetic: non-finite values are checked for once per update, by parts
# compiled with `exact=True`. With numba's Python error model the check for a zero divisor stops vectorisation.
FAST = {"reassoc", "contract", "arcp", "nsz", "afn", "nnan", "ninf"}
EXACT = FAST - {"nnan", "ninf"}
FLAGS: dict[str, Any] = {"error_model": "numpy", "cache": True}


@cache
def source_digest() -> str:
    """Hash of every kernel source: the version of the compiled code."""
    digest, room = hashlib.sha256(), Path(__file__).parents[1]
    for path in sorted(room.rglob("*.py")):
        digest.update(path.relative_to(room).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


@cache
def kernel_folder() -> Path:
    """Folder of the compiled kernels."""
    return cache_folder(f"kernels-{source_digest()}-{REGISTERS.lanes}")


class _KernelCacheLocator(caching._CacheLocator):  # type: ignore[misc]  # numba has no types
    """Places the machine code of this package's kernels, and of nothing else."""

    def __init__(self, py_func: Callable[..., Any], py_file: str) -> None:
        module = py_func.__module__.removeprefix("lstm_cli.kernels.")
        self._py_file, self._place = py_file, f"{module}-{py_func.__code__.co_firstlineno}"

    def get_cache_path(self) -> str:
        return str(kernel_folder())

    def get_source_stamp(self) -> str:
        return source_digest()

    def get_disambiguator(self) -> str:
        return self._place

    @classmethod
    def from_function(cls, py_func: Callable[..., Any], py_file: str) -> "_KernelCacheLocator | None":
        return cls(py_func, py_file) if py_func.__module__.startswith("lstm_cli.kernels.") else None


caching.CacheImpl._locator_classes.insert(0, _KernelCacheLocator)


def parallel_kernel(function: Callable[..., Any]) -> Any:
    """Compile a function whose outermost `prange` loop runs over shards, one per thread."""
    return numba.njit(parallel=True, fastmath=FAST, **FLAGS)(function)


def part(function: Callable[..., Any] | None = None, *, exact: bool = False) -> Any:
    """Compile a function that only kernels call: no entry for Python, no machine code of its own on disk.

    With `exact`, NaN and infinity keep their meaning.
    """
    if function is None:
        return lambda function: part(function, exact=exact)
    options = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True, "error_model": "numpy"}
    return numba.njit(fastmath=EXACT if exact else FAST, **options)(function)


def inlined(function: Callable[..., Any]) -> Any:
    """Paste a function into the kernels that call it: right for what is called in one place, and compiles fastest."""
    return numba.njit(inline="always", error_model="numpy", fastmath=FAST)(function)
