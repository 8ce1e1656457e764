"""A network in a closed loop, step by step: what it sees at a step depends on what it did at the step before.

Everything that a step accesses is in one flat array, `work` forward and `back` backward, at the places that a plan
lists layer by layer (`rollout.memory` makes it). The sequences are ordered longest first, so that step t concerns the
first n_t of them. The output layer is the last of the stack: a plain recurrent layer without weights for its own
past.

Legend: T time, B batch, I input, H units, S further states, D numbers of the system's state, L layers, N real steps of
all sequences.
"""

from typing import NamedTuple

import numpy as np

from lstm_cli.kernels.runtime.compilation import inlined
from lstm_cli.kernels.runtime.tasks import task_kernel
from lstm_cli.kernels.simd.packing import add, copy, multiplied
from lstm_cli.kernels.simd.tile import multiply, panel_width
from lstm_cli.kernels.simd.vector import LINE, padded

# The fields of a layer in the plan: what it is, then places in `work`, then places in `back`. `cell` is the number of
# its equations in the kernel. `step` fields are distances from sequence to sequence, 0 where one row serves all; `drop`
# is -1 where nothing is dropped.
NAMES = (
    "cell", "activation", "inputs", "units", "weight_blocks", "apart", "kept_blocks", "further_states",
    "x", "h", "gates", "further", "initial", "running", "hidden", "mask", "mask_step", "start", "z", "panels",
    "drop", "dropped",
    "flow", "product", "gradients", "dx", "transposed",
)  # fmt: skip
FIELDS = len(NAMES)
(
    CELL, ACTIVATION, INPUTS, UNITS, WEIGHT_BLOCKS, APART, KEPT_BLOCKS, FURTHER_STATES, X, H, GATES, FURTHER, INITIAL,
    RUNNING, HIDDEN, MASK, MASK_STEP, START, Z, PANELS, DROP, DROPPED, FLOW, PRODUCT, GRADIENTS, DX, TRANSPOSED,
) = range(FIELDS)  # fmt: skip


class Network(NamedTuple):
    """The parts of the closed loop.

    Attributes
    ----------
    layers, batch, size, total : L, B, D, N
    alone : 1 if the output is the next state (with `residual`: the change to it); else the caller computes that
    """

    layers: int
    batch: int
    size: int
    total: int
    alone: int
    residual: int


class Running(NamedTuple):
    """What runs at each step.

    Attributes
    ----------
    counts, offsets : (T,)
        Sequences that are still running, and the packed steps before.
    feed : (T, B)
        1 where the observed state enters.
    """

    counts: np.ndarray
    offsets: np.ndarray
    feed: np.ndarray


class Memory(NamedTuple):
    """The plan of all layers (L * FIELDS,), and `work`, where states enter (T, B, D) and leave (T, B, D) each step."""

    plan: np.ndarray
    work: np.ndarray
    states: int
    following: int


class BackMemory(NamedTuple):
    """The array `back` and places in it.

    Attributes
    ----------
    dfollowing : of the gradients of the states that leave each step, (T, B, D), added to from the step after
    dstate : of what flows from a step's next state straight to the state that entered it, (B, D)
        With `alone` this is computed, as is what enters the output layer; else the caller has put both there.
    zeros : of zeros
    """

    back: np.ndarray
    dstate: int
    dfollowing: int
    zeros: int


@inlined
def enter(t, first, count, network, feed, memory):
    """Let the state into step t: the one observed where `feed` is 1, else what followed from the step before."""
    plan, work, batch, size = memory.plan, memory.work, network.batch, network.size
    for r in range(t * batch + first, t * batch + first + count):
        if feed[r] == 0:
            copy(size, work, memory.following + (r - batch) * size, work, memory.states + r * size)
        if plan[X] != memory.states:
            copy(size, work, memory.states + r * size, work, plan[X] + r * plan[INPUTS])


@inlined
def layer_forward(cells, p, t, first, count, batch, offset, plan, work):
    """Take one step with one layer: its sums, its cell, dropout on its outputs."""
    inputs, units = plan[p + INPUTS], plan[p + UNITS]
    panel, line, one = panel_width(work), padded(units, LINE), np.int64(1)
    panels, panel_count = plan[p + PANELS], (plan[p + WEIGHT_BLOCKS] * units + panel - 1) // panel
    side, gates_step = plan[p + APART] * units, plan[p + KEPT_BLOCKS] * units
    width = side + panel_count * panel
    z = plan[p + Z] + first * width
    for r in range(count):
        copy(width, work, plan[p + START], work, z + r * width)
    multiply(work, plan[p + X] + (t * batch + first) * inputs, inputs, one, work, panels, inputs,
             work, z, width, work, z, width, count, panel_count, 0)  # fmt: skip
    multiply(work, plan[p + HIDDEN] + first * line, line, one, work, panels + panel_count * panel * inputs, units,
             work, z + side, width, work, z + side, width, count, panel_count, 0)  # fmt: skip
    for r in range(first, first + count):
        row = t * batch + r
        h = plan[p + H] + row * units
        cells.forward(
            plan[p + CELL], units, plan[p + ACTIVATION], work, z, work, plan[p + GATES] + (offset + r) * gates_step,
            work, plan[p + RUNNING] + r * units, batch * units, work, plan[p + MASK] + r * plan[p + MASK_STEP],
            work, plan[p + HIDDEN] + r * line, work, h,
            work, plan[p + FURTHER] + (offset + r) * plan[p + FURTHER_STATES] * units,
        )  # fmt: skip
        if plan[p + DROP] >= 0:
            multiplied(units, work, h, work, plan[p + DROP] + row * units, work, plan[p + DROPPED] + row * units)
        z += width


