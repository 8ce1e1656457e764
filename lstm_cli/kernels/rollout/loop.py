"""A network in a closed loop, with a system or alone: the calls of the kernels, forward and backward.

Legend: T time, B batch, I input, H units, O outputs, D numbers of the system's state, N real steps of all sequences.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from lstm_cli.kernels.cells.gates import CELLS
from lstm_cli.kernels.recurrent import backward, forward, layout
from lstm_cli.kernels.rollout.memory import SMALL, Layer, Loop, Memory, view
from lstm_cli.kernels.rollout.steps import loop_backward, loop_forward
from lstm_cli.kernels.runtime.tasks import aligned, scratch
from lstm_cli.kernels.runtime.threads import threads
from lstm_cli.kernels.simd.tile import panel_columns
from lstm_cli.kernels.simd.vector import LINE, padded

#: The system: from the step t, state (n, D) and output (n, O) to the next state (n, D).
Step = Callable[[int, np.ndarray, np.ndarray], np.ndarray]
#: Its gradient: from step, state, output and the gradient of the next state to those of state and output.
StepGradient = Callable[[int, np.ndarray, np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


def run_forward(loop: Loop, numbers: np.ndarray, step: Step | None) -> np.ndarray:
    """Run the loop; return the memory `work`, in which states, outputs and what the gradient needs have their places.

    Parameters
    ----------
    loop : Loop
    numbers : (T, B, I)
        Observed states, and beside them inputs that the loop does not change.
    step : callable or None
        The system; None if the output is the next state.
    """
    memory, rows = loop.memory, loop.rows
    work = aligned(memory.work_size, numbers.dtype)
    _prepare(loop, memory, numbers, work)
    steps, batch = memory.shape
    view(work, memory.following, steps, batch, loop.size)[...] = 0
    given = (len(loop.layers), batch, loop.size, int(step is None), int(loop.residual), rows.counts, rows.offsets,
             rows.feed, memory.plan, work, memory.states, memory.following)  # fmt: skip
    if step is None or rows.loops_from > 0:
        end = steps if step is None else rows.loops_from
        loop_forward(loop.tasks(end), 0, end, *given)
    if step is not None:
        states, outputs, following = views(loop, work)
        tasks = loop.tasks(1)
        for t in range(rows.loops_from, steps):
            n = rows.counts[t]
            loop_forward(tasks, t, t + 1, *given)
            following[t, :n] = step(t, states[t, :n], outputs[t, :n])
    return work


def views(loop: Loop, work: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the states that enter each step (T, B, D), the outputs (T, B, O) and the states that follow (T, B, D)."""
    memory = loop.memory
    state = (*memory.shape, loop.size)
    outputs = view(work, memory.layers[-1]["h"], *memory.shape, loop.layers[-1].units)
    return view(work, memory.states, *state), outputs, view(work, memory.following, *state)


def _prepare(loop: Loop, memory: Memory, numbers: np.ndarray, work: np.ndarray) -> None:
    """Put inputs, weights and initial states in their places."""
    steps, batch = memory.shape
    view(work, memory.states, steps, batch, loop.size)[...] = numbers[:, :, : loop.size]
    if loop.layers[0].inputs != loop.size:
        view(work, memory.layers[0]["x"], *numbers.shape)[...] = numbers
    for number, layer in enumerate(loop.layers):
        place = memory.layers[number]
        units, products = layer.units, layout.BLOCKS[layer.cell]
        mask = layer.mask if layer.mask.size else np.ones((1, units), work.dtype)
        _put(work, place["start"], _first_sums(layer, place["z"] - place["start"]))
        _put(work, place["initial"], layer.initial[0])
        _put(work, place["state"], layer.initial[0])
        _put(work, place["mask"], mask)
        hidden = view(work, place["hidden"], batch, padded(units, LINE))
        np.multiply(layer.initial[0], mask, out=hidden[:, :units])
        if layer.cell == "lstm":
            _put(work, place["running"], layer.initial[1])
            _put(work, place["cells"] + loop.rows.total * units, layer.initial[1])
        if layer.drop.size:
            _put(work, place["drop"], layer.drop)
        size = padded(products * units, panel_columns(work.dtype)) * layer.W.shape[1]
        panels = view(work, place["panels"], size)
        forward.pack_weights(1, CELLS[layer.cell], units, layer.inputs, layer.W, panels)


