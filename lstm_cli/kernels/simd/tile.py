"""Small matrix products held in vector registers: what every large product here is made of.

The right factor is packed into panels, `PANEL` columns each, so that a step along the depth is two vector loads:

    panels[p, k, j] = right[k, p * PANEL + j]        zeros where that column does not exist

A tile is up to `ROWS` rows of one panel: ``c = start + a @ panel``, all of its sums in registers. Fewer rows than
`BUSY_ROWS` are too few sums to keep the arithmetic units busy, as each sum waits for its last product; these take
several panels at once. The left factor is read in place, by the distance of its rows and of its steps, so its
transpose costs nothing; a start row at distance 0 is a bias. Everything is a flat array and a place in it.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, register_jitable

from lstm_cli.kernels.runtime.compilation import part
from lstm_cli.kernels.runtime.registers import REGISTERS
from lstm_cli.kernels.simd.vector import FLOATS, I32, I64, array_pointer, lanes_of

ROWS = REGISTERS.rows
VECTORS = 2
BUSY_ROWS = 4  # rows of one panel whose sums keep the arithmetic units busy


@register_jitable
def panels_abreast(rows):
    """Panels that a tile of this many rows takes at once."""
    return (BUSY_ROWS + rows - 1) // rows


def panel_columns(dtype: np.dtype) -> int:
    """Columns of a panel in this dtype, for Python."""
    return VECTORS * REGISTERS.lanes * 4 // dtype.itemsize


@intrinsic
def panel_width(context: Any, array: types.Array) -> Any:
    """Columns of a panel in the dtype of this array."""
    width = VECTORS * lanes_of(array.dtype)
    return types.int64(array), lambda context, builder, signature, values: I64(width)


def _write_tile(builder: ir.IRBuilder, rows: int, abreast: int, arguments: list[ir.Value], kind: ir.VectorType) -> None:
    """Write the loop along the depth for this many rows and panels."""
    a, a_row, a_step, panel, start, start_row, c, c_row, depth = arguments
    size = 8 if isinstance(kind.element, ir.DoubleType) else 4
    lanes = kind.count
    name = f"llvm.fma.v{lanes}f{size * 8}"
    fma = cgutils.get_or_insert_function(builder.module, ir.FunctionType(kind, [kind] * 3), name)
    undefined, splat = ir.Constant(kind, ir.Undefined), ir.Constant(ir.VectorType(I32, lanes), [0] * lanes)

    def address(base: ir.Value, distance: ir.Value, row: int, vector: int) -> ir.Value:
        index = builder.add(builder.mul(distance, I64(row)), I64(vector * lanes))
        return builder.bitcast(builder.gep(base, [index]), kind.as_pointer())

    def load(pointer: ir.Value, alignment: int) -> ir.Value:
        value = builder.load(pointer)
        value.align = alignment
        return value

    vectors = abreast * VECTORS
    panels = [builder.gep(panel, [builder.mul(depth, I64(p * VECTORS * lanes))]) for p in range(abreast)]
    places = [(row, vector) for row in range(rows) for vector in range(vectors)]
    first = [load(address(start, start_row, *place), size) for place in places]
    a_rows = [builder.gep(a, [builder.mul(a_row, I64(row))]) for row in range(rows)]
    before, body, end = builder.block, builder.append_basic_block("step"), builder.append_basic_block("end")
    builder.cbranch(builder.icmp_signed(">", depth, I64(0)), body, end)

    builder.position_at_end(body)
    k, offset = builder.phi(I64), builder.phi(I64)
    sums = [builder.phi(kind) for _ in places]
    line = builder.mul(k, I64(VECTORS * lanes))
    columns = [load(address(base, line, 1, vector), size * lanes) for base in panels for vector in range(VECTORS)]
    products = []
    for row in range(rows):
        number = load(builder.gep(a_rows[row], [offset]), size)
        spread = builder.shuffle_vector(builder.insert_element(undefined, number, I32(0)), undefined, splat)
        products += [builder.call(fma, [spread, columns[v], sums[row * vectors + v]]) for v in range(vectors)]
    following = builder.add(k, I64(1))
    for phi, initial, value in zip(
        [k, offset, *sums], [I64(0), I64(0), *first], [following, builder.add(offset, a_step), *products], strict=True
    ):
        phi.add_incoming(initial, before)
        phi.add_incoming(value, body)
    builder.cbranch(builder.icmp_signed("<", following, depth), body, end)

    builder.position_at_end(end)
    totals = [builder.phi(kind) for _ in places]
    for total, initial, product in zip(totals, first, products, strict=True):
        total.add_incoming(initial, before)
        total.add_incoming(product, body)
    for place, total in zip(places, totals, strict=True):
        builder.store(total, address(c, c_row, *place)).align = size
    builder.ret_void()


def _tile_function(module: ir.Module, dtype: types.Float) -> ir.Function:
    """Return the function of this module that computes a tile of 1 to `ROWS` rows, of one panel or of those abreast."""
    number = FLOATS[dtype]
    pointer = number.as_pointer()
    signature = ir.FunctionType(ir.VoidType(), [I64, I64, pointer, I64, I64, pointer, pointer, I64, pointer, I64, I64])
    function = cgutils.get_or_insert_function(module, signature, f"lstm_cli.tile.{dtype}")
    if function.is_declaration:
        function.linkage = "internal"
        function.attributes.add("noinline")
        builder = ir.IRBuilder(function.append_basic_block("entry"))
        kind = ir.VectorType(number, lanes_of(dtype))
        shapes = [(rows, 1) for rows in range(1, ROWS + 1)]
        shapes += [(rows, panels_abreast(rows)) for rows in range(1, BUSY_ROWS)]
        blocks = [function.append_basic_block(f"rows{rows}.panels{abreast}") for rows, abreast in shapes]
        shape = builder.add(builder.mul(function.args[1], I64(ROWS + 1)), function.args[0])
        switch = builder.switch(shape, blocks[ROWS - 1])
        for (rows, abreast), block in zip(shapes, blocks, strict=True):
            switch.add_case(I64(abreast * (ROWS + 1) + rows), block)
            builder.position_at_end(block)
            _write_tile(builder, rows, abreast, list(function.args[2:]), kind)
    return function


@intrinsic
def tile(
    context: Any, rows: Any, abreast: Any, a: Any, a_at: Any, a_row: Any, a_step: Any, panels: Any, panels_at: Any,
    start: Any, start_at: Any, start_row: Any, c: Any, c_at: Any, c_row: Any, depth: Any,
) -> Any:  # fmt: skip
    """``c[r, :] = start[r, :] + sum_k a[r, k] panel[k, :]`` for `rows` rows, 1 to `ROWS`, of `abreast` panels."""
    i64 = types.int64
    arguments = (i64, i64, a, i64, i64, i64, panels, i64, start, i64, i64, c, i64, i64, i64)

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, values: list[ir.Value]) -> ir.Value:
        def pointer(i: int) -> ir.Value:
            return array_pointer(context, builder, signature.args[i], values[i], values[i + 1])

        given = [*values[:2], pointer(2), *values[4:6], pointer(6), pointer(8), values[10], pointer(11)]
        builder.call(_tile_function(builder.module, signature.args[2].dtype), [*given, *values[13:]])
        return context.get_dummy_value()

    return types.void(*arguments), generate


@part
def panel_product(a, a_at, a_row, a_step, panel, panel_at, depth, start, start_at, start_row, c, c_at, c_row, rows):
    """``c = start + a @ panel`` for any number of rows, in tiles of about one size: 14 rows are 7 + 7, not 12 + 2."""
    groups = (rows + ROWS - 1) // ROWS
    row = 0
    for g in range(groups):
        size = (rows - row + groups - g - 1) // (groups - g)
        tile(
            size, np.int64(1), a, a_at + row * a_row, a_row, a_step, panel, panel_at,
            start, start_at + row * start_row, start_row, c, c_at + row * c_row, c_row, depth,
        )  # fmt: skip
        row += size


@part
def multiply(a, a_at, a_row, a_step, panels, panels_at, depth, start, start_at, start_row, c, c_at, c_row, rows, count,
             backwards):  # fmt: skip
    """``c = start + a @ panels`` for `rows` rows and `count` panels; c must have room for whole panels.

    `backwards` takes the last panel first: a caller that alternates finds the panels of its last call in the cache.
    """
    width = panel_width(panels)
    abreast = panels_abreast(rows)
    first = count // abreast * abreast if abreast > 1 else 0
    for k in range(0, first, abreast):
        p = first - abreast - k if backwards else k
        tile(
            rows, abreast, a, a_at, a_row, a_step, panels, panels_at + p * depth * width,
            start, start_at + p * width, start_row, c, c_at + p * width, c_row, depth,
        )  # fmt: skip
    for k in range(first, count):
        p = first + count - 1 - k if backwards else k
        panel_product(
            a, a_at, a_row, a_step, panels, panels_at + p * depth * width, depth,
            start, start_at + p * width, start_row, c, c_at + p * width, c_row, rows,
        )  # fmt: skip
