"""Vector code written by hand, for the loops whose speed must not depend on what the compiler makes of them.

`lanewise` turns a Python function on `Row` objects into a numba intrinsic: the function is traced once, and its
arithmetic becomes LLVM instructions on whole vector registers, the last incomplete vector under a mask.
"""

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from lstm_cli.kernels.simd.vector import FLOATS, I64, Code, Row, Rows, Vector, array_pointer, lanes_of, spread, vectors


def lanewise(function: Callable[..., None]) -> Any:
    """Make an intrinsic of a function on rows: ``f(units, code…, array, place, …)`` in numba code.

    The parameters of `function` are annotated `Code` (an int64), `Vector` (a number, in every lane), `Row` (a flat
    array and a place in it) or `Rows` (a flat array, a place and the distance from one matrix to the next).
    """
    kinds = inspect.signature(function).parameters
    names = ["units", *_parameter_names(kinds)]

    def write(context: Any, builder: ir.IRBuilder, kinds_given: Sequence[Any], values: list[ir.Value]) -> None:
        _write_loop(function, context, builder, kinds_given, values)

    return _intrinsic(function, names, write)


def lanewise_sum(function: Callable[..., Vector]) -> Any:
    """Make an intrinsic that returns the sum over all units, a float64, of a function that is 0 where rows are."""
    names = ["units", *_parameter_names(inspect.signature(function).parameters)]

    def write(context: Any, builder: ir.IRBuilder, kinds_given: Sequence[Any], values: list[ir.Value]) -> ir.Value:
        bound, dtype = _bind(function, context, builder, kinds_given, values)
        lanes = lanes_of(dtype)
        zeros = ir.Constant(ir.VectorType(FLOATS[dtype], lanes), [0.0] * lanes)
        sums = cgutils.alloca_once_value(builder, zeros)
        for place, mask in vectors(builder, values[0], lanes):
            value = function(*(b.at(place, mask) if isinstance(b, Row) else b for b in bound))
            builder.store((Vector(builder, builder.load(sums)) + value).value, sums)
        zero = ir.Constant(FLOATS[dtype], 0.0)
        signature = ir.FunctionType(zero.type, [zero.type, zeros.type])
        name = f"llvm.vector.reduce.fadd.v{lanes}f{dtype.bitwidth}"
        total = cgutils.get_or_insert_function(builder.module, signature, name)
        found = builder.call(total, [zero, builder.load(sums)], fastmath=("reassoc",))
        return found if dtype is types.float64 else builder.fpext(found, FLOATS[types.float64])

    return _intrinsic(function, names, write, types.float64)


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
        if parameter.annotation not in (Code, Vector):
            yield f"{name}_at"
        if parameter.annotation is Rows:
            yield f"{name}_distance"


def _bind(
    function: Callable[..., Any], context: Any, builder: ir.IRBuilder, kinds: Sequence[Any], values: list[ir.Value]
) -> tuple[list[Code | Vector | Row], types.Float]:
    """Return what the function takes, and the dtype of its rows."""
    units, rest = values[0], zip(values[1:], kinds[1:], strict=True)
    dtype = next(kind.dtype for kind in kinds if isinstance(kind, types.Array))
    bound: list[Code | Vector | Row] = []
    for parameter in inspect.signature(function).parameters.values():
        value, kind = next(rest)
        if parameter.annotation is Code:
            bound.append(Code(builder, value))
        elif parameter.annotation is Vector:
            number = value if dtype is types.float64 else builder.fptrunc(value, FLOATS[dtype])
            bound.append(Vector(builder, spread(builder, number, lanes_of(dtype))))
        else:
            pointer = array_pointer(context, builder, kind, value, next(rest)[0])
            distance = next(rest)[0] if parameter.annotation is Rows else units
            bound.append(Row(builder, pointer, distance, dtype))
    return bound, dtype


def _write_loop(
    function: Callable[..., None], context: Any, builder: ir.IRBuilder, kinds: Sequence[Any], values: list[ir.Value]
) -> None:
    """Write the loop over the units, with the function's arithmetic on each vector."""
    bound, dtype = _bind(function, context, builder, kinds, values)
    for place, mask in vectors(builder, values[0], lanes_of(dtype)):
        function(*(b.at(place, mask) if isinstance(b, Row) else b for b in bound))


def _intrinsic(
    function: Callable[..., Any], names: Sequence[str], write: Callable[..., Any], result: Any = types.void
) -> Any:
    """Make an intrinsic with these parameters, integers, float64 and flat arrays."""

    def define(context: Any, *arguments: Any) -> Any:
        def generate(context: Any, builder: ir.IRBuilder, signature: Any, values: list[ir.Value]) -> ir.Value:
            returned = write(context, builder, signature.args, values)
            return context.get_dummy_value() if returned is None else returned

        return result(*map(_taken_as, arguments)), generate

    define.__name__, define.__doc__, define.__module__ = function.__name__, function.__doc__, function.__module__
    parameters = [inspect.Parameter(name, inspect.Parameter.POSITIONAL_ONLY) for name in ("context", *names)]
    vars(define)["__signature__"] = inspect.Signature(parameters)
    return intrinsic(define)


def _taken_as(argument: Any) -> Any:
    if isinstance(argument, types.Array):
        return argument
    return types.float64 if isinstance(argument, types.Float) else types.int64
