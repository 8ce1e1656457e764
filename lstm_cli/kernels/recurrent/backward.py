"""A recurrent layer over a padded batch, backward.

`pack_transposed` lays out the weights for products from the left. `run_backward` goes back through time, shard by shard
as the forward pass did, and turns what was kept into the gradients of the sums, in place.
"""

import numpy as np

from lstm_cli.kernels.cells.compiled import finish
from lstm_cli.kernels.recurrent.layout import backward_scratch, chunk_rows, count_running
from lstm_cli.kernels.runtime.compilation import inlined
from lstm_cli.kernels.runtime.tasks import task_kernel
from lstm_cli.kernels.simd.packing import clear, copy, ones, pack_rows
from lstm_cli.kernels.simd.tile import multiply, panel_width
from lstm_cli.kernels.simd.vector import padded


@task_kernel
def pack_transposed(task, tasks, cell, units, inputs, weights, panels):
    """Pack this task's share of the panels: those that lead to h, then those that lead to x."""
    depth, width = cell.weight_blocks * units, panel_width(panels)
    stride = len(weights) // depth
    hidden = (units + width - 1) // width
    count = hidden + (inputs + width - 1) // width
    for p in range(count * task // tasks, count * (task + 1) // tasks):
        if p < hidden:
            at, columns, shift = stride - units + p * width, units - p * width, 0
        else:
            at, columns = (p - hidden) * width, inputs - (p - hidden) * width
            shift = cell.first_gate * units
        pack_rows(weights, at, stride, depth, columns, shift, panels, p * depth * width)


@inlined
def write_dx(begin, count, cell, shape, gates, panels, hidden, where, dx, work, place):
    """Multiply the gradients of the sums of some packed steps with the weights of x, and put the results in place."""
    panel, none, depth, inputs = panel_width(panels), np.int64(0), cell.weight_blocks * shape.units, shape.inputs
    columns, step = (inputs + panel - 1) // panel, cell.kept_blocks * shape.units
    multiply(gates, begin * step, step, np.int64(1), panels, hidden * depth * panel, depth,
             work, place.zeros, none, work, place.dx, columns * panel, count, columns, 0)  # fmt: skip
    for p in range(count):
        copy(inputs, work, place.dx + p * columns * panel, dx, where[begin + p] * inputs)


@inlined
def end(shape, sequences, mask, mask_step, gradients, first, count, work, place, width):
    """Complete the gradients of the initial h, and clear dx at padding."""
    for r in range(count):
        b = sequences.order[first + r]
        mask_at = b * mask_step if mask_step > 0 else place.ones
        finish(shape.units, work, place.product + r * width, mask, mask_at, gradients.states, b * shape.units)
        if len(gradients.dx) > 0:
            for t in range(sequences.lengths[b], shape.steps):
                clear(shape.inputs, gradients.dx, (t * shape.batch + b) * shape.inputs)


@task_kernel
def run_backward(task, tasks, cell, activation, reverse, shape, sequences, weights, h, initial, kept, gradients,
                 positions, work):  # fmt: skip
    """Go back through time with one shard.

    Parameters
    ----------
    shape, sequences, weights, kept, gradients, positions
        Groups of `recurrent.arguments`. The kept gates become the gradients of the sums; `positions` are written.
    h, initial : (T, B, H), (B, H), the output and the first h
    work
        Scratch memory of all tasks.
    """
    units, batch, order, panels = shape.units, shape.batch, sequences.order, weights.panels
    gates, further, dx, carried = kept.gates, kept.further, gradients.dx, gradients.states
    where, before, total = positions.where, positions.before, len(positions.where)
    first, size = sequences.shards[task], sequences.shards[task + 1] - sequences.shards[task]
    offset = sequences.packed[task] if reverse else sequences.packed[task + 1]
    depth, side, panel = cell.weight_blocks * units, cell.apart * units, panel_width(panels)
    gates_step, further_step = cell.kept_blocks * units, cell.further_states * units
    centred = gates_step - cell.sum_blocks * units
    counts = np.empty(shape.steps + 1, np.int64)
    steps, one, none = count_running(sequences.lengths, order, first, first + size, counts), np.int64(1), np.int64(0)
    place = backward_scratch(task * (len(work) // tasks), cell, shape.inputs, units, size, panel)
    most, width = max(size, chunk_rows(gates_step)), padded(units, panel)
    mask_step, flows = units if len(weights.mask) > 0 else none, len(gradients.dh) > 0
    mask, flow = weights.mask if mask_step else work, gradients.dh if flows else work
    ones(units, work, place.ones)
    clear(place.edge - place.zeros, work, place.zeros)
    clear(size * width, work, place.product)
    pending = offset  # the packed steps from here on still wait for their dx
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
            if cell.reads_previous_h:
                copy(units, h if r < known else initial, before[offset + r] * units if r < known else b * units,
                     work, place.edge)  # fmt: skip
            cell.backward(
                units, activation, gates, (offset + r) * gates_step, flow, where[offset + r] * units if flows else
                place.zeros, work, place.product + r * width, mask, b * units if mask_step else place.ones,
                carried, b * units, batch * units, h, where[offset + r] * units, work, place.edge,
                further, (offset + r) * further_step, further, (earlier_at + r if r < known else total + b)
                * further_step,
            )  # fmt: skip
            cell.normalize_backward(
                units, cell.sum_blocks, gates, (offset + r) * gates_step, (offset + r) * gates_step + centred,
                weights.norms, gradients.norms, task * 2 * cell.sum_blocks * units,
            )  # fmt: skip
        multiply(gates, offset * gates_step + side, gates_step, one, panels, none, depth, work, place.zeros, none,
                 work, place.product, width, n, width // panel, step & 1)  # fmt: skip
        offset += n if reverse else 0
        if len(dx) > 0 and (abs(pending - offset) + size > most or step == steps - 1):
            write_dx(min(pending, offset), abs(pending - offset), cell, shape, gates, panels, width // panel, where, dx,
                     work, place)  # fmt: skip
            pending = offset
    end(shape, sequences, mask, mask_step, gradients, first, size, work, place, width)
