"""A network in a closed loop, with a system or alone: the calls of the kernels, forward and backward.

Legend: T time, B batch, I input, H units, O outputs, D numbers of the system's state, N real steps of all sequences.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from lstm_cli.kernels.cells.compiled import constants_of, constants_of_several
from lstm_cli.kernels.recurrent import backward, forward
from lstm_cli.kernels.recurrent import layer as recurrent
from lstm_cli.kernels.recurrent.arguments import Positions, Shape
from lstm_cli.kernels.rollout.memory import SMALL, Layer, Loop, MemoryPlan, view
from lstm_cli.kernels.rollout.steps import BackMemory, Memory, loop_backward, loop_forward
from lstm_cli.kernels.runtime.memory import aligned, scratch
from lstm_cli.kernels.runtime.threads import threads
from lstm_cli.kernels.simd.tile import panel_columns
from lstm_cli.kernels.simd.vector import LINE, padded

#: The system: from the step t, state (n, D) and output (n, O) to the next state (n, D).
Step = Callable[[int, np.ndarray, np.ndarray], np.ndarray]
#: Its gradient: from step, state, output and the gradient of the next state to those of state and output.
StepGradient = Callable[[int, np.ndarray, np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


def run_forward(loop: Loop, numbers: np.ndarray, step: Step | None) -> np.ndarray:
    """Run the closed loop; return the memory `work`, with states, outputs and what the gradient needs in their places.

    Parameters
    ----------
    loop : Loop
    numbers : (T, B, I)
        Observed states, and beside them inputs that the closed loop does not change.
    step : callable or None
        The system; None if the output is the next state.
    """
    memory, schedule = loop.memory, loop.schedule
    work = aligned(memory.work_size, numbers.dtype)
    _prepare(loop, memory, numbers, work)
    steps, batch = memory.shape
    view(work, memory.following, steps, batch, loop.size)[...] = 0
    cells, running = constants_of_several(memory.cells), schedule.running
    given = (loop.network(alone=step is None), running, _memory(memory, work))
    if step is None or schedule.loops_from > 0:
        end = steps if step is None else schedule.loops_from
        loop_forward(loop.tasks(end), cells, 0, end, *given)
    if step is not None:
        states, outputs, following = views(loop, work)
        tasks = loop.tasks(1)
        for t in range(schedule.loops_from, steps):
            n = running.counts[t]
            loop_forward(tasks, cells, t, t + 1, *given)
            following[t, :n] = step(t, states[t, :n], outputs[t, :n])
    return work


def _memory(memory: MemoryPlan, work: np.ndarray) -> Memory:
    return Memory(memory.plan, work, memory.states, memory.following)


def views(loop: Loop, work: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the states that enter each step (T, B, D), the outputs (T, B, O) and the states that follow (T, B, D)."""
    memory = loop.memory
    state = (*memory.shape, loop.size)
    outputs = view(work, memory.layers[-1]["h"], *memory.shape, loop.layers[-1].units)
    return view(work, memory.states, *state), outputs, view(work, memory.following, *state)


def _prepare(loop: Loop, memory: MemoryPlan, numbers: np.ndarray, work: np.ndarray) -> None:
    """Put inputs, weights and initial states in their places."""
    steps, batch = memory.shape
    view(work, memory.states, steps, batch, loop.size)[...] = numbers[:, :, : loop.size]
    if loop.layers[0].inputs != loop.size:
        view(work, memory.layers[0]["x"], *numbers.shape)[...] = numbers
    for layer, place in zip(loop.layers, memory.layers, strict=True):
        units, cell = layer.units, layer.cell
        mask = layer.mask if layer.mask.size else np.ones((1, units), work.dtype)
        _put(work, place["start"], _first_sums(layer, place["z"] - place["start"]))
        _put(work, place["initial"], layer.initial[0])
        _put(work, place["mask"], mask)
        hidden = view(work, place["hidden"], batch, padded(units, LINE))
        np.multiply(layer.initial[0], mask, out=hidden[:, :units])
        further = view(work, place["further"], loop.schedule.total + batch, cell.further_states, units)
        for number, initial in enumerate(layer.initial):
            _put(work, place["running"] + number * batch * units, initial)
            if number > 0:
                further[loop.schedule.total :, number - 1] = initial
        if layer.drop.size:
            _put(work, place["drop"], layer.drop)
        size = padded(cell.weight_blocks * units, panel_columns(work.dtype)) * layer.W.shape[1]
        panels = view(work, place["panels"], size)
        forward.pack_weights(1, constants_of(cell), units, layer.inputs, layer.W, panels)