@task_kernel
def loop_forward(task, tasks, cells, begin, end, network, running, memory):
    """Run this task's sequences from step `begin` to `end`."""
    batch, size, plan, work = network.batch, network.size, memory.plan, memory.work
    first, last = batch * task // tasks, batch * (task + 1) // tasks
    output = (network.layers - 1) * FIELDS + H
    for t in range(begin, end):
        count = min(last, running.counts[t]) - first
        if count > 0:
            enter(t, first, count, network, running.feed, memory)
            for layer in range(network.layers):
                layer_forward(cells, layer * FIELDS, t, first, count, batch, running.offsets[t], plan, work)
            if network.alone > 0:
                at, numbers = (t * batch + first) * size, count * size
                copy(numbers, work, plan[output] + at, work, memory.following + at)
                if network.residual > 0:
                    add(numbers, work, memory.states + at, work, memory.following + at)


@inlined
def layer_backward(cells, p, t, first, count, network, offset, before, plan, work, back, zeros):
    """Turn what was kept of one step into the gradients of the sums, and those into what flows on to h and x."""
    batch, inputs, units = network.batch, plan[p + INPUTS], plan[p + UNITS]
    panel, one, none = panel_width(work), np.int64(1), np.int64(0)
    depth, width = plan[p + WEIGHT_BLOCKS] * units, padded(units, panel)
    gates_step, further_step = plan[p + KEPT_BLOCKS] * units, plan[p + FURTHER_STATES] * units
    product, panels = plan[p + PRODUCT], plan[p + TRANSPOSED]
    for r in range(first, first + count):
        earlier = before + r if t > 0 else network.total + r
        previous_h = plan[p + H] + ((t - 1) * batch + r) * units if t > 0 else plan[p + INITIAL] + r * units
        cells.backward(
            plan[p + CELL], units, plan[p + ACTIVATION], work, plan[p + GATES] + (offset + r) * gates_step,
            back, plan[p + FLOW] + r * units, back, product + r * width,
            work, plan[p + MASK] + r * plan[p + MASK_STEP], back, plan[p + GRADIENTS] + r * units, batch * units,
            work, plan[p + H] + (t * batch + r) * units, work, previous_h,
            work, plan[p + FURTHER] + (offset + r) * further_step, work, plan[p + FURTHER] + earlier * further_step,
        )  # fmt: skip
    gates = plan[p + GATES] + (offset + first) * gates_step
    multiply(work, gates + plan[p + APART] * units, gates_step, one, back, panels, depth, back, zeros, none,
             back, product + first * width, width, count, width // panel, 0)  # fmt: skip
    columns = (inputs + panel - 1) // panel
    multiply(work, gates, gates_step, one, back, panels + width * depth, depth, back, zeros, none,
             back, plan[p + DX] + first * columns * panel, columns * panel, count, columns, 0)  # fmt: skip


@inlined
def hand_down(p, t, first, count, batch, plan, work, back):
    """Hand the gradient of a layer's input to the layer below, through that one's dropout."""
    inputs, below = plan[p + INPUTS], p - FIELDS
    line, drop = padded(inputs, panel_width(work)), plan[below + DROP]
    for r in range(first, first + count):
        source, target = plan[p + DX] + r * line, plan[below + FLOW] + r * inputs
        if drop >= 0:
            multiplied(inputs, back, source, work, drop + (t * batch + r) * inputs, back, target)
        else:
            copy(inputs, back, source, back, target)


@inlined
def leave(t, first, count, network, feed, plan, gradients):
    """Hand the gradient of the state that entered step t to the step before, unless that state was observed."""
    back, size = gradients.back, network.size
    line = padded(plan[INPUTS], panel_width(back))
    for r in range(first, first + count):
        row = t * network.batch + r
        if feed[row] == 0:
            target = gradients.dfollowing + (row - network.batch) * size
            add(size, back, plan[DX] + r * line, back, target)
            add(size, back, gradients.dstate + r * size, back, target)


@task_kernel
def loop_backward(task, tasks, cells, begin, end, network, running, memory, gradients):
    """Go back with this task's sequences from step ``end - 1`` to `begin`.

    What was kept becomes the gradients of the sums.
    """
    batch, size, plan, work, back = network.batch, network.size, memory.plan, memory.work, gradients.back
    first, last = batch * task // tasks, batch * (task + 1) // tasks
    top = (network.layers - 1) * FIELDS
    for step in range(end - begin):
        t = end - 1 - step
        count = min(last, running.counts[t]) - first
        if count > 0:
            if network.alone > 0:
                source, target, numbers = gradients.dfollowing + (t * batch + first) * size, first * size, count * size
                copy(numbers, back, source, back, plan[top + FLOW] + target)
                if network.residual > 0:
                    copy(numbers, back, source, back, gradients.dstate + target)
            before = running.offsets[t - 1] if t > 0 else np.int64(0)
            for layer in range(network.layers):
                p = top - layer * FIELDS
                layer_backward(cells, p, t, first, count, network, running.offsets[t], before, plan, work, back,
                               gradients.zeros)  # fmt: skip
                if p > 0:
                    hand_down(p, t, first, count, batch, plan, work, back)
            leave(t, first, count, network, running.feed, plan, gradients)
