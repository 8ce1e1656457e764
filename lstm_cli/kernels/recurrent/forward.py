"""A recurrent layer over a padded batch, forward.

The batch is ordered longest first (`order`), so that step t concerns the first n_t sequences only, and cut into shards
of neighbouring sequences; each shard runs through all of time on one thread without waiting for another. What x adds to
the sums is computed for several steps at a time, what h adds at each step. What the gradient needs is kept packed,
without padding: the sequences of the first shard's step 0, of its step 1, …, then the second shard's.

Floats kept per sequence, real step and unit beside the output h itself: what the cell keeps, and its further states.

    rnn 1 (h)      lstm 5 (i f o z, c)      gru 4 (r u n m)

A normalised cell keeps its sums too, centred (1, 4 or 4 more). The further states that each sequence starts from are
kept too. In the backward pass the gradients of the sums overwrite what the cell kept.
"""

import numpy as np

from lstm_cli.kernels.recurrent.layout import NEARBY, chunk_rows, count_running, forward_scratch
from lstm_cli.kernels.runtime.compilation import inlined
from lstm_cli.kernels.runtime.tasks import task_kernel
from lstm_cli.kernels.simd.packing import clear, copy, multiplied, ones, pack_columns, summed
from lstm_cli.kernels.simd.tile import ROWS, multiply, panel_width
from lstm_cli.kernels.simd.vector import LINE, padded


@task_kernel
def pack_weights(task, tasks, cell, units, inputs, weights, panels):
    """Pack this task's share of the panels: those of x, then those of h."""
    columns, width, none = cell.weight_blocks * units, panel_width(panels), np.int64(0)
    stride = len(weights) // columns
    count = (columns + width - 1) // width
    shift = cell.first_gate * units
    for p in range(count * task // tasks, count * (task + 1) // tasks):
        pack_columns(weights, none, stride, inputs, p * width, columns, shift, panels, p * width * inputs)
        at = count * width * inputs + p * width * units
        pack_columns(weights, stride - units, stride, units, p * width, columns, none, panels, at)


@inlined
def begin(cell, shape, sequences, bias, mask, mask_step, states, kept, first, count, work, place):
    """Fill the constant rows, the h that enters the first step, and the steps of h beyond the sequences' ends."""
    units, batch, joint = shape.units, shape.batch, cell.weight_blocks - cell.apart
    total = sequences.packed[len(sequences.packed) - 1]
    ones(units, work, place.ones)
    clear(place.width, work, place.start)
    copy(cell.apart * units, bias, joint * units, work, place.start)
    copy(joint * units, bias, 0, work, place.start + cell.apart * units)
    copy(cell.apart * units, bias, cell.weight_blocks * units, work, place.start + cell.weight_blocks * units)
    for r in range(count):
        b = sequences.order[first + r]
        mask_at = b * mask_step if mask_step > 0 else place.ones
        hidden = place.hidden + r * padded(units, LINE)
        multiplied(units, states.running, b * units, mask, mask_at, work, hidden)
        if len(kept.further) > 0:
            for s in range(cell.further_states):
                target = ((total + b) * cell.further_states + s) * units
                copy(units, states.running, ((1 + s) * batch + b) * units, kept.further, target)
        for t in range(sequences.lengths[b], shape.steps):
            clear(units, states.h, (t * batch + b) * units)


@inlined
def chunk_size(steps, step, row, reverse, counts, most, splits):
    """Choose how many rows of sums come next: whole steps, as many as fit, or where it `splits` an even part of one."""
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
def input_sums(cell, shape, reverse, order, first, source, panels, panel_count, counts, steps, step, row, size, work,
               place):  # fmt: skip
    """Begin the next rows of sums: the bias, and what x or a token's row of the table adds."""
    columns, shift, none = cell.weight_blocks * shape.units, cell.first_gate * shape.units, np.int64(0)
    for k in range(size):
        t = steps - 1 - step if reverse else step
        where, target = t * shape.batch + order[first + row], place.z + k * place.width
        if len(source.ids) > 0:
            at = source.ids[where] * columns
            summed(columns - shift, source.table, at + shift, work, place.start, work, target)
            summed(shift, source.table, at, work, place.start + columns - shift, work, target + columns - shift)
        else:
            copy(shape.inputs, source.x, where * shape.inputs, work, place.x + k * shape.inputs)
        copy(cell.apart * shape.units, work, place.start + columns, work, target + columns)
        row += 1
        if row == counts[t]:
            step, row = step + 1, none
    if len(source.ids) == 0:
        multiply(work, place.x, shape.inputs, np.int64(1), panels, none, shape.inputs, work, place.start, none,
                 work, place.z, place.width, size, panel_count, 0)  # fmt: skip


@task_kernel
def run_forward(task, tasks, cell, activation, reverse, shape, sequences, source, weights, states, kept, work):
    """Run one shard through time. The groups of arguments are those of `recurrent.arguments`; `work` is scratch memory.

    `states` and, unless empty, `kept` are written.
    """
    units, inputs, batch, order, panels = shape.units, shape.inputs, shape.batch, sequences.order, weights.panels
    first, size = sequences.shards[task], sequences.shards[task + 1] - sequences.shards[task]
    counts = np.empty(shape.steps + 1, np.int64)
    steps, one, none = count_running(sequences.lengths, order, first, first + size, counts), np.int64(1), np.int64(0)
    panel, columns = panel_width(panels), cell.weight_blocks * units
    place = forward_scratch(task * (len(work) // tasks), cell, inputs, units, size, panel)
    most, side, line = max(size, chunk_rows(cell.kept_blocks * units)), cell.apart * units, padded(units, LINE)
    panel_count, splits = (columns + panel - 1) // panel, columns * (inputs + units) <= NEARBY
    keeps, mask_step = len(kept.gates) > 0, units if len(weights.mask) > 0 else none
    gates, further = kept.gates if keeps else work, kept.further if keeps else work
    gates_step, further_step = cell.kept_blocks * units, cell.further_states * units
    centred = gates_step - cell.sum_blocks * units
    mask, h, running = weights.mask if mask_step else work, states.h, states.running
    begin(cell, shape, sequences, weights.bias, mask, mask_step, states, kept, first, size, work, place)
    offset = sequences.packed[task + 1] - counts[steps - 1] if reverse else sequences.packed[task]
    step, row = none, none
    while step < steps:
        left = chunk_size(steps, step, row, reverse, counts, most, splits)
        input_sums(cell, shape, reverse, order, first, source, panels, panel_count, counts, steps, step, row, left,
                   work, place)  # fmt: skip
        z = place.z
        while left > 0:
            t = steps - 1 - step if reverse else step
            n = min(left, counts[t] - row)
            multiply(work, place.hidden + row * line, line, one, panels, panel_count * panel * inputs, units,
                     work, z + side, place.width, work, z + side, place.width, n, panel_count, step & 1)  # fmt: skip
            for r in range(row, row + n):
                b, sums, at = order[first + r], z + (r - row) * place.width, (offset + r) * gates_step
                at = at if keeps else place.spare
                cell.normalize(units, cell.sum_blocks, work, sums, weights.norms, gates, at + centred)
                cell.forward(
                    units, activation, work, sums, gates, at,
                    running, b * units, batch * units, mask, b * units if mask_step else place.ones,
                    work, place.hidden + r * line, h, (t * batch + b) * units,
                    further, (offset + r) * further_step if keeps else place.spare + gates_step,
                )  # fmt: skip
            z, left, row = z + n * place.width, left - n, row + n
            if row == counts[t]:
                offset += -counts[t - 1] if reverse else counts[t]
                step, row = step + 1, none
