"""A network in a closed loop, step by step: what it sees at a step hangs on what it did at the step before.

All that a step touches lies in one flat array, `work` forward and `back` backward, in the places that a plan lists
layer by layer (`rollout.loop` makes it). The rows are ordered longest first, so that step t concerns the
first n_t of them. The output layer is the last of the stack: a plain recurrent layer without weights for its own past.

Legend: T time, B batch, I input, H units, D numbers of the system's state, N real steps of all sequences.
"""

import numpy as np

from lstm_cli.kernels.cells.gates import (
    CELLS,
    gru_backward,
    gru_forward,
    lstm_backward,
    lstm_forward,
    rnn_backward,
    rnn_forward,
)
from lstm_cli.kernels.recurrent.layout import block_counts
from lstm_cli.kernels.runtime.compilation import inlined
from lstm_cli.kernels.runtime.tasks import task_kernel
from lstm_cli.kernels.simd.packing import add, copy, multiplied
from lstm_cli.kernels.simd.tile import multiply, panel_width
from lstm_cli.kernels.simd.vector import LINE, padded

LSTM, GRU = CELLS["lstm"], CELLS["gru"]

# The fields of a layer in the plan: what it is, then places in `work`, then places in `back`.
# `step` fields are distances from row to row, 0 where one row serves all; `drop` is -1 where nothing is dropped.
NAMES = (
    "cell", "activation", "inputs", "units",
    "x", "h", "gates", "cells", "initial", "state", "running", "hidden", "mask", "mask_step", "start", "z", "panels",
    "drop", "dropped",
    "flow", "product", "carried", "dcell", "dx", "transposed",
)  # fmt: skip
FIELDS = len(NAMES)
(
    CELL, ACTIVATION, INPUTS, UNITS, X, H, GATES, KEPT_CELLS, INITIAL, STATE, RUNNING, HIDDEN, MASK, MASK_STEP, START,
    Z, PANELS, DROP, DROPPED, FLOW, PRODUCT, CARRIED, DCELL, DX, TRANSPOSED,
) = range(FIELDS)  # fmt: skip


@inlined
def enter(t, first, rows, batch, size, inputs, feed, work, states, following, x):
    """Let the state into step t: the one observed where `feed` is 1, else what followed from the step before."""
    for r in range(t * batch + first, t * batch + first + rows):
        if feed[r] == 0:
            copy(size, work, following + (r - batch) * size, work, states + r * size)
        if x != states:
            copy(size, work, states + r * size, work, x + r * inputs)


@inlined
def layer_forward(p, t, first, rows, batch, offset, plan, work):
    """Take one step with one layer: its sums, its cell, dropout on what it puts out."""
    cell, activation, inputs, units = plan[p + CELL], plan[p + ACTIVATION], plan[p + INPUTS], plan[p + UNITS]
    products, kept = block_counts(cell)
    panel, line, one = panel_width(work), padded(units, LINE), np.int64(1)
    count = (products * units + panel - 1) // panel
    side = (kept - products) * units
    width = side + count * panel
    z, panels = plan[p + Z] + first * width, plan[p + PANELS]
    for r in range(rows):
        copy(width, work, plan[p + START], work, z + r * width)
    multiply(work, plan[p + X] + (t * batch + first) * inputs, inputs, one, work, panels, inputs,
             work, z, width, work, z, width, rows, count, 0)  # fmt: skip
    multiply(work, plan[p + HIDDEN] + first * line, line, one, work, panels + count * panel * inputs, units,
             work, z + side, width, work, z + side, width, rows, count, 0)  # fmt: skip
    for r in range(first, first + rows):
        row, state, hidden = t * batch + r, plan[p + STATE] + r * units, plan[p + HIDDEN] + r * line
        gates, mask = plan[p + GATES] + (offset + r) * kept * units, plan[p + MASK] + r * plan[p + MASK_STEP]
        h = plan[p + H] + row * units
        if cell == LSTM:
            lstm_forward(
                units, activation, work, z, work, gates, work, state, work, mask, work, hidden, work, h,
                work, plan[p + RUNNING] + r * units, work, plan[p + KEPT_CELLS] + (offset + r) * units,
            )  # fmt: skip
        elif cell == GRU:
            gru_forward(units, activation, work, z, work, gates, work, state, work, mask, work, hidden, work, h)
        else:
            rnn_forward(units, activation, work, z, work, gates, work, state, work, mask, work, hidden, work, h)
        if plan[p + DROP] >= 0:
            multiplied(units, work, h, work, plan[p + DROP] + row * units, work, plan[p + DROPPED] + row * units)
        z += width


@task_kernel
def loop_forward(task, tasks, begin, end, layers, batch, size, alone, residual, counts, offsets, feed, plan, work,
                 states, following):  # fmt: skip
    """Run this task's rows from step `begin` to `end`.

    Parameters
    ----------
    layers, batch, size : L, B, D
    alone : 1 if the output is the next state (with `residual`: the change to it); else the caller computes that
    counts, offsets : (T,)
        Rows that are still running at each step, and the packed rows before it.
    feed : (T, B)
        1 where the observed state enters.
    states, following : places of the states that enter and leave each step, (T, B, D)
    """
    first, last = batch * task // tasks, batch * (task + 1) // tasks
    output = (layers - 1) * FIELDS + H
    for t in range(begin, end):
        rows = min(last, counts[t]) - first
        if rows > 0:
            enter(t, first, rows, batch, size, plan[INPUTS], feed, work, states, following, plan[X])
            for layer in range(layers):
                layer_forward(layer * FIELDS, t, first, rows, batch, offsets[t], plan, work)
            if alone > 0:
                at, count = (t * batch + first) * size, rows * size
                copy(count, work, plan[output] + at, work, following + at)
                if residual > 0:
                    add(count, work, states + at, work, following + at)


