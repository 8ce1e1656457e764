"""The gradients of a recurrent layer's weights: the gradients of the sums times the inputs, over all steps at once.

Each task takes some columns, and adds up in the order of the packed steps: two runs give the same bits.
"""

import numpy as np

from lstm_cli.kernels.recurrent.layout import SUM_DEPTH, sums_scratch
from lstm_cli.kernels.runtime.compilation import inlined
from lstm_cli.kernels.runtime.tasks import task_kernel
from lstm_cli.kernels.simd.packing import add, clear, copy, multiplied, pack_band, write_transposed
from lstm_cli.kernels.simd.tile import panel_product, panel_width
from lstm_cli.kernels.simd.vector import LINE


@inlined
def gather_before(units, b, there, h, initial, mask, work, target):
    """Copy the h before a packed step, under the mask."""
    source, at = (h, there * units) if there >= 0 else (initial, b * units)
    if len(mask) > 0:
        multiplied(units, source, at, mask, b * units, work, target)
    else:
        copy(units, source, at, work, target)


@inlined
def gather_block(begin, depth, with_x, with_h, shape, x, h, initial, mask, positions, work, place):
    """Lay out [x, h before, 1] of some packed steps."""
    for k in range(depth):
        here, target = positions.where[begin + k], place.block + k * place.line
        if with_x:
            copy(shape.inputs, x, here * shape.inputs, work, target)
            target += shape.inputs
        if with_h:
            gather_before(
                shape.units, here % shape.batch, positions.before[begin + k], h, initial, mask, work, target
            )  # fmt: skip
            target += shape.units
        work[target] = 1.0


@inlined
def write_sums(cell, shape, with_x, with_h, first, last, dweights, dbias, work, place):
    """Write this task's columns of the sums as rows of the weights' gradient."""
    units, inputs, columns = shape.units, shape.inputs, cell.weight_blocks * shape.units
    stride, at, none = len(dweights) // columns, place.sums, np.int64(0)  # with tokens, `inputs` is 0
    shift = cell.first_gate * units if with_x else 0
    if with_x:
        write_transposed(work, at, place.own, inputs, shift, columns, first, last, dweights, none, stride)
        at += inputs * place.own
    if with_h:
        write_transposed(work, at, place.own, units, none, columns, first, last, dweights, stride - units, stride)
        at += units * place.own
    for j in range(first, last):
        if with_x:
            dbias[(j + shift) % columns] = work[at + j - first]
        elif j >= columns - cell.apart * units:  # the second bias of a gate whose sums are apart
            dbias[j + cell.apart * units] = work[at + j - first]


@task_kernel
def weight_gradients(task, tasks, cell, shape, x, h, initial, mask, gates, positions, dweights, dbias, work):
    """Sum over all packed steps: this task's columns of the products of [x, h, 1] with the gradients of the sums.

    Where x and h lead to different blocks of sums: first [x, 1], then [h, 1].

    Parameters
    ----------
    shape, positions : groups of `recurrent.arguments`
    x, h, initial, mask : (T, B, I), (T, B, H), (B, H), (B, H) or empty
    gates : (N, blocks, H), the gradients of the sums
    dweights, dbias : written
    work
        Scratch memory of all tasks.
    """
    units, total, row = shape.units, len(positions.where), cell.kept_blocks * shape.units
    columns, panel, one, none = cell.weight_blocks * units, panel_width(gates), np.int64(1), np.int64(0)
    panels, sides = (columns + panel - 1) // panel, 2 if cell.apart > 0 else 1
    first, last = panels * task // tasks * panel, min(columns, panels * (task + 1) // tasks * panel)
    for side in range(sides):
        with_x, with_h = side == 0, side == sides - 1
        rows = (shape.inputs if with_x else 0) + (units if with_h else 0) + 1
        place = sums_scratch(task * (len(work) // tasks), rows, last - first, panel)
        clear(panel, work, place.zeros)
        for begin in range(0, total, SUM_DEPTH):
            depth = min(SUM_DEPTH, total - begin)
            gather_block(begin, depth, with_x, with_h, shape, x, h, initial, mask, positions, work, place)
            source = begin * row + side * cell.apart * units + first
            pack_band(gates, source, row, depth, last - first, work, place.panels)
            for p in range(0, last - first, panel):
                panel_product(
                    work, place.block, one, place.line, work, place.panels + p * depth, depth,
                    work, place.sums + p if begin > 0 else place.zeros, place.own if begin > 0 else none,
                    work, place.sums + p, place.own, rows,
                )  # fmt: skip
        write_sums(cell, shape, with_x, with_h, first, last, dweights, dbias, work, place)


@task_kernel
def table_gradient(task, tasks, cell, shape, ids, gates, positions, dtable):
    """Add the gradient of each step's sums to its token's row of the table (V, G H): this task's columns."""
    units, row = shape.units, cell.kept_blocks * shape.units
    columns, shift = cell.weight_blocks * units, cell.first_gate * units
    lines = (columns + LINE - 1) // LINE
    first, last = lines * task // tasks * LINE, min(columns, lines * (task + 1) // tasks * LINE)
    seam = min(max(columns - shift, first), last)
    for v in range(len(dtable) // columns):
        clear(seam - first, dtable, v * columns + first + shift)
        clear(last - seam, dtable, v * columns + seam + shift - columns)
    for p in range(len(positions.where)):
        source, target = p * row, ids[positions.where[p]] * columns
        add(seam - first, gates, source + first, dtable, target + first + shift)
        add(last - seam, gates, source + seam, dtable, target + seam + shift - columns)
