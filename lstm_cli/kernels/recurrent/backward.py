"""A recurrent layer over a padded batch, backward.

`pack_transposed` lays out the weights for products from the left. `run_backward` goes back through time, shard by shard
as the forward pass did, and turns the kept gates into the gradients of their sums, in place. `weight_gradients` then
multiplies those with the inputs over all steps at once, a few columns a task, always in the same order: two runs give
the same bits.
"""

import numpy as np

from lstm_cli.kernels.cells.gates import CELLS, finish, gru_backward, lstm_backward, rnn_backward
from lstm_cli.kernels.recurrent.layout import (
    SUM_DEPTH,
    backward_scratch,
    block_counts,
    chunk_rows,
    running_rows,
    sums_scratch,
)
from lstm_cli.kernels.runtime.compilation import inlined
from lstm_cli.kernels.runtime.tasks import task_kernel
from lstm_cli.kernels.simd.packing import add, clear, copy, multiplied, ones, pack_band, pack_rows, write_transposed
from lstm_cli.kernels.simd.tile import multiply, panel_product, panel_width
from lstm_cli.kernels.simd.vector import LINE, padded

LSTM, GRU = CELLS["lstm"], CELLS["gru"]


@task_kernel
def pack_transposed(task, tasks, cell, units, inputs, weights, panels):
    """Pack this task's share of the panels: those that lead to h, then those that lead to x."""
    depth, width = block_counts(cell)[0] * units, panel_width(panels)
    stride = len(weights) // depth
    hidden = (units + width - 1) // width
    count = hidden + (inputs + width - 1) // width
    for p in range(count * task // tasks, count * (task + 1) // tasks):
        if p < hidden:
            at, columns, shift = stride - units + p * width, units - p * width, 0
        else:
            at, columns = (p - hidden) * width, inputs - (p - hidden) * width
            shift = 2 * units if cell == GRU else 0
        pack_rows(weights, at, stride, depth, columns, shift, panels, p * depth * width)


@inlined
def apply_gradient(cell, activation, units, gates, gates_at, dh, dh_at, work, product, mask, mask_at, carried, state_at,
                   cells, cells_at, before_at, running, edge_at):  # fmt: skip
    """Apply the cell's gradient to one row; the state before lies in `cells` (lstm) or at `edge_at` (gru)."""
    if cell == LSTM:
        lstm_backward(
            units, activation, gates, gates_at, dh, dh_at, work, product, mask, mask_at, carried, state_at,
            cells, cells_at, cells, before_at, running, state_at,
        )  # fmt: skip
    elif cell == GRU:
        gru_backward(
            units, activation, gates, gates_at, dh, dh_at, work, product, mask, mask_at, carried, state_at,
            work, edge_at,
        )  # fmt: skip
    else:
        rnn_backward(units, activation, gates, gates_at, dh, dh_at, work, product, mask, mask_at, carried, state_at)


@inlined
def write_dx(begin, rows, depth, kept, units, inputs, gates, panels, hidden, where, dx, work, place):
    """Multiply the gradients of some packed rows with the weights of x, and put the results in their places."""
    panel, none = panel_width(panels), np.int64(0)
    count = (inputs + panel - 1) // panel
    multiply(gates, begin * kept * units, kept * units, np.int64(1), panels, hidden * depth * panel, depth,
             work, place.zeros, none, work, place.dx, count * panel, rows, count, 0)  # fmt: skip
    for p in range(rows):
        copy(inputs, work, place.dx + p * count * panel, dx, where[begin + p] * inputs)


@inlined
def end(first, rows, steps, batch, units, inputs, lengths, order, masks, mask_step, carried, wanted, dx, work, place,
        width):  # fmt: skip
    """Complete the gradients of the initial h, and clear dx at padding."""
    for r in range(rows):
        b = order[first + r]
        mask_at = b * mask_step if mask_step > 0 else place.ones
        finish(units, work, place.product + r * width, masks, mask_at, carried, b * units)
        if wanted:
            for t in range(lengths[b], steps):
                clear(inputs, dx, (t * batch + b) * inputs)


@task_kernel
def run_backward(task, tasks, cell, activation, reverse, batch, total, inputs, units, wanted, lengths, order, shards,
                 packed, mask, h, initial, gates, cells, dh, carried, running, dx, where, before, panels,
                 work):  # fmt: skip
    """Go back through time with one shard.

    Parameters
    ----------
    wanted : 1 if dx is to be computed
    lengths, order, shards, packed, mask, h, gates, cells
        As in `run_forward`; the gates become the gradients of their sums.
    initial : (B, H), the first h
    dh : (T, B, H), or empty if it is zero
    carried, running : (B, H), the gradients of the final h and c on entry, of the initial ones on return
    dx : (T, B, I), written
    where, before : (N,), written
        For each packed row, its place t B + b, and the place of the h before it; -1 - b where that is the initial one.
    """
    first, rows = shards[task], shards[task + 1] - shards[task]
    offset = packed[task] if reverse else packed[task + 1]
    products, kept = block_counts(cell)
    depth, side, panel = products * units, (kept - products) * units, panel_width(panels)
    counts = np.empty(len(h) // (batch * units) + 1, np.int64)
    steps, one, none = running_rows(lengths, order, first, first + rows, counts), np.int64(1), np.int64(0)
    place = backward_scratch(task * (len(work) // tasks), cell, inputs, units, rows, panel)
    most, width = max(rows, chunk_rows(kept * units)), padded(units, panel)
    mask_step, flows = units if len(mask) > 0 else none, len(dh) > 0
    masks, flow = mask if mask_step else work, dh if flows else work
    ones(units, work, place.ones)
    clear(place.edge - place.zeros, work, place.zeros)
    clear(rows * width, work, place.product)
    pending = offset  # the packed rows from here on still wait for their dx
    for step in range(steps):
        t = step if reverse else steps - 1 - step
        n = counts[t]
        offset -= 0 if reverse else n
        earlier = t + 1 if reverse else t - 1  # the step before, in the direction of travel
        known = counts[earlier] if earlier >= 0 else none
        earlier_at = offset + n if reverse else offset - known
        for r in range(n):
            b = order[first + r]
            where[offset + r] = t * batch + b
            before[offset + r] = earlier * batch + b if r < known else -1 - b
            if cell == GRU:
                copy(units, h if r < known else initial, before[offset + r] * units if r < known else b * units,
                     work, place.edge)  # fmt: skip
            apply_gradient(
                cell, activation, units, gates, (offset + r) * kept * units,
                flow, (t * batch + b) * units if flows else place.zeros, work, place.product + r * width,
                masks, b * units if mask_step else place.ones, carried, b * units,
                cells, (offset + r) * units, (earlier_at + r if r < known else total + b) * units, running, place.edge,
            )  # fmt: skip
        multiply(gates, offset * kept * units + side, kept * units, one, panels, none, depth, work, place.zeros, none,
                 work, place.product, width, n, width // panel, step & 1)  # fmt: skip
        offset += n if reverse else 0
        if wanted and (abs(pending - offset) + rows > most or step == steps - 1):
            write_dx(min(pending, offset), abs(pending - offset), depth, kept, units, inputs, gates, panels,
                     width // panel, where, dx, work, place)  # fmt: skip
            pending = offset
    end(first, rows, len(counts) - 1, batch, units, inputs, lengths, order, masks, mask_step, carried, wanted, dx, work,
        place, width)  # fmt: skip


@inlined
def gather_before(units, b, there, h, initial, mask, work, target):
    """Copy the h before a packed row, under the mask."""
    source, at = (h, there * units) if there >= 0 else (initial, b * units)
    if len(mask) > 0:
        multiplied(units, source, at, mask, b * units, work, target)
    else:
        copy(units, source, at, work, target)


@inlined
def gather_block(begin, depth, with_x, with_h, inputs, units, batch, x, h, initial, mask, where, before, work, place):
    """Lay out [x, h before, 1] of some packed rows."""
    for k in range(depth):
        here, target = where[begin + k], place.block + k * place.line
        if with_x:
            copy(inputs, x, here * inputs, work, target)
            target += inputs
        if with_h:
            gather_before(units, here % batch, before[begin + k], h, initial, mask, work, target)
            target += units
        work[target] = 1.0


@inlined
def write_sums(cell, units, inputs, with_x, with_h, first, last, columns, dweights, stride, dbias, work, place):
    """Write this task's columns of the sums as rows of the weights' gradient."""
    at, none = place.sums, np.int64(0)
    shift = 2 * units if cell == GRU and with_x else 0
    if with_x:
        write_transposed(work, at, place.own, inputs, shift, columns, first, last, dweights, none, stride)
        at += inputs * place.own
    if with_h:
        write_transposed(work, at, place.own, units, none, columns, first, last, dweights, stride - units, stride)
        at += units * place.own
    for j in range(first, last):
        if with_x:
            dbias[(j + shift) % columns] = work[at + j - first]
        elif j >= 2 * units:  # m's bias
            dbias[j + units] = work[at + j - first]


@task_kernel
def weight_gradients(task, tasks, cell, units, inputs, batch, total, x, h, initial, mask, gates, where, before,
                     dweights, dbias, work):  # fmt: skip
    """Sum over all packed rows: this task's columns of the products of [x, h, 1] with the gradients of the sums.

    In a gru, x and h lead to different blocks of sums: then first [x, 1], then [h, 1].
    """
    products, kept = block_counts(cell)
    columns, panel, one, none = products * units, panel_width(gates), np.int64(1), np.int64(0)
    stride = len(dweights) // columns
    panels = (columns + panel - 1) // panel
    first, last = panels * task // tasks * panel, min(columns, panels * (task + 1) // tasks * panel)
    for side in range(kept - products + 1):
        with_x, with_h = side == 0, side == kept - products
        rows = (inputs if with_x else 0) + (units if with_h else 0) + 1
        place = sums_scratch(task * (len(work) // tasks), rows, last - first, panel)
        clear(panel, work, place.zeros)
        for begin in range(0, total, SUM_DEPTH):
            depth = min(SUM_DEPTH, total - begin)
            gather_block(begin, depth, with_x, with_h, inputs, units, batch, x, h, initial, mask, where, before, work,
                         place)  # fmt: skip
            source = (begin * kept + side) * units + first
            pack_band(gates, source, kept * units, depth, last - first, work, place.panels)
            for p in range(0, last - first, panel):
                panel_product(
                    work, place.block, one, place.line, work, place.panels + p * depth, depth,
                    work, place.sums + p if begin > 0 else place.zeros, place.own if begin > 0 else none,
                    work, place.sums + p, place.own, rows,
                )  # fmt: skip
        write_sums(cell, units, inputs, with_x, with_h, first, last, columns, dweights, stride, dbias, work, place)


@task_kernel
def table_gradient(task, tasks, cell, units, total, ids, gates, where, dtable):
    """Add the gradient of each row's sums to its token's row of the table: this task's columns."""
    products, kept = block_counts(cell)
    columns, shift = products * units, 2 * units if cell == GRU else 0
    lines = (columns + LINE - 1) // LINE
    first, last = lines * task // tasks * LINE, min(columns, lines * (task + 1) // tasks * LINE)
    seam = min(max(columns - shift, first), last)
    for v in range(len(dtable) // columns):
        clear(seam - first, dtable, v * columns + first + shift)
        clear(last - seam, dtable, v * columns + seam + shift - columns)
    for p in range(total):
        source, target = p * kept * units, ids[where[p]] * columns
        add(seam - first, gates, source + first, dtable, target + first + shift)
        add(last - seam, gates, source + seam, dtable, target + seam + shift - columns)
