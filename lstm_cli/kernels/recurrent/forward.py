"""A recurrent layer over a padded batch, forward.

The batch is ordered longest first (`order`), so that step t concerns the first n_t rows only, and cut into shards of
neighbouring rows; each shard runs through all of time on one thread without waiting for another. What x adds to the
sums is computed for several steps at a time, what h adds at each step. What the gradient needs is kept packed, without
padding: the rows of the first shard's step 0, of its step 1, …, then the second shard's.

Floats kept per sequence, real step and unit beside the output h itself:

    rnn 1 (h)      lstm 5 (i f o z, c)      gru 4 (n r u m)

An lstm also keeps the c that each sequence starts from. In the backward pass the gradients of the sums overwrite the
gates.
"""

import numpy as np

from lstm_cli.kernels.cells.gates import CELLS, gru_forward, lstm_forward, rnn_forward
from lstm_cli.kernels.recurrent.layout import NEARBY, block_counts, chunk_rows, forward_scratch, running_rows
from lstm_cli.kernels.runtime.compilation import inlined
from lstm_cli.kernels.runtime.tasks import task_kernel
from lstm_cli.kernels.simd.packing import clear, copy, multiplied, ones, pack_columns, summed
from lstm_cli.kernels.simd.tile import ROWS, multiply, panel_width
from lstm_cli.kernels.simd.vector import LINE, padded

LSTM, GRU = CELLS["lstm"], CELLS["gru"]


