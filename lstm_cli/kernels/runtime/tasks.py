"""Kernels cut into tasks, one a thread, that compile fast: a plain serial function behind one address.

numba's `prange` compiles the machine code under it four times over. Here there is a single `prange` for the whole
project, `launch`, which calls an address with the number of the task and a table of arguments; a `task_kernel` is
compiled once per choice of dtypes into such an address and kept on disk.
"""

import ast
import ctypes
import inspect
import struct
import sys
import textwrap
import threading
from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba import prange, types
from numba.extending import intrinsic
from numba.np.arrayobj import populate_array

from lstm_cli.kernels.runtime.compilation import FAST, FLAGS, parallel_kernel

Entry = ctypes.PYFUNCTYPE(None, ctypes.c_int64, ctypes.c_int64, ctypes.c_int64)
ENTRY_TYPE = types.void(types.int64, types.int64, types.int64)


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


def unpacker(kinds: tuple[Any, ...]) -> Any:
    """Make the function that reads a table: integers, and flat arrays as the place of their address and their size."""
    arguments = types.Tuple([k if isinstance(k, types.Number) else types.Array(k.dtype, 1, "C") for k in kinds])

    def define(context: Any, table: Any) -> Any:
        def generate(context: Any, builder: ir.IRBuilder, signature: Any, values: list[ir.Value]) -> ir.Value:
            words = builder.inttoptr(values[0], ir.IntType(64).as_pointer())
            read, result = 0, []
            for kind in arguments:
                word = builder.load(builder.gep(words, [ir.IntType(64)(read)]))
                read += 1
                if isinstance(kind, types.Array):
                    if DATA_OFFSET is not None:
                        word = builder.load(builder.inttoptr(word, ir.IntType(64).as_pointer()))
                    size = builder.load(builder.gep(words, [ir.IntType(64)(read)]))
                    read += 1
                    word = flat_array(context, builder, kind, word, size)
                result.append(word)
            return context.make_tuple(builder, arguments, result)

        return arguments(types.int64), generate

    return intrinsic(define)


def flat_array(context: Any, builder: ir.IRBuilder, kind: types.Array, address: ir.Value, size: ir.Value) -> ir.Value:
    """Build the array of this type at an address."""
    array = context.make_array(kind)(context, builder)
    number = context.get_data_type(kind.dtype)
    itemsize = context.get_abi_sizeof(number)
    data = builder.inttoptr(address, number.as_pointer())
    populate_array(array, data=data, shape=[size], strides=[ir.IntType(64)(itemsize)], itemsize=itemsize, meminfo=None)
    return array._getvalue()


MOST_WORDS = 128  # of a table: an array takes two


class _OfThread(threading.local):
    """Memory of one thread: Python may switch to another thread between any two kernel calls."""

    def __init__(self) -> None:
        self.held: dict[tuple[str, str], np.ndarray] = {}
        self.words = np.empty(MOST_WORDS, np.int64)
        self.address = self.words.__array_interface__["data"][0]


_of_thread = _OfThread()


def aligned(count: int, dtype: np.dtype) -> np.ndarray:
    """Return new memory for so many numbers, at a multiple of the widest register's size."""
    size = count * dtype.itemsize
    room = np.empty(size + 64, np.uint8)
    first = -room.__array_interface__["data"][0] % 64
    return room[first : first + size].view(dtype)


def scratch(name: str, count: int, dtype: np.dtype) -> np.ndarray:
    """Return memory for `count` numbers: within a thread the same for each call with a name, enlarged when needed."""
    own = _of_thread.held
    held = own.get((name, dtype.char))
    if held is None or len(held) < count:
        held = own[name, dtype.char] = aligned(count, dtype)
    return held[:count]


def write_entry(function: Callable[..., None], name: str, scope: dict[str, Any]) -> Callable[[int, int, int], None]:
    """Rewrite ``f(task, tasks, *arguments)`` as ``name(task, tasks, table)`` that begins ``arguments = unpack(table)``.

    Were the one called from the other, numba would compile it twice.
    """
    lines, first = inspect.getsourcelines(function)
    tree = ast.increment_lineno(ast.parse(textwrap.dedent("".join(lines))), first - 1)  # numba looks the source up
    written = tree.body[0]
    given = [ast.Name(argument.arg, ast.Store()) for argument in written.args.args[2:]]
    call = ast.Call(ast.Name("unpack", ast.Load()), [ast.Name("table", ast.Load())], [])
    written.body.insert(0, ast.Assign([ast.Tuple(given, ast.Store())], call))
    written.args.args[2:] = [ast.arg("table")]
    written.name, written.decorator_list = name, []
    exec(compile(ast.fix_missing_locations(tree), inspect.getfile(function), "exec"), scope)
    return scope[name]


def data_offset() -> int | None:
    """Find where an array object holds the address of its data: asking numpy for it takes longer than all the rest."""
    probe = np.empty(1)
    address = probe.__array_interface__["data"][0]
    for offset in range(0, sys.getsizeof(probe) - 8, 8):
        if ctypes.c_int64.from_address(id(probe) + offset).value == address:
            return offset
    return None


DATA_OFFSET = data_offset()


def locate(array: np.ndarray) -> int:
    """Return what an entry finds the array's data by."""
    return array.__array_interface__["data"][0] if DATA_OFFSET is None else id(array) + DATA_OFFSET


class TaskKernel:
    """A function ``f(task, tasks, *arguments)`` on integers and flat arrays; call it as ``k(tasks, *arguments)``.

    Arrays may have any shape but must be C-ordered; the function sees them flat.
    """

    def __init__(self, function: Callable[..., None]) -> None:
        self.function = function
        self.entries: dict[tuple[Any, ...], tuple[Any, Any]] = {}

    def __call__(self, tasks: int, *arguments: int | np.ndarray) -> None:
        """Run all tasks, each on a thread of its own as far as there are threads."""
        words: list[int] = []
        kinds: list[Any] = []
        for argument in arguments:
            if isinstance(argument, np.ndarray):
                if not argument.flags.c_contiguous:
                    raise ValueError(f"{self.function.__name__}: an array is not C-ordered")
                words += (locate(argument), argument.size)
                kinds.append(argument.dtype.char)
            else:
                words.append(argument)
                kinds.append(int)
        entry = self.entries.get(tuple(kinds)) or self.compile(tuple(kinds))
        table = _of_thread
        struct.pack_into(f"{len(words)}q", table.words, 0, *words)
        if tasks == 1:
            entry[1](0, 1, table.address)
        else:
            launch(entry[0], tasks, table.address)

    def compile(self, kinds: tuple[Any, ...]) -> tuple[Any, Any]:
        """Compile, or load from disk, the entry for these kinds of arguments."""
        resolved = tuple(types.int64 if k is int else numba.from_dtype(np.dtype(k)) for k in kinds)
        arguments = tuple(
            k if given is int else types.Array(k, 1, "C") for k, given in zip(resolved, kinds, strict=True)
        )
        name = f"{self.function.__name__}_{''.join('n' if k is int else k for k in kinds)}"
        scope = {**self.function.__globals__, "unpack": unpacker(arguments)}
        compiled = numba.cfunc(ENTRY_TYPE, fastmath=FAST, **FLAGS)(write_entry(self.function, name, scope))
        self.entries[kinds] = (compiled.address, Entry(compiled.address))
        return self.entries[kinds]


def task_kernel(function: Callable[..., None]) -> TaskKernel:
    """Make a kernel of a function whose tasks may run at the same time."""
    return TaskKernel(function)