def _put(work: np.ndarray, place: int, values: np.ndarray) -> None:
    work[place : place + values.size].reshape(values.shape)[...] = values


def _first_sums(layer: Layer, width: int) -> np.ndarray:
    """Return the row that every row of sums begins with: the bias in the order of the blocks of sums."""
    row = np.zeros(width, layer.b.dtype)
    row[: layer.b.size] = layer.b.reshape(-1, layer.units)[list(layer.cell.sum_order)].reshape(-1)
    return row


@dataclass(frozen=True, slots=True)
class Gradients:
    """The gradients of a layer's weights and of the state it starts from."""

    W: np.ndarray
    b: np.ndarray
    initial: Sequence[np.ndarray]


def run_backward(
    loop: Loop, work: np.ndarray, dfollowing: np.ndarray, step_gradient: StepGradient | None
) -> list[Gradients]:
    """Go back through the closed loop; the gates in `work` become the gradients of their sums.

    Parameters
    ----------
    loop : Loop
    work : array
        As `run_forward` returned it.
    dfollowing : (T, B, D)
        What flows into the state after each step from outside the closed loop.
    step_gradient : callable or None
        Of the system.
    """
    memory, schedule = loop.memory, loop.schedule
    steps, batch = memory.shape
    back = scratch("back", memory.back_size, work.dtype)
    back[:] = 0
    flowing = view(back, memory.dfollowing, *dfollowing.shape)
    flowing[...] = dfollowing
    for layer, place in zip(loop.layers, memory.layers, strict=True):
        panels = back[place["transposed"] :]
        backward.pack_transposed(1, constants_of(layer.cell), layer.units, layer.inputs, layer.W, panels)
    given = (loop.network(alone=step_gradient is None), schedule.running, _memory(memory, work),
             BackMemory(back, memory.dstate, memory.dfollowing, memory.zeros))  # fmt: skip
    cells, begin = constants_of_several(memory.cells), 0
    if step_gradient is not None:
        begin, tasks = schedule.loops_from, loop.tasks(1)
        states, outputs, _ = views(loop, work)
        dstate = view(back, memory.dstate, batch, loop.size)
        doutput = view(back, memory.layers[-1]["flow"], batch, loop.layers[-1].units)
        for t in range(steps - 1, begin - 1, -1):
            n = schedule.running.counts[t]
            dstate[:n], doutput[:n] = step_gradient(t, states[t, :n], outputs[t, :n], flowing[t, :n])
            loop_backward(tasks, cells, t, t + 1, *given)
        dstate[:], doutput[:] = 0, 0
    end = steps if step_gradient is None else begin
    if end > 0:
        loop_backward(loop.tasks(end), cells, 0, end, *given)
    layers = zip(loop.layers, memory.layers, strict=True)
    return [_gradients(loop, layer, place, work, back) for layer, place in layers]


def _gradients(loop: Loop, layer: Layer, place: dict[str, int], work: np.ndarray, back: np.ndarray) -> Gradients:
    """Sum the gradients of a layer's weights over all steps, and gather those of its initial state."""
    (steps, batch), total, units, columns = loop.memory.shape, loop.schedule.total, layer.units, layer.inputs
    where = np.flatnonzero(np.arange(batch) < loop.schedule.running.counts[:, np.newaxis])
    before = np.where(where < batch, -1 - where, where - batch)
    tasks = max(1, min(threads(), total * layer.W.size // SMALL))
    dW, db = np.empty_like(layer.W), np.empty_like(layer.b)
    recurrent.sum_weights(
        layer.cell, Shape(steps, batch, columns, units), tasks, view(work, place["x"], steps, batch, columns),
        view(work, place["h"], steps, batch, units), view(work, place["initial"], batch, units), layer.mask,
        view(work, place["gates"], total, layer.cell.kept_blocks, units), Positions(where, before), dW, db,
    )  # fmt: skip
    product = view(back, place["product"], batch, padded(units, panel_columns(work.dtype)))[:, :units]
    mask = layer.mask if layer.mask.size else work.dtype.type(1)
    gradients = view(back, place["gradients"], len(layer.initial), batch, units)
    return Gradients(dW, db, [gradients[0] + product * mask, *(gradient.copy() for gradient in gradients[1:])])
