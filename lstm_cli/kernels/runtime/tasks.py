"""Kernels cut into tasks, one per thread, that compile fast: a plain serial function behind one address.

numba's `prange` compiles the machine code under it four times over. Here there is a single `prange` for the whole
project, `launch`, which calls an address with the number of the task and a table of arguments; a `task_kernel` is
compiled once per choice of dtypes and constants into such an address and kept on disk.
"""

import ast
import ctypes
import inspect
import struct
import textwrap
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from types import ModuleType
from typing import Any

import numpy as np
from llvmlite import ir
from numba import prange, types
from numba.core.ccallback import CFunc
from numba.extending import intrinsic

from lstm_cli.kernels.runtime.compilation import FLAGS, kept, parallel_kernel
from lstm_cli.kernels.runtime.table import locate, type_of, unpacker

Entry = ctypes.PYFUNCTYPE(None, ctypes.c_int64, ctypes.c_int64, ctypes.c_int64)
ENTRY_TYPE = types.void(types.int64, types.int64, types.int64)
MOST_WORDS = 128  # of a table: an array takes two


@intrinsic
def call(context: Any, address: Any, task: Any, tasks: Any, table: Any) -> Any:
    """Call the machine code at an address with three integers."""

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, values: list[ir.Value]) -> ir.Value:
        integer = ir.IntType(64)
        kind = ir.FunctionType(ir.VoidType(), [integer] * 3).as_pointer()
        builder.call(builder.inttoptr(values[0], kind), values[1:])
        return context.get_dummy_value()

    return types.void(*[types.int64] * 4), generate


@parallel_kernel
def launch(address: int, tasks: int, table: int) -> None:
    """Run every task of a kernel, each on a thread of its own as far as there are threads."""
    for task in prange(tasks):
        call(address, np.int64(task), np.int64(tasks), table)


class _OfThread(threading.local):
    """A table of one thread: Python may switch to another thread between any two kernel calls."""

    def __init__(self) -> None:
        words = np.empty(MOST_WORDS, np.int64)
        self.words, self.address = words.data, int(words.__array_interface__["data"][0])


_of_thread = _OfThread()


def write_entry(
    function: Callable[..., None], name: str, constants: Collection[str], scope: dict[str, Any]
) -> Callable[[int, int, int], None]:
    """Rewrite ``f(task, tasks, *arguments)`` as ``name(task, tasks, table)`` that begins ``arguments = unpack(table)``.

    Arguments that are constants are names in the scope instead. Were the one function called from the other, numba
    would compile it twice.
    """
    lines, first = inspect.getsourcelines(function)
    tree = ast.increment_lineno(ast.parse(textwrap.dedent("".join(lines))), first - 1)  # numba looks the source up
    written = tree.body[0]
    assert isinstance(written, ast.FunctionDef)
    read: list[ast.expr] = [ast.Name(a.arg, ast.Store()) for a in written.args.args[2:] if a.arg not in constants]
    call = ast.Call(ast.Name("unpack", ast.Load()), [ast.Name("table", ast.Load())], [])
    written.body.insert(0, ast.Assign([ast.Tuple(read, ast.Store())], call))
    written.args.args[2:] = [ast.arg("table")]
    written.name, written.decorator_list = name, []
    exec(compile(ast.fix_missing_locations(tree), inspect.getfile(function), "exec"), scope)
    entry: Callable[[int, int, int], None] = scope[name]
    return entry


class Constants:
    """Numbers and functions that are constants of a kernel's machine code: it is compiled for each of these anew.

    Parameters
    ----------
    name : str
        Tells them apart in the names of compiled functions.
    members : mapping of str to int, bool or function
        What the kernel reads as attributes of the argument.
    cached : bool
        Whether the machine code is kept on disk: only where all sources of the members are this room's.
    """

    def __init__(self, name: str, members: Mapping[str, Any], *, cached: bool) -> None:
        self.name, self.cached = name, cached
        self.module = ModuleType(name)  # the one kind of object whose attributes numba takes as constants
        self.module.__dict__.update(members)


class TaskKernel:
    """A function ``f(task, tasks, *arguments)`` that tasks may run at the same time; call it ``k(tasks, *arguments)``.

    Arguments are integers, arrays, named tuples of these, and `Constants`, the same in all calls but for dtypes and the
    choice of constants. Arrays may have any shape but must be C-ordered; the function sees them flat.
    """

    def __init__(self, function: Callable[..., None]) -> None:
        self.function = function
        self.entries: dict[tuple[Any, ...], tuple[Any, Any]] = {}

    def __call__(self, tasks: int, *arguments: Any) -> None:
        """Run all tasks, each on a thread of its own as far as there are threads."""
        flat: list[Any] = []
        for argument in arguments:
            if isinstance(argument, tuple):
                flat += argument
            else:
                flat.append(argument)
        words: list[int] = []
        kinds: list[Any] = []
        for value in flat:
            if isinstance(value, np.ndarray):
                if not value.flags.c_contiguous:
                    raise ValueError(f"{self.function.__name__}: an array is not C-ordered")
                words.append(locate(value))
                words.append(value.size)
                kinds.append(value.dtype.char)
            elif isinstance(value, Constants):
                kinds.append(value)
            else:
                words.append(value)
        key = tuple(kinds)
        entry = self.entries.get(key) or self.compile(key, arguments)
        table = _of_thread
        struct.pack_into(f"{len(words)}q", table.words, 0, *words)
        if tasks == 1:
            entry[1](0, 1, table.address)
        else:
            launch(entry[0], tasks, table.address)

    def compile(self, kinds: tuple[Any, ...], arguments: Sequence[Any]) -> tuple[Any, Any]:
        """Compile, or load from disk, the entry for these constants and dtypes of arrays."""
        names = list(inspect.signature(self.function).parameters)[2:]
        given = dict(zip(names, arguments, strict=True))
        constants = {name: value for name, value in given.items() if isinstance(value, Constants)}
        read = [type_of(value) for name, value in given.items() if name not in constants]
        letters = "".join(kind for kind in kinds if isinstance(kind, str))
        name = "_".join([self.function.__name__, *(value.name for value in constants.values()), letters])
        modules = {parameter: value.module for parameter, value in constants.items()}
        scope = {**self.function.__globals__, **modules, "unpack": unpacker(read)}
        written = write_entry(self.function, name, constants, scope)
        compiled = CFunc(written, (ENTRY_TYPE.args, ENTRY_TYPE.return_type), {}, dict(FLAGS))
        if all(value.cached for value in constants.values()):
            kept(compiled, written)
        compiled.compile()
        self.entries[kinds] = (compiled.address, Entry(compiled.address))
        return self.entries[kinds]


def task_kernel(function: Callable[..., None]) -> TaskKernel:
    """Make a kernel of a function whose tasks may run at the same time."""
    return TaskKernel(function)
