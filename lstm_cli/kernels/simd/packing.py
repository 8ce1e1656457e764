"""Copies into the order in which tiles read: panels of a right factor."""

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from lstm_cli.kernels.runtime.compilation import part
from lstm_cli.kernels.simd.lanewise import lanewise
from lstm_cli.kernels.simd.tile import panel_width
from lstm_cli.kernels.simd.vector import I32, I64, Row, Vector, array_pointer, lanes_below, lanes_of, prefetch

AHEAD = 256  # numbers: how far ahead of a transpose its rows are prefetched, too many for the processor to predict

# As plain loops these become gathers and scatters: numba's test for a negative index hides that neighbours follow.


@lanewise
def copy(source: Row, target: Row) -> None:
    """``copy(count, source, place, target, place)``."""
    target[0] = source[0]


@lanewise
def add(source: Row, target: Row) -> None:
    """``add(count, source, place, target, place)`` to what is there."""
    target[0] = target[0] + source[0]


@lanewise
def summed(left: Row, right: Row, target: Row) -> None:
    """``summed(count, left, place, right, place, target, place)``: the sum of two rows."""
    target[0] = left[0] + right[0]


@lanewise
def clear(target: Row) -> None:
    """``clear(count, target, place)`` to zeros."""
    target[0] = target.filled(0.0)


@lanewise
def ones(target: Row) -> None:
    """``ones(count, target, place)``."""
    target[0] = target.filled(1.0)


@lanewise
def multiplied(left: Row, right: Row, target: Row) -> None:
    """``multiplied(count, left, place, right, place, target, place)``: the product of two rows."""
    target[0] = left[0] * right[0]


@part
def pack_rows(matrix, at, stride, depth, columns, shift, panels, panels_at):
    """Pack the first `columns` of `depth` rows: ``panel[k, j] = matrix[(k + shift) % depth, j]``.

    Columns that the panel has beyond these become zeros; those beyond the panel are left out.
    """
    width = panel_width(panels)
    count = min(columns, width)
    for k in range(depth):
        source, target = at + ((k + shift) % depth) * stride, panels_at + k * width
        copy(count, matrix, source, panels, target)
        clear(width - count, panels, target + count)


@part
def pack_band(matrix, at, stride, depth, columns, panels, panels_at):
    """Pack the first `columns` of `depth` rows into as many panels as they fill, row by row, as memory is read best."""
    width = panel_width(panels)
    for k in range(depth):
        source, target = at + k * stride, panels_at + k * width
        for p in range(0, columns, width):
            count = min(width, columns - p)
            copy(count, matrix, source + p, panels, target + p * depth)
            clear(width - count, panels, target + p * depth + count)


def _transposed(builder: ir.IRBuilder, vectors: list[ir.Value]) -> list[ir.Value]:
    """Transpose a square of registers: in each round, pairs exchange their halves, quarters and so on."""
    lanes, distance = len(vectors), 1
    while distance < lanes:
        for i in range(lanes):
            if i & distance:
                continue
            upper, lower = vectors[i], vectors[i + distance]
            first = [k if not k & distance else lanes + k - distance for k in range(lanes)]
            second = [k + distance if not k & distance else lanes + k for k in range(lanes)]
            for place, mask in ((i, first), (i + distance, second)):
                choice = ir.Constant(ir.VectorType(I32, lanes), mask)
                vectors[place] = builder.shuffle_vector(upper, lower, choice)
        distance *= 2
    return vectors


@intrinsic
def transpose_square(
    context: Any, matrix: Any, at: Any, stride: Any, first: Any, rows: Any, shift: Any, count: Any,
    target: Any, target_at: Any, target_stride: Any, columns: Any,
) -> Any:  # fmt: skip
    """``target[k, j] = matrix[(first + j + shift) % rows, k]`` for the k below `count` and the j below `columns`.

    At most as many of each as a register has lanes; where ``first + j`` is beyond the rows, zeros.
    """
    i64 = types.int64

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, values: list[ir.Value]) -> ir.Value:
        _, _, stride, first, rows, shift, count, _, _, target_stride, columns = values
        dtype = signature.args[0].dtype
        lanes = lanes_of(dtype)
        source = array_pointer(context, builder, signature.args[0], values[0], values[1])
        result = array_pointer(context, builder, signature.args[7], values[7], values[8])
        square = []
        for j in range(lanes):
            column = builder.add(first, I64(j))
            row = builder.urem(builder.add(column, shift), rows)
            real = builder.select(builder.icmp_signed("<", column, rows), count, I64(0))
            address = builder.gep(source, [builder.mul(row, stride)])
            prefetch(builder, builder.gep(address, [I64(AHEAD)]))
            square.append(Row(builder, address, I64(0), dtype).at(I64(0), lanes_below(builder, real, lanes))[0].value)
        mask = lanes_below(builder, columns, lanes)
        for k, vector in enumerate(_transposed(builder, square)):
            with builder.if_then(builder.icmp_signed("<", I64(k), count)):
                address = builder.gep(result, [builder.mul(target_stride, I64(k))])
                Row(builder, address, I64(0), dtype).at(I64(0), mask)[0] = Vector(builder, vector)
        return context.get_dummy_value()

    return types.void(matrix, i64, i64, i64, i64, i64, i64, target, i64, i64, i64), generate


@part
def pack_columns(matrix, at, stride, depth, first, rows, shift, panels, panels_at):
    """Pack rows of a matrix as columns of a panel: ``panel[k, j] = matrix[(first + j + shift) % rows, k]``.

    Columns from `rows` on become zeros.
    """
    width = panel_width(panels)
    lanes = width // 2
    for k in range(0, depth, lanes):
        for j in range(0, width, lanes):
            transpose_square(
                matrix, at + k, stride, first + j, rows, shift, depth - k,
                panels, panels_at + k * width + j, width, lanes,
            )  # fmt: skip


@part
def write_transposed(source, at, stride, rows, shift, columns, first, last, target, target_at, target_stride):
    """``target[(j + shift) % columns, m] = source[m, j - first]`` for m below `rows` and j from `first` to `last`."""
    lanes = panel_width(source) // 2
    for side in range(2):  # the part before the rotation's seam, and the part after it
        begin = first if side == 0 else max(first, columns - shift)
        end = min(last, columns - shift) if side == 0 else last
        for j in range(begin, end, lanes):
            line = target_at + ((j + shift) % columns) * target_stride
            for m in range(0, rows, lanes):
                transpose_square(
                    source, at + (j - first), stride, m, rows, 0, min(lanes, end - j),
                    target, line + m, target_stride, min(lanes, rows - m),
                )  # fmt: skip