def _put(work: np.ndarray, place: int, values: np.ndarray) -> None:
    work[place : place + values.size].reshape(values.shape)[...] = values


def _first_sums(layer: Layer, width: int) -> np.ndarray:
    """Return the row that every row of sums begins with: the bias in the order of the blocks of sums."""
    blocks = layer.b.reshape(-1, layer.units)
    row = np.zeros(width, layer.b.dtype)
    row[: layer.b.size] = (blocks[[2, 0, 1, 3]] if layer.cell == "gru" else blocks).reshape(-1)
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
    """Go back through the loop; the gates in `work` become the gradients of their sums.

    Parameters
    ----------
    loop : Loop
    work : array
        As `run_forward` returned it.
    dfollowing : (T, B, D)
        What flows into the state after each step from outside the loop.
    step_gradient : callable or None
        Of the system.
    """
    memory, rows = loop.memory, loop.rows
    steps, batch = memory.shape
    back = scratch("back", memory.back_size, work.dtype)
    back[:] = 0
    flowing = view(back, memory.dfollowing, *dfollowing.shape)
    flowing[...] = dfollowing
    top, alone = len(loop.layers) - 1, step_gradient is None
    for number, layer in enumerate(loop.layers):
        place = memory.layers[number]["transposed"]
        backward.pack_transposed(1, CELLS[layer.cell], layer.units, layer.inputs, layer.W, back[place:])
    given = (len(loop.layers), batch, loop.size, int(alone), int(loop.residual), rows.total, rows.counts, rows.offsets,
             rows.feed, memory.plan, work, back, memory.dstate, memory.dfollowing, memory.zeros)  # fmt: skip
    begin = 0
    if not alone:
        begin, tasks = rows.loops_from, loop.tasks(1)
        states, outputs, _ = views(loop, work)
        dstate = view(back, memory.dstate, batch, loop.size)
        doutput = view(back, memory.layers[top]["flow"], batch, loop.layers[top].units)
        for t in range(steps - 1, begin - 1, -1):
            n = rows.counts[t]
            dstate[:n], doutput[:n] = step_gradient(t, states[t, :n], outputs[t, :n], flowing[t, :n])
            loop_backward(tasks, t, t + 1, *given)
        dstate[:], doutput[:] = 0, 0
    end = steps if alone else begin
    if end > 0:
        loop_backward(loop.tasks(end), 0, end, *given)
    return [_gradients(loop, memory, number, work, back) for number in range(len(loop.layers))]


def _gradients(loop: Loop, memory: Memory, number: int, work: np.ndarray, back: np.ndarray) -> Gradients:
    """Sum the gradients of a layer's weights over all steps, and gather those of its initial state."""
    layer, rows, (steps, batch) = loop.layers[number], loop.rows, memory.shape
    place = memory.layers[number]
    units, columns, panel = layer.units, layer.inputs, panel_columns(work.dtype)
    where = np.flatnonzero(np.arange(batch) < rows.counts[:, np.newaxis])
    before = np.where(where < batch, -1 - where, where - batch)
    tasks = max(1, min(threads(), rows.total * layer.W.size // SMALL))
    own = (-(-layout.BLOCKS[layer.cell] * units // panel) // tasks + 1) * panel
    room = layout.sums_scratch(0, columns + units + 1, own, panel).end
    dW, db = np.empty_like(layer.W), np.empty_like(layer.b)
    backward.weight_gradients(
        tasks, CELLS[layer.cell], units, columns, batch, rows.total, view(work, place["x"], steps, batch, columns),
        view(work, place["h"], steps, batch, units), view(work, place["initial"], batch, units), layer.mask,
        view(work, place["gates"], rows.total, layout.KEPT[layer.cell], units), where, before, dW, db,
        scratch("sums", tasks * room, work.dtype),
    )  # fmt: skip
    product = view(back, place["product"], batch, padded(units, panel))[:, :units]
    mask = layer.mask if layer.mask.size else work.dtype.type(1)
    dh = view(back, place["carried"], batch, units) + product * mask
    dinitial = [dh, view(back, place["dcell"], batch, units).copy()] if layer.cell == "lstm" else [dh]
    return Gradients(dW, db, dinitial)
