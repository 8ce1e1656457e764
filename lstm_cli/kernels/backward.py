"""A recurrent layer over a padded batch, backward: three kernels, one after the other.

`pack_transposed` lays out the weights for products from the left; `run_backward` goes back through time, shard by shard
as the forward pass did, and turns the kept gates into the gradients of their sums, in place; `weight_gradients` then
multiplies those with the inputs over all steps at once, a few columns a task, in an order that does not depend on how
the tasks are run: two runs give the same bits.
"""

import numpy as np

from lstm_cli.kernels.gates import CELLS, finish, gru_backward, lstm_backward, rnn_backward
from lstm_cli.kernels.layout import LINE, backward_pieces, block_counts, chunk_rows, padded, running_rows
from lstm_cli.kernels.packing import add, clear, copy, multiplied, ones, pack_rows, write_transposed
from lstm_cli.kernels.runtime import inlined
from lstm_cli.kernels.tasks import task_kernel
from lstm_cli.kernels.tile import ROWS, multiply, panel_width, tile

LSTM, GRU = CELLS["lstm"], CELLS["gru"]
DEPTH = 192  # rows of a block in the sum over all steps


def sums_room(depth: int, columns: int, units: int, tasks: int, panel: int) -> int:
    """Numbers that one task of `weight_gradients` needs: a panel, a block of inputs, its share of the sums."""
    line = padded(columns + units + 1, LINE)
    own = (-(-depth // panel) // tasks + 1) * panel
    return padded(panel, LINE) + DEPTH * (panel + line) + line * own


@task_kernel
def pack_transposed(task, tasks, cell, units, inputs, weights, panels):
    """Pack this task's share of the panels: those that lead to dh, then those that lead to dx."""
    products, _ = block_counts(cell)
    depth, width = products * units, panel_width(panels)
    stride = len(weights) // depth
    hidden, count = (units + width - 1) // width, (units + width - 1) // width + (inputs + width - 1) // width
    for p in range(count * task // tasks, count * (task + 1) // tasks):
        if p < hidden:
            at, columns, shift = stride - units + p * width, units - p * width, 0
        else:
            at, columns = (p - hidden) * width, inputs - (p - hidden) * width
            shift = 2 * units if cell == GRU else 0
        pack_rows(weights, at, stride, depth, columns, shift, panels, p * depth * width)


@inlined
def cell_row_back(cell, activation, units, gates, gates_at, dh, dh_at, work, product, mask, mask_at, carried, carried_at,
                  cells, cells_at, before_at, running, edge_at):
    """Apply the cell's gradient to one row; the state before lies in `cells` (lstm) or at `edge_at` (gru)."""
    if cell == LSTM:
        lstm_backward(
            units, activation, gates, gates_at, dh, dh_at, work, product, mask, mask_at, carried, carried_at,
            cells, cells_at, cells, before_at, running, carried_at,
        )
    elif cell == GRU:
        gru_backward(
            units, activation, gates, gates_at, dh, dh_at, work, product, mask, mask_at, carried, carried_at,
            work, edge_at,
        )
    else:
        rnn_backward(units, activation, gates, gates_at, dh, dh_at, work, product, mask, mask_at, carried, carried_at)


@task_kernel
def run_backward(task, tasks, cell, activation, reverse, batch, total, inputs, units, dx_wanted, lengths, order, shards,
                 packed, mask, h, initial, gates, cells, dh, carried, running, dx, where, before, panels, work):
    """Go back through time with one shard; the arguments are those of `run_forward` and of `gradient`."""
    first, last, at = shards[task], shards[task + 1], packed[task]
    rows, steps_total = last - first, len(h) // (batch * units)
    products, kept = block_counts(cell)
    depth, panel = products * units, panel_width(panels)
    side = (kept - products) * units
    counts = np.empty(steps_total + 1, np.int64)
    steps = running_rows(lengths, order, first, last, counts)
    counts[steps] = 0
    most = max(rows, chunk_rows(kept * units))
    pieces = backward_pieces(inputs, units, rows, most, panel)
    product_at = task * (len(work) // tasks)
    dx_at, ones_at, zeros_at, edge_at = (
        product_at + pieces[0], product_at + pieces[1], product_at + pieces[2], product_at + pieces[3],
    )  # fmt: skip
    width = padded(units, panel)
    count, dx_count = width // panel, (inputs + panel - 1) // panel
    masked, flows = len(mask) > 0, len(dh) > 0
    masks, flow = mask if masked else work, dh if flows else work
    nothing, one = np.int64(0), np.int64(1)
    ones(units, work, ones_at)
    clear(zeros_at + padded(max(units, inputs), panel) - zeros_at, work, zeros_at)
    clear(rows * width, work, product_at)

    offset = at
    if not reverse:
        for t in range(steps):
            offset += counts[t]
    pending = offset
    for step in range(steps):
        t = step if reverse else steps - 1 - step
        n = counts[t]
        if not reverse:
            offset -= n
        earlier = t + 1 if reverse else t - 1  # the step before in the direction of travel
        known = 0 if earlier < 0 else counts[earlier]
        earlier_at = offset + n if reverse else offset - known
        for r in range(n):
            b = order[first + r]
            here = t * batch + b
            where[offset + r] = here
            inside = r < known
            there = earlier * batch + b
            before[offset + r] = there if inside else -1 - b
            if cell == GRU:
                if inside:
                    copy(units, h, there * units, work, edge_at)
                else:
                    copy(units, initial, b * units, work, edge_at)
            cell_row_back(
                cell, activation, units, gates, (offset + r) * kept * units, flow, here * units if flows else zeros_at,
                work, product_at + r * width, masks, b * units if masked else ones_at, carried, b * units,
                cells, (offset + r) * units, (earlier_at + r if inside else total + b) * units, running, edge_at,
            )
        multiply(
            gates, offset * kept * units + side, kept * units, one, panels, nothing, depth,
            work, zeros_at, nothing, work, product_at, width, n, count,
        )
        if reverse:
            offset += n
        begin, end = (pending, offset) if reverse else (offset, pending)
        if dx_wanted and (end - begin + rows > most or step == steps - 1):
            multiply(
                gates, begin * kept * units, kept * units, one, panels, count * depth * panel, depth,
                work, zeros_at, nothing, work, dx_at, dx_count * panel, end - begin, dx_count,
            )
            for p in range(end - begin):
                copy(inputs, work, dx_at + p * dx_count * panel, dx, where[begin + p] * inputs)
            pending = offset
    for r in range(rows):
        b = order[first + r]
        finish(units, work, product_at + r * width, masks, b * units if masked else ones_at, carried, b * units)
        if dx_wanted:
            for t in range(lengths[b], steps_total):
                clear(inputs, dx, (t * batch + b) * inputs)


@inlined
def gather_block(begin, depth, with_x, with_h, inputs, units, batch, x, h, initial, mask, where, before, work, at, stride):
    """Lay out [x, h before, 1] of some packed rows."""
    for k in range(depth):
        here, there, target = where[begin + k], before[begin + k], at + k * stride
        b = here % batch
        if with_x:
            copy(inputs, x, here * inputs, work, target)
            target += inputs
        if with_h:
            if len(mask) > 0:
                if there >= 0:
                    multiplied(units, h, there * units, mask, b * units, work, target)
                else:
                    multiplied(units, initial, b * units, mask, b * units, work, target)
            elif there >= 0:
                copy(units, h, there * units, work, target)
            else:
                copy(units, initial, b * units, work, target)
            target += units
        work[target] = 1.0


@task_kernel
def weight_gradients(task, tasks, cell, units, inputs, batch, total, x, h, initial, mask, gates, where, before, dweights,
                     dbias, work):
    """Sum over all packed rows: this task's columns of the products of [x, h, 1] with the gradients of the sums."""
    products, kept = block_counts(cell)
    columns, panel = products * units, panel_width(gates)
    stride = len(dweights) // columns
    panels = (columns + panel - 1) // panel
    first, last = panels * task // tasks * panel, min(columns, panels * (task + 1) // tasks * panel)
    own = padded(last - first, panel)
    zeros_at = task * (len(work) // tasks)
    panel_at = zeros_at + padded(panel, LINE)
    block_at = panel_at + DEPTH * panel
    one, nothing = np.int64(1), np.int64(0)
    clear(panel, work, zeros_at)
    for side in range(2 if kept > products else 1):
        with_x, with_h = side == 0, kept == products or side == 1
        rows = (inputs if with_x else 0) + (units if with_h else 0) + 1
        line = padded(rows, LINE)
        sums_at = block_at + DEPTH * line
        shift = 2 * units if cell == GRU and side == 0 else 0
        groups = (rows + ROWS - 1) // ROWS
        for begin in range(0, total, DEPTH):
            depth = min(DEPTH, total - begin)
            gather_block(begin, depth, with_x, with_h, inputs, units, batch, x, h, initial, mask, where, before,
                         work, block_at, line)
            for p in range(own // panel):
                source = begin * kept * units + side * units + first + p * panel
                pack_rows(gates, source, kept * units, depth, last - first - p * panel, nothing, work, panel_at)
                row = 0
                for g in range(groups):
                    size = (rows - row + groups - g - 1) // (groups - g)
                    result = sums_at + row * own + p * panel
                    tile(
                        size, work, block_at + row, one, line, work, panel_at, work, result if begin > 0 else zeros_at,
                        own if begin > 0 else nothing, work, result, own, depth,
                    )  # fmt: skip
                    row += size
        at = sums_at
        if with_x:
            write_transposed(work, at, own, inputs, shift, columns, first, last, dweights, nothing, stride)
            at += inputs * own
        if with_h:
            write_transposed(work, at, own, units, nothing, columns, first, last, dweights, stride - units, stride)
            at += units * own
        for j in range(first, last):
            if side == 0:
                dbias[(j + shift) % columns] = work[at + j - first]
            elif j >= 2 * units:
                dbias[j + units] = work[at + j - first]


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