@task_kernel
def pack_weights(task, tasks, cell, units, inputs, weights, panels):
    """Pack this task's share of the panels: those of x, then those of h."""
    products, _ = block_counts(cell)
    columns, width, none = products * units, panel_width(panels), np.int64(0)
    stride = len(weights) // columns
    count = (columns + width - 1) // width
    shift = 2 * units if cell == GRU else 0
    for p in range(count * task // tasks, count * (task + 1) // tasks):
        pack_columns(weights, none, stride, inputs, p * width, columns, shift, panels, p * width * inputs)
        at = count * width * inputs + p * width * units
        pack_columns(weights, stride - units, stride, units, p * width, columns, none, panels, at)


@inlined
def begin(cell, keeps, first, rows, units, batch, total, lengths, order, bias, masks, mask_step, h, state, running,
          cells, work, place):  # fmt: skip
    """Fill the constant rows, the h that enters the first step, and what lies beyond the sequences' ends."""
    ones(units, work, place.ones)
    clear(place.width, work, place.start)
    if cell == GRU:
        copy(units, bias, 2 * units, work, place.start)
        copy(2 * units, bias, 0, work, place.start + units)
        copy(units, bias, 3 * units, work, place.start + 3 * units)
    else:
        copy(len(bias), bias, 0, work, place.start)
    for r in range(rows):
        b = order[first + r]
        mask_at = b * mask_step if mask_step > 0 else place.ones
        multiplied(units, state, b * units, masks, mask_at, work, place.hidden + r * padded(units, LINE))
        if keeps and cell == LSTM:
            copy(units, running, b * units, cells, (total + b) * units)
        for t in range(lengths[b], len(h) // (batch * units)):
            clear(units, h, (t * batch + b) * units)


@inlined
def apply_cell(cell, activation, units, work, z, gates, gates_at, state, state_at, mask, mask_at, hidden, h, h_at,
               cells, cells_at, running):  # fmt: skip
    """Apply the cell to one row."""
    if cell == LSTM:
        lstm_forward(
            units, activation, work, z, gates, gates_at, state, state_at, mask, mask_at, work, hidden, h, h_at,
            running, state_at, cells, cells_at,
        )  # fmt: skip
    elif cell == GRU:
        gru_forward(units, activation, work, z, gates, gates_at, state, state_at, mask, mask_at, work, hidden, h, h_at)
    else:
        rnn_forward(units, activation, work, z, gates, gates_at, state, state_at, mask, mask_at, work, hidden, h, h_at)


@inlined
def chunk_size(steps, step, row, reverse, counts, most, splits):
    """Choose how many rows come next: whole steps, as many as fit, or where it `splits` an even part of a large one."""
    running = counts[steps - 1 - step if reverse else step]
    if splits and running > ROWS:
        parts = (running + ROWS - 1) // ROWS
        return min((running + parts - 1) // parts, running - row)
    size, following = running, step + 1
    while following < steps and size + counts[steps - 1 - following if reverse else following] <= most:
        size += counts[steps - 1 - following if reverse else following]
        following += 1
    return size


@inlined
def input_sums(cell, units, inputs, batch, reverse, first, steps, step, row, size, counts, order, x, ids, table,
               panels, count, work, place):  # fmt: skip
    """Begin the next rows of sums: the bias, and what x or a token's row of the table adds."""
    shift, columns, none = 2 * units if cell == GRU else 0, block_counts(cell)[0] * units, np.int64(0)
    for k in range(size):
        t = steps - 1 - step if reverse else step
        where, target = t * batch + order[first + row], place.z + k * place.width
        if len(ids) > 0:
            source = ids[where] * columns
            summed(columns - shift, table, source + shift, work, place.start, work, target)
            summed(shift, table, source, work, place.start + columns - shift, work, target + columns - shift)
        else:
            copy(inputs, x, where * inputs, work, place.x + k * inputs)
        if cell == GRU:
            copy(units, work, place.start + columns, work, target + columns)
        row += 1
        if row == counts[t]:
            step, row = step + 1, none
    if len(ids) == 0:
        multiply(work, place.x, inputs, np.int64(1), panels, none, inputs, work, place.start, none,
                 work, place.z, place.width, size, count, 0)  # fmt: skip


@task_kernel
def run_forward(task, tasks, cell, activation, reverse, batch, total, inputs, units, x, ids, table, lengths, order,
                shards, packed, bias, mask, h, state, running, gates, cells, panels, work):  # fmt: skip
    """Run one shard through time.

    Parameters
    ----------
    x, ids, table : (T, B, I), (T, B), (V, G H)
        Numbers, or tokens and what each adds to the sums; either may be empty.
    lengths, order, shards, packed : as `layout.Plan` has them; `total` is the sum of the lengths
    mask : (B, H) or empty
    h : (T, B, H), written
    state, running : (B, H), the initial h and c on entry, the final ones on return
    gates, cells : (N, blocks, H), (N + B, H), written, or empty if nothing is to be kept
        The last B cells are the initial c.
    panels, work
        The packed weights, and scratch memory of all tasks.
    """
    first, rows = shards[task], shards[task + 1] - shards[task]
    products, kept = block_counts(cell)
    counts = np.empty(len(h) // (batch * units) + 1, np.int64)
    steps, one, none = running_rows(lengths, order, first, first + rows, counts), np.int64(1), np.int64(0)
    panel = panel_width(panels)
    place = forward_scratch(task * (len(work) // tasks), cell, inputs, units, rows, panel)
    most, side, line = max(rows, chunk_rows(kept * units)), (kept - products) * units, padded(units, LINE)
    count, splits = (products * units + panel - 1) // panel, products * units * (inputs + units) <= NEARBY
    keeps, mask_step = len(gates) > 0, units if len(mask) > 0 else none
    kept_gates, kept_cells, masks = gates if keeps else work, cells if keeps else work, mask if mask_step else work
    begin(cell, keeps, first, rows, units, batch, total, lengths, order, bias, masks, mask_step, h, state, running,
          cells, work, place)  # fmt: skip
    offset = packed[task + 1] - counts[steps - 1] if reverse else packed[task]
    step, row = none, none
    while step < steps:
        size = chunk_size(steps, step, row, reverse, counts, most, splits)
        input_sums(cell, units, inputs, batch, reverse, first, steps, step, row, size, counts, order, x, ids, table,
                   panels, count, work, place)  # fmt: skip
        z = place.z
        while size > 0:
            t = steps - 1 - step if reverse else step
            n = min(size, counts[t] - row)
            multiply(work, place.hidden + row * line, line, one, panels, count * panel * inputs, units, work, z + side,
                     place.width, work, z + side, place.width, n, count, step & 1)  # fmt: skip
            for r in range(row, row + n):
                b = order[first + r]
                apply_cell(
                    cell, activation, units, work, z + (r - row) * place.width,
                    kept_gates, (offset + r) * kept * units if keeps else place.spare, state, b * units,
                    masks, b * units if mask_step else place.ones, place.hidden + r * line, h, (t * batch + b) * units,
                    kept_cells, (offset + r) * units if keeps else place.spare + kept * units, running,
                )  # fmt: skip
            z, size, row = z + n * place.width, size - n, row + n
            if row == counts[t]:
                offset += -counts[t - 1] if reverse else counts[t]
                step, row = step + 1, none
