"""Kernels cut into tasks, one a thread, that compile fast: a plain serial function behind one address.

numba's `prange` compiles the machine code under it four times over. Here there is a single `prange` for the whole
project, `launch`, which calls an address with the number of the task and a table of arguments; a `task_kernel` is
compiled once per choice of dtypes and constants into such an address and kept on disk.
"""

import ast
import ctypes
import inspect
import struct
import sys
import textwrap
import threading
from collections.abc import Callable, Collection, Mapping
from types import ModuleType
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
    """Make the function that reads a table: integers, flat arrays as the place of their address and their size.

    The fields of a named tuple lie one after the other.
    """
    arguments = types.Tuple(kinds)

    def define(context: Any, table: Any) -> Any:
        def generate(context: Any, builder: ir.IRBuilder, signature: Any, values: list[ir.Value]) -> ir.Value:
            words = builder.inttoptr(values[0], ir.IntType(64).as_pointer())
            return Reader(context, builder, words).read(arguments)

        return arguments(types.int64), generate

    return intrinsic(define)


class Reader:
    """Writes the code that reads values from a table of words, one after the other."""

    def __init__(self, context: Any, builder: ir.IRBuilder, words: ir.Value) -> None:
        self.context, self.builder, self.words = context, builder, words
        self.place = 0

    def read(self, kind: Any) -> ir.Value:
        """Return the value of this type that comes next."""
        if isinstance(kind, types.BaseTuple):
            return self.context.make_tuple(self.builder, kind, [self.read(field) for field in kind])
        word = self._word()
        if not isinstance(kind, types.Array):
            return word
        if DATA_OFFSET is not None:
            word = self.builder.load(self.builder.inttoptr(word, ir.IntType(64).as_pointer()))
        return flat_array(self.context, self.builder, kind, word, self._word())

    def _word(self) -> ir.Value:
        word = self.builder.load(self.builder.gep(self.words, [ir.IntType(64)(self.place)]))
        self.place += 1
        return word


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
    """Return new memory for `count` numbers, at a multiple of the widest register's size."""
    size = count * dtype.itemsize
    room = np.empty(size + 64, np.uint8)
    first = -room.__array_interface__["data"][0] % 64
    return room[first : first + size].view(dtype)


def scratch(name: str, count: int, dtype: np.dtype) -> np.ndarray:
    """Return memory for `count` numbers, within a thread the same for all calls with this name, enlarged if needed."""
    own = _of_thread.held
    held = own.get((name, dtype.char))
    if held is None or len(held) < count:
        held = own[name, dtype.char] = aligned(count, dtype)
    return held[:count]


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
    read = [ast.Name(a.arg, ast.Store()) for a in written.args.args[2:] if a.arg not in constants]
    call = ast.Call(ast.Name("unpack", ast.Load()), [ast.Name("table", ast.Load())], [])
    written.body.insert(0, ast.Assign([ast.Tuple(read, ast.Store())], call))
    written.args.args[2:] = [ast.arg("table")]
    written.name, written.decorator_list = name, []
    exec(compile(ast.fix_missing_locations(tree), inspect.getfile(function), "exec"), scope)
    return scope[name]


def data_offset() -> int | None:
    """Find where an array object holds the address of its data: reading it through numpy takes most of a call."""
    probe = np.empty(1)
    address = probe.__array_interface__["data"][0]
    for offset in range(0, sys.getsizeof(probe) - 8, 8):
        if ctypes.c_int64.from_address(id(probe) + offset).value == address:
            return offset
    return None


DATA_OFFSET = data_offset()


def locate(array: np.ndarray) -> int:
    """Return the word by which an entry finds the array's data."""
    return array.__array_interface__["data"][0] if DATA_OFFSET is None else id(array) + DATA_OFFSET


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

    Arguments are integers, arrays, named tuples of these, and `Constants`. Arrays may have any shape but must be
    C-ordered; the function sees them flat.
    """

    def __init__(self, function: Callable[..., None]) -> None:
        self.function = function
        self.entries: dict[tuple[Any, ...], tuple[Any, Any]] = {}

    def __call__(self, tasks: int, *arguments: Any) -> None:
        """Run all tasks, each on a thread of its own as far as there are threads."""
        flat: list[Any] = []
        for argument in arguments:
            if isinstance(argument, tuple):
                flat.append(type(argument))
                flat += argument
            else:
                flat.append(argument)
        words: list[int] = []
        kinds: list[Any] = []
        for value in flat:
            if isinstance(value, np.ndarray):
                if not value.flags.c_contiguous:
                    raise ValueError(f"{self.function.__name__}: an array is not C-ordered")
                words += (locate(value), value.size)
                kinds.append(value.dtype.char)
            elif isinstance(value, type | Constants):
                kinds.append(value)
            else:
                words.append(value)
                kinds.append(int)
        key = tuple(kinds)
        entry = self.entries.get(key) or self.compile(key)
        table = _of_thread
        struct.pack_into(f"{len(words)}q", table.words, 0, *words)
        if tasks == 1:
            entry[1](0, 1, table.address)
        else:
            launch(entry[0], tasks, table.address)

    def compile(self, kinds: tuple[Any, ...]) -> tuple[Any, Any]:
        """Compile, or load from disk, the entry for these kinds of arguments."""
        parameters, rest = list(inspect.signature(self.function).parameters)[2:], iter(kinds)
        constants: dict[str, Constants] = {}
        arguments = []
        for parameter, kind in zip(parameters, rest, strict=False):
            if isinstance(kind, Constants):
                constants[parameter] = kind
            elif kind is not int and isinstance(kind, type):
                fields = [_numba_type(next(rest)) for _ in kind._fields]
                arguments.append(types.BaseTuple.from_types(fields, kind))
            else:
                arguments.append(_numba_type(kind))
        letters = "".join("n" if kind is int else kind for kind in kinds if kind is int or isinstance(kind, str))
        name = "_".join([self.function.__name__, *(given.name for given in constants.values()), letters])
        modules = {parameter: given.module for parameter, given in constants.items()}
        scope = {**self.function.__globals__, **modules, "unpack": unpacker(tuple(arguments))}
        flags = {**FLAGS, "cache": all(given.cached for given in constants.values())}
        entry = write_entry(self.function, name, constants, scope)
        compiled = numba.cfunc(ENTRY_TYPE, fastmath=FAST, **flags)(entry)
        self.entries[kinds] = (compiled.address, Entry(compiled.address))
        return self.entries[kinds]


def _numba_type(kind: Any) -> Any:
    """Return the type of an integer, or of a flat array of this dtype."""
    return types.int64 if kind is int else types.Array(numba.from_dtype(np.dtype(kind)), 1, "C")


def task_kernel(function: Callable[..., None]) -> TaskKernel:
    """Make a kernel of a function whose tasks may run at the same time."""
    return TaskKernel(function)
