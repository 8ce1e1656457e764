"""Vector registers and rows of memory, as the functions see them that `simd.lanewise` makes machine code of.

A row is an array and the place of its first number; a long row may hold several blocks of `units` numbers (the gates of
a cell).
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import register_jitable

from lstm_cli.kernels.runtime.registers import REGISTERS

LINE = 16  # floats, a whole number of vectors in either precision

# Division may become a reciprocal with one Newton step, products and sums may fuse. NaN stays what it is.
FAST = ("reassoc", "contract", "arcp", "nsz", "afn")
I64, I32 = ir.IntType(64), ir.IntType(32)
FLOATS = {types.float32: ir.FloatType(), types.float64: ir.DoubleType()}


def lanes_of(dtype: types.Float) -> int:
    """Lanes of one register for this dtype."""
    return REGISTERS.lanes * 32 // int(dtype.bitwidth)


@register_jitable
def padded(count, width):
    """Round up to a multiple of the width."""
    return (count + width - 1) // width * width


class Vector:
    """One register of floats and its arithmetic; the other operand may be a plain number."""

    def __init__(self, builder: ir.IRBuilder, value: ir.Value) -> None:
        self.builder, self.value = builder, value

    @property
    def double(self) -> bool:
        """Whether the lanes are float64."""
        return isinstance(self.value.type.element, ir.DoubleType)

    def constant(self, number: "Vector | float") -> ir.Value:
        """Return the operand as a register."""
        if isinstance(number, Vector):
            return number.value
        return ir.Constant(self.value.type, [float(number)] * self.value.type.count)

    def filled(self, number: float) -> "Vector":
        """Return a register of this kind with one number in every lane."""
        return Vector(self.builder, self.constant(number))

    def _apply(self, operation: str, left: ir.Value, right: ir.Value, flags: tuple[str, ...] = FAST) -> "Vector":
        return Vector(self.builder, getattr(self.builder, operation)(left, right, flags=flags))

    def __add__(self, other: "Vector | float") -> "Vector":
        return self._apply("fadd", self.value, self.constant(other))

    def __sub__(self, other: "Vector | float") -> "Vector":
        return self._apply("fsub", self.value, self.constant(other))

    def __rsub__(self, other: float) -> "Vector":
        return self._apply("fsub", self.constant(other), self.value)

    def __mul__(self, other: "Vector | float") -> "Vector":
        return self._apply("fmul", self.value, self.constant(other))

    def __truediv__(self, other: "Vector") -> "Vector":
        return self._apply("fdiv", self.value, self.constant(other), (*FAST, "ninf"))

    __radd__, __rmul__ = __add__, __mul__

    def where(self, comparison: str, limit: float, then: "Vector | float", otherwise: "Vector | float") -> "Vector":
        """Return `then` in the lanes that compare so with the limit, else `otherwise` (also where the lane is NaN)."""
        holds = self.builder.fcmp_ordered(comparison, self.value, self.constant(limit))
        return Vector(self.builder, self.builder.select(holds, self.constant(then), self.constant(otherwise)))

    def clamp(self, limit: float) -> "Vector":
        """Return the lanes brought into [-limit, limit]; NaN stays NaN."""
        below = self.where(">", limit, limit, self)
        return below.where("<", -limit, -limit, below)

    def call(self, name: str, *others: "Vector") -> "Vector":
        """Apply one of LLVM's own functions, such as exp or fabs."""
        kind = self.value.type
        suffix = f"v{kind.count}f{64 if self.double else 32}"
        signature = ir.FunctionType(kind, [kind] * (1 + len(others)))
        function = cgutils.get_or_insert_function(self.builder.module, signature, f"llvm.{name}.{suffix}")
        return Vector(self.builder, self.builder.call(function, [self.value, *(o.value for o in others)]))


