"""How every kernel is compiled: flags, and machine code kept on disk for the next process.

Kernels are plain functions on arrays, cut into tasks (`runtime.tasks`) and made of parts. Their machine code
is kept in one folder per version of *all* kernel sources: numba's own cache looks at one file only and would serve
stale code after a change in another.
"""

import hashlib
import platform
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import llvmlite
import numba
import numpy

from lstm_cli.kernels.runtime.caches import cache_folder
from lstm_cli.kernels.runtime.entries import KernelCache
from lstm_cli.kernels.runtime.registers import REGISTERS

# No guards against NaN and infinity in the arithmetic: non-finite values are checked for once per update, by parts
# compiled with `exact=True`. With numba's Python error model the check for a zero divisor stops vectorisation.
FAST = {"reassoc", "contract", "arcp", "nsz", "afn", "nnan", "ninf"}
EXACT = FAST - {"nnan", "ninf"}
FLAGS: dict[str, Any] = {"error_model": "numpy", "fastmath": FAST}
# What numba is set to by variables or a file of the user's, where that changes the machine code.
SETTINGS = (
    "BOUNDSCHECK", "CPU_FEATURES", "CPU_NAME", "DEBUGINFO_DEFAULT", "ENABLE_AVX", "ENABLE_PROFILING",
    "EXTEND_VARIABLE_LIFETIMES", "JIT_COVERAGE", "LLVM_REFPRUNE_FLAGS", "LLVM_REFPRUNE_PASS", "LOOP_VECTORIZE", "OPT",
    "PARFOR_MAX_TUPLE_SIZE", "SLP_VECTORIZE", "USE_LLVMLITE_MEMORY_MANAGER", "USING_SVML",
)  # fmt: skip


@cache
def source_digest() -> str:
    """Hash of every kernel source."""
    digest, room = hashlib.sha256(), Path(__file__).parents[1]
    for path in sorted(room.rglob("*.py")):
        digest.update(path.relative_to(room).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def machine_digest() -> str:
    """Hash of all else that machine code depends on: the processor, the compilers' versions and their settings."""
    facts = {
        "python": (sys.implementation.cache_tag, sys.abiflags, platform.machine(), sys.platform),
        "versions": (numba.__version__, llvmlite.__version__, llvmlite.binding.llvm_version_info, numpy.__version__),
        "processor": (llvmlite.binding.get_host_cpu_name(), llvmlite.binding.get_host_cpu_features().flatten()),
        "settings": [(name, str(getattr(numba.config, name, None))) for name in SETTINGS],
        "registers": REGISTERS,
    }
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:16]


@cache
def kernel_folder() -> Path:
    """Folder of the compiled kernels: another one for every version of the sources and everything below them."""
    return cache_folder(f"kernels-{source_digest()}-{machine_digest()}")


def kept(compiled: Any, function: Callable[..., Any]) -> Any:
    """Have numba look for a function's machine code on disk before it compiles, and keep it there."""
    compiled._cache = KernelCache(function, kernel_folder)
    return compiled


def parallel_kernel(function: Callable[..., Any]) -> Any:
    """Compile a function whose outermost `prange` loop runs over shards, one per thread."""
    return kept(numba.njit(parallel=True, **FLAGS)(function), function)


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
