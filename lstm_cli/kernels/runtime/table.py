"""The table of arguments that the machine code of a kernel reads: integers, and arrays as their place and size."""

import ctypes
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic
from numba.np.arrayobj import populate_array


def data_offset() -> int | None:
    """Find where an array object holds the address of its data: reading it through numpy takes most of a call."""
    probe = np.empty(1)
    address = probe.__array_interface__["data"][0]
    for offset in range(0, sys.getsizeof(probe) - 8, 8):
        if ctypes.c_int64.from_address(id(probe) + offset).value == address:
            return offset
    return None


DATA_OFFSET = data_offset()


def _address(array: np.ndarray) -> int:
    return int(array.__array_interface__["data"][0])


#: What a table holds in place of an array's address.
locate: Callable[[np.ndarray], int] = id if DATA_OFFSET is not None else _address


def type_of(argument: Any) -> Any:
    """Return the type in machine code of an integer, of an array, which is flat there, or of a named tuple of these."""
    if isinstance(argument, tuple):
        return types.BaseTuple.from_types([type_of(field) for field in argument], type(argument))
    if isinstance(argument, np.ndarray):
        return types.Array(numba.from_dtype(argument.dtype), 1, "C")
    return types.int64


def unpacker(kinds: Sequence[Any]) -> Any:
    """Make the function that reads a table: integers, flat arrays, and named tuples of these."""
    arguments = types.Tuple(kinds)

    def define(context: Any, table: Any) -> Any:
        def generate(context: Any, builder: ir.IRBuilder, signature: Any, values: list[ir.Value]) -> ir.Value:
            words = builder.inttoptr(values[0], ir.IntType(64).as_pointer())
            return _Reader(context, builder, words).read(arguments)

        return arguments(types.int64), generate

    return intrinsic(define)


class _Reader:
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
            word = self.builder.add(word, ir.IntType(64)(DATA_OFFSET))
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