@inlined
def layer_backward(p, t, first, rows, batch, offset, before, initial_cells, plan, work, back, zeros):
    """Turn the gates of one step into the gradients of their sums, and those into what flows on to h and x."""
    cell, activation, inputs, units = plan[p + CELL], plan[p + ACTIVATION], plan[p + INPUTS], plan[p + UNITS]
    products, kept = block_counts(cell)
    panel, one, none = panel_width(work), np.int64(1), np.int64(0)
    depth, width = products * units, padded(units, panel)
    product, panels = plan[p + PRODUCT], plan[p + TRANSPOSED]
    for r in range(first, first + rows):
        gates, mask = plan[p + GATES] + (offset + r) * kept * units, plan[p + MASK] + r * plan[p + MASK_STEP]
        carried, flow, through = plan[p + CARRIED] + r * units, plan[p + FLOW] + r * units, product + r * width
        if cell == LSTM:
            cells = plan[p + KEPT_CELLS]
            earlier = before + r if t > 0 else initial_cells + r
            lstm_backward(
                units, activation, work, gates, back, flow, back, through, work, mask, back, carried,
                work, cells + (offset + r) * units, work, cells + earlier * units, back, plan[p + DCELL] + r * units,
            )  # fmt: skip
        elif cell == GRU:
            h = plan[p + H] + ((t - 1) * batch + r) * units if t > 0 else plan[p + INITIAL] + r * units
            gru_backward(units, activation, work, gates, back, flow, back, through, work, mask, back, carried, work, h)
        else:
            rnn_backward(units, activation, work, gates, back, flow, back, through, work, mask, back, carried)
    gates = plan[p + GATES] + (offset + first) * kept * units
    multiply(work, gates + (kept - products) * units, kept * units, one, back, panels, depth, back, zeros, none,
             back, product + first * width, width, rows, width // panel, 0)  # fmt: skip
    count = (inputs + panel - 1) // panel
    multiply(work, gates, kept * units, one, back, panels + width * depth, depth, back, zeros, none,
             back, plan[p + DX] + first * count * panel, count * panel, rows, count, 0)  # fmt: skip


@inlined
def hand_down(p, t, first, rows, batch, plan, work, back):
    """Hand the gradient of a layer's input to the layer below, through that one's dropout."""
    inputs, below = plan[p + INPUTS], p - FIELDS
    line, drop = padded(inputs, panel_width(work)), plan[below + DROP]
    for r in range(first, first + rows):
        source, target = plan[p + DX] + r * line, plan[below + FLOW] + r * inputs
        if drop >= 0:
            multiplied(inputs, back, source, work, drop + (t * batch + r) * inputs, back, target)
        else:
            copy(inputs, back, source, back, target)


@inlined
def leave(t, first, rows, batch, size, inputs, feed, back, dx, dstate, dfollowing):
    """Hand the gradient of the state that entered step t to the step before, unless that state was observed."""
    line = padded(inputs, panel_width(back))
    for r in range(first, first + rows):
        row = t * batch + r
        if feed[row] == 0:
            target = dfollowing + (row - batch) * size
            add(size, back, dx + r * line, back, target)
            add(size, back, dstate + r * size, back, target)


@task_kernel
def loop_backward(task, tasks, begin, end, layers, batch, size, alone, residual, total, counts, offsets, feed, plan,
                  work, back, dstate, dfollowing, zeros):  # fmt: skip
    """Go back with this task's rows from step ``end - 1`` to `begin`; the gates become the gradients of their sums.

    Parameters
    ----------
    total : N
    dfollowing : place of the gradients of the states that leave each step, (T, B, D), added to from the step after
    dstate : place of what flows from a step's next state straight to the state that entered it, (B, D)
        With `alone` this is computed, as is what enters the output layer; else the caller has put both there.
    zeros : place of zeros
        All else as in `loop_forward`.
    """
    first, last = batch * task // tasks, batch * (task + 1) // tasks
    top = (layers - 1) * FIELDS
    for step in range(end - begin):
        t = end - 1 - step
        rows = min(last, counts[t]) - first
        if rows > 0:
            if alone > 0:
                source, target, count = dfollowing + (t * batch + first) * size, first * size, rows * size
                copy(count, back, source, back, plan[top + FLOW] + target)
                if residual > 0:
                    copy(count, back, source, back, dstate + target)
            before = offsets[t - 1] if t > 0 else np.int64(0)
            for layer in range(layers):
                p = top - layer * FIELDS
                layer_backward(p, t, first, rows, batch, offsets[t], before, total, plan, work, back, zeros)
                if p > 0:
                    hand_down(p, t, first, rows, batch, plan, work, back)
            leave(t, first, rows, batch, size, plan[INPUTS], feed, back, plan[DX], dstate, dfollowing)
