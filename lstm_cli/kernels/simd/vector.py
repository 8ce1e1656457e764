"""Vector code written by hand, for the loops whose speed must not depend on what the compiler makes of them.

`lanewise` turns a Python function on `Row` objects into a numba intrinsic: the function is traced once, and its
arithmetic becomes LLVM instructions on whole vector registers, the last incomplete vector under a mask. A row is an
array and the place of its first number; a long row may hold several blocks of `units` numbers (the gates of a cell).
"""

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, register_jitable

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
    some = builder.insert_element(ir.Constant(kind, ir.Undefined), count, I32(0))
    zeros = ir.Constant(ir.VectorType(I32, lanes), [0] * lanes)
    spread = builder.shuffle_vector(some, ir.Constant(kind, ir.Undefined), zeros)
    return builder.icmp_signed("<", ir.Constant(kind, list(range(lanes))), spread)


def lanewise(function: Callable[..., None]) -> Any:
    """Make an intrinsic of a function on rows: ``f(units, code…, array, place, …)`` in numba code.

    The parameters of `function` are annotated `Code` (an int64), `Row` (a flat array and a place in it) or `Rows` (a
    flat array, a place and the distance from one matrix to the next).
    """
    kinds = inspect.signature(function).parameters
    names = ["units", *_parameter_names(kinds)]

    def write(context: Any, builder: ir.IRBuilder, kinds_given: Sequence[Any], values: list[ir.Value]) -> None:
        _write_loop(function, context, builder, kinds_given, values)

    return _intrinsic(function, names, write)


def lanewise_choice(functions: Sequence[Callable[..., None]]) -> Any:
    """Make one intrinsic of several functions with the same parameters; its first argument is a function's number."""
    names = ["number", "units", *_parameter_names(inspect.signature(functions[0]).parameters)]

    def write(context: Any, builder: ir.IRBuilder, kinds_given: Sequence[Any], values: list[ir.Value]) -> None:
        end = builder.append_basic_block("chosen")
        blocks = [builder.append_basic_block("function") for _ in functions]
        switch = builder.switch(values[0], blocks[0])
        for number, (block, function) in enumerate(zip(blocks, functions, strict=True)):
            switch.add_case(I64(number), block)
            builder.position_at_end(block)
            _write_loop(function, context, builder, kinds_given[1:], values[1:])
            builder.branch(end)
        builder.position_at_end(end)

    return _intrinsic(functions[0], names, write)


def _parameter_names(kinds: Mapping[str, inspect.Parameter]) -> Iterator[str]:
    """Yield the names of the intrinsic's parameters for those of the function."""
    for name, parameter in kinds.items():
        yield name
        if parameter.annotation is not Code:
            yield f"{name}_at"
        if parameter.annotation is Rows:
            yield f"{name}_distance"


def _write_loop(
    function: Callable[..., None], context: Any, builder: ir.IRBuilder, kinds: Sequence[Any], values: list[ir.Value]
) -> None:
    """Write the loop over the units, with the function's arithmetic on each vector."""
    units, rest, dtype = values[0], zip(values[1:], kinds[1:], strict=True), None
    bound: list[Code | Row] = []
    for parameter in inspect.signature(function).parameters.values():
        value, kind = next(rest)
        if parameter.annotation is Code:
            bound.append(Code(builder, value))
            continue
        dtype, pointer = kind.dtype, array_pointer(context, builder, kind, value, next(rest)[0])
        distance = next(rest)[0] if parameter.annotation is Rows else units
        bound.append(Row(builder, pointer, distance, dtype))
    for place, mask in vectors(builder, units, lanes_of(dtype)):
        function(*(b if isinstance(b, Code) else b.at(place, mask) for b in bound))


def _intrinsic(function: Callable[..., None], names: Sequence[str], write: Callable[..., None]) -> Any:
    """Make an intrinsic with these parameters, integers and flat arrays."""

    def define(context: Any, *arguments: Any) -> Any:
        def generate(context: Any, builder: ir.IRBuilder, signature: Any, values: list[ir.Value]) -> ir.Value:
            write(context, builder, signature.args, values)
            return context.get_dummy_value()

        given = [a if isinstance(a, types.Array) else types.int64 for a in arguments]
        return types.void(*given), generate

    define.__name__, define.__doc__, define.__module__ = function.__name__, function.__doc__, function.__module__
    parameters = [inspect.Parameter(name, inspect.Parameter.POSITIONAL_ONLY) for name in ("context", *names)]
    vars(define)["__signature__"] = inspect.Signature(parameters)
    return intrinsic(define)