class Row:
    """A row of numbers in memory; ``row[k]`` is the current vector of its k-th block, at k times `distance`."""

    def __init__(self, builder: ir.IRBuilder, pointer: ir.Value, distance: ir.Value, dtype: types.Float) -> None:
        self.builder, self.pointer, self.distance = builder, pointer, distance
        self.kind = ir.VectorType(FLOATS[dtype], lanes_of(dtype))
        self.size, self.place, self.mask = dtype.bitwidth // 8, I64(0), None

    def at(self, place: ir.Value, mask: ir.Value | None) -> "Row":
        """Move to the vector that starts at this unit; the mask says which of its lanes exist."""
        self.place, self.mask = place, mask
        return self

    def filled(self, number: float) -> Vector:
        """Return a register with one number in every lane."""
        return Vector(self.builder, ir.Constant(self.kind, [number] * self.kind.count))

    def _address(self, block: int) -> ir.Value:
        index = self.builder.add(self.place, self.builder.mul(self.distance, I64(block)))
        return self.builder.bitcast(self.builder.gep(self.pointer, [index]), self.kind.as_pointer())

    def _masked(self, verb: str, result: ir.Type, arguments: list[ir.Value]) -> ir.Value:
        name = f"llvm.masked.{verb}.v{self.kind.count}f{self.size * 8}.p0"
        signature = ir.FunctionType(result, [a.type for a in arguments])
        return self.builder.call(cgutils.get_or_insert_function(self.builder.module, signature, name), arguments)

    def __getitem__(self, block: int) -> Vector:
        address = self._address(block)
        if self.mask is not None:
            zeros = ir.Constant(self.kind, [0.0] * self.kind.count)
            value = self._masked("load", self.kind, [address, I32(self.size), self.mask, zeros])
        else:
            value = self.builder.load(address)
            value.align = self.size
        return Vector(self.builder, value)

    def __setitem__(self, block: int, vector: Vector) -> None:
        address = self._address(block)
        if self.mask is not None:
            self._masked("store", ir.VoidType(), [vector.value, address, I32(self.size), self.mask])
        else:
            self.builder.store(vector.value, address).align = self.size


class Rows(Row):
    """Rows of several matrices, one behind another; ``rows[k]`` is the current vector of the k-th matrix's row."""


class Code:
    """A whole number known when the kernel runs; `choose` branches on it, outside the lanes."""

    def __init__(self, builder: ir.IRBuilder, value: ir.Value) -> None:
        self.builder, self.value = builder, value

    def choose(self, cases: Mapping[int, Callable[[], Vector]]) -> Vector:
        """Return the value of the case with this number (of the first one if there is none)."""
        builder, end = self.builder, self.builder.append_basic_block("chosen")
        blocks = {number: builder.append_basic_block("case") for number in cases}
        switch = builder.switch(self.value, next(iter(blocks.values())))
        values = []
        for number, case in cases.items():
            switch.add_case(self.value.type(number), blocks[number])
            builder.position_at_end(blocks[number])
            values.append((case().value, builder.block))
            builder.branch(end)
        builder.position_at_end(end)
        result = builder.phi(values[0][0].type)
        for value, block in values:
            result.add_incoming(value, block)
        return Vector(builder, result)


def array_pointer(context: Any, builder: ir.IRBuilder, kind: types.Array, array: ir.Value, place: ir.Value) -> ir.Value:
    """Address of one element of a flat array."""
    return builder.gep(context.make_array(kind)(context, builder, array).data, [place])


def prefetch(builder: ir.IRBuilder, pointer: ir.Value) -> None:
    """Load memory into the cache that is read soon; an address that does not exist does no harm."""
    byte = ir.IntType(8).as_pointer()
    kind = ir.FunctionType(ir.VoidType(), [byte, I32, I32, I32])
    function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
    builder.call(function, [builder.bitcast(pointer, byte), I32(0), I32(3), I32(1)])  # to read, near, data


def vectors(builder: ir.IRBuilder, units: ir.Value, lanes: int) -> Iterator[tuple[ir.Value, ir.Value | None]]:
    """Write the loop over a row: yields place and mask once for the whole vectors, once for the last incomplete one."""
    whole = builder.and_(units, I64(-lanes))
    with cgutils.for_range_slice(builder, I64(0), whole, I64(lanes)) as (place, _):
        yield place, None
    with builder.if_then(builder.icmp_signed("<", whole, units)):
        yield whole, lanes_below(builder, builder.sub(units, whole), lanes)


def lanes_below(builder: ir.IRBuilder, count: ir.Value, lanes: int) -> ir.Value:
    """Return the mask of the first `count` lanes."""
    kind = ir.VectorType(I64, lanes)
    return builder.icmp_signed("<", ir.Constant(kind, list(range(lanes))), spread(builder, count, lanes))


def spread(builder: ir.IRBuilder, number: ir.Value, lanes: int) -> ir.Value:
    """Return a register with this number in every lane."""
    kind = ir.VectorType(number.type, lanes)
    some = builder.insert_element(ir.Constant(kind, ir.Undefined), number, I32(0))
    zeros = ir.Constant(ir.VectorType(I32, lanes), [0] * lanes)
    return builder.shuffle_vector(some, ir.Constant(kind, ir.Undefined), zeros)
