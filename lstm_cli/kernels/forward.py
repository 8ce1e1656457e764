"""A recurrent layer over a padded batch, forward.

The batch is ordered longest first (`order`), so that step t concerns the first n_t rows only, and cut into shards of
neighbouring rows; each shard runs through all of time on one thread without waiting for another. What the gradient
needs is kept packed, without padding: the rows of the first shard's step 0, of its step 1, …, then the second shard's.

Floats kept per sequence, real step and unit beside the output h itself:

    rnn 1 (h)      lstm 5 (i f o z, c)      gru 4 (n r u m)

In the backward pass the gradients of the gates overwrite them.
"""

import numpy as np

from lstm_cli.kernels.gates import CELLS, gru_forward, lstm_forward, rnn_forward
from lstm_cli.kernels.layout import LINE, block_counts, chunk_rows, forward_pieces, padded, running_rows
from lstm_cli.kernels.packing import add, clear, copy, multiplied, ones, pack_columns
from lstm_cli.kernels.runtime import inlined, part
from lstm_cli.kernels.tasks import task_kernel
from lstm_cli.kernels.tile import multiply, panel_width

LSTM, GRU = CELLS["lstm"], CELLS["gru"]


@inlined
def start_row(cell, units, bias, work, at, width):
    """Lay out the bias as the first row of sums."""
    clear(width, work, at)
    if cell == GRU:
        copy(units, bias, 2 * units, work, at)
        copy(2 * units, bias, 0, work, at + units)
        copy(units, bias, 3 * units, work, at + 3 * units)
    else:
        copy(len(bias), bias, 0, work, at)


@inlined
def gather_sums(cell, units, ids, table, work, z_at, start_at, width, row, where):
    """Begin a row of sums: the bias, and the table's row where the input is a token."""
    target = z_at + row * width
    copy(width, work, start_at, work, target)
    if len(ids) > 0:
        columns = block_counts(cell)[0] * units
        shift = 2 * units if cell == GRU else 0
        source = ids[where] * columns
        add(columns - shift, table, source + shift, work, target)
        add(shift, table, source, work, target + columns - shift)


@inlined
def cell_row(cell, activation, units, work, z, gates, gates_at, state, state_at, mask, mask_at, hidden, h, h_at,
             cells, cells_at, running, running_at):
    """Apply the cell to one row."""
    if cell == LSTM:
        lstm_forward(
            units, activation, work, z, gates, gates_at, state, state_at, mask, mask_at, work, hidden, h, h_at,
            running, running_at, cells, cells_at,
        )
    elif cell == GRU:
        gru_forward(
            units, activation, work, z, gates, gates_at, state, state_at, mask, mask_at, work, hidden, h, h_at
        )
    else:
        rnn_forward(
            units, activation, work, z, gates, gates_at, state, state_at, mask, mask_at, work, hidden, h, h_at
        )


@inlined
def run_shard(cell, activation, reverse, x, ids, table, lengths, order, bias, mask, h, state, running, gates, cells,
              panels, work, work_at, first, last, packed, batch, total, inputs, units):
    """Run the rows `first` to `last` through time; `packed` is the place of their first row in `gates`."""
    rows = last - first
    steps_total = len(h) // (batch * units)
    counts = np.empty(steps_total, np.int64)
    steps = running_rows(lengths, order, first, last, counts)
    products, kept = block_counts(cell)
    panel = panel_width(panels)
    most = 0
    for t in range(steps):
        most += counts[t]
    most = max(rows, min(most, chunk_rows(kept * units)))
    width, x_at, hidden_at, ones_at, start_at, spare_at, _ = forward_pieces(cell, inputs, units, rows, most, panel)
    x_at, hidden_at, ones_at, start_at, spare_at = (
        work_at + x_at, work_at + hidden_at, work_at + ones_at, work_at + start_at, work_at + spare_at,
    )
    z_at = work_at
    hidden_width = padded(units, LINE)
    count = (products * units + panel - 1) // panel
    nothing = np.int64(0)
    one = np.int64(1)
    hidden_panels = count * panel * inputs
    side = (kept - products) * units
    start_row(cell, units, bias, work, start_at, width)
    ones(units, work, ones_at)
    keep = len(gates) > 0
    masked = len(mask) > 0
    kept_gates = gates if keep else work
    kept_cells = cells if keep else work
    masks = mask if masked else work

    for r in range(rows):
        b = order[first + r]
        multiplied(units, state, b * units, masks, b * units if masked else ones_at, work, hidden_at + r * hidden_width)
        if keep and cell == LSTM:
            copy(units, running, b * units, cells, (total + b) * units)
        for t in range(lengths[b], steps_total):
            clear(units, h, (t * batch + b) * units)

    done = 0
    offset = packed
    if reverse:
        for t in range(steps):
            offset += counts[t]
    while done < steps:
        # a chunk: as many of the following steps as their sums fit
        some, ahead = 0, 0
        while done + ahead < steps:
            t = steps - 1 - done - ahead if reverse else done + ahead
            if some + counts[t] > most:
                break
            r0 = some
            for r in range(counts[t]):
                where = t * batch + order[first + r]
                gather_sums(cell, units, ids, table, work, z_at, start_at, width, r0 + r, where)
                copy(inputs, x, where * inputs, work, x_at + (r0 + r) * inputs)
            some += counts[t]
            ahead += 1
        if inputs > 0:
            multiply(work, x_at, inputs, one, panels, nothing, inputs, work, z_at, width, work, z_at, width, some, count)
        row = 0
        for a in range(ahead):
            t = steps - 1 - done if reverse else done
            n = counts[t]
            if reverse:
                offset -= n
            z = z_at + row * width
            multiply(
                work, hidden_at, hidden_width, one, panels, hidden_panels, units,
                work, z + side, width, work, z + side, width, n, count,
            )
            for r in range(n):
                b = order[first + r]
                cell_row(
                    cell, activation, units, work, z + r * width,
                    kept_gates, (offset + r) * kept * units if keep else spare_at, state, b * units,
                    masks, b * units if masked else ones_at, hidden_at + r * hidden_width,
                    h, (t * batch + b) * units,
                    kept_cells, (offset + r) * units if keep else spare_at, running, b * units,
                )
            if not reverse:
                offset += n
            row += n
            done += 1


@task_kernel
def pack_weights(task, tasks, cell, units, inputs, weights, panels):
    """Pack this task's share of the panels: those of x, then those of h."""
    products, _ = block_counts(cell)
    stride = len(weights) // (products * units)
    columns, width = products * units, panel_width(panels)
    count = (columns + width - 1) // width
    shift = 2 * units if cell == GRU else 0
    for p in range(count * task // tasks, count * (task + 1) // tasks):
        pack_columns(weights, np.int64(0), stride, inputs, p * width, columns, shift, panels, p * width * inputs)
        at = count * width * inputs + p * width * units
        pack_columns(weights, stride - units, stride, units, p * width, columns, np.int64(0), panels, at)


@task_kernel
def run_forward(task, tasks, cell, activation, reverse, batch, total, inputs, units, x, ids, table, lengths, order, shards, packed, bias, mask, h, state,
                      running, gates, cells, panels, work):
    """x (T, B, I) …"""
    run_shard(
            cell, activation, reverse, x, ids, table, lengths, order, bias, mask, h, state, running, gates, cells,
            panels, work, task * (len(work) // tasks), shards[task], shards[task + 1], packed[task], batch,
            total, inputs, units,
        )
