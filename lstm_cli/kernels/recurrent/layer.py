"""One recurrent layer over a padded batch: the calls of its kernels, forward and backward.

Legend: T time, B batch, I input, H units, G row blocks of the weights, S further states, V tokens, N real steps of all
sequences.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from lstm_cli.kernels.cells.activations import ACTIVATIONS
from lstm_cli.kernels.cells.cell import Cell
from lstm_cli.kernels.cells.compiled import constants_of
from lstm_cli.kernels.dense import affine, times_weights, weight_gradient
from lstm_cli.kernels.recurrent import arguments as groups
from lstm_cli.kernels.recurrent import backward, forward, layout, sums
from lstm_cli.kernels.runtime.memory import aligned, scratch
from lstm_cli.kernels.runtime.threads import threads
from lstm_cli.kernels.simd.tile import panel_columns
from lstm_cli.kernels.simd.vector import padded

INTEGER = np.dtype("int64")
SMALL = 1 << 18  # products of numbers below which another thread does not pay


class Layer(NamedTuple):
    """A cell, its activation and its direction."""

    cell: Cell
    activation: str
    reverse: bool


class Inputs(NamedTuple):
    """What a layer reads: numbers x (T, B, I), or token ids (T, B) with their table (V, I).

    Without tokens `ids` and `table` are empty. With tokens x is, and the shape's I is 0: the table is projected, and
    the recurrent kernels multiply no input. The gain, as many numbers as the bias, is empty without normalisation.
    """

    shape: groups.Shape
    x: np.ndarray
    ids: np.ndarray
    table: np.ndarray
    lengths: np.ndarray
    W: np.ndarray
    b: np.ndarray
    initial: Sequence[np.ndarray]
    mask: np.ndarray
    gain: np.ndarray


class Reserve(NamedTuple):
    """What the gradient needs: number of shards, what the cell keeps (N, blocks, H), further states (N + B, S H)."""

    shards: np.ndarray
    gates: np.ndarray
    further: np.ndarray


def new_reserve(layer: Layer, inputs: Inputs, keeps: bool) -> Reserve:
    """Return memory for what the gradient needs, empty where no gradient follows."""
    shape, dtype, cell, total = inputs.shape, inputs.W.dtype, layer.cell, int(inputs.lengths.sum())
    shards = max(1, min(threads(), shape.batch, total * inputs.W.size // SMALL))
    rows, width = total if keeps else 0, cell.further_states * shape.units
    further = total + shape.batch if keeps and width else 0
    gates = aligned(rows * cell.kept_blocks * shape.units, dtype).reshape(rows, cell.kept_blocks, shape.units)
    return Reserve(np.array(shards), gates, aligned(further * width, dtype).reshape(further, width))


def copied(array: np.ndarray) -> np.ndarray:
    """Return a copy in aligned memory."""
    copy = aligned(array.size, array.dtype).reshape(array.shape)
    copy[...] = array
    return copy


def run_forward(layer: Layer, inputs: Inputs, reserve: Reserve, h: np.ndarray, states: np.ndarray) -> None:
    """Compute h (T, B, H) and the final states (1 + S, B, H); with an empty reserve nothing is kept."""
    dtype, tasks, shape, panel = h.dtype, int(reserve.shards), inputs.shape, panel_columns(h.dtype)
    plan, cell = layout.plan(inputs.lengths.tobytes(), tasks), constants_of(layer.cell)
    table = empty = inputs.W[:0]
    if inputs.ids.size:
        table = scratch("table", len(inputs.table) * len(inputs.W), dtype)
        affine(inputs.table, inputs.W, empty, table)
    panels = scratch("panels", padded(len(inputs.W), panel) * (shape.inputs + shape.units), dtype)
    room = layout.forward_scratch(0, layer.cell, shape.inputs, shape.units, plan.largest, panel).end
    for final, initial in zip(states, inputs.initial, strict=True):
        np.copyto(final, initial)
    forward.pack_weights(tasks, cell, shape.units, shape.inputs, inputs.W, panels)
    forward.run_forward(
        tasks, cell, ACTIVATIONS[layer.activation], int(layer.reverse), shape, plan.sequences,
        groups.Source(inputs.x, inputs.ids, table), weights_of(layer.cell, inputs, panels),
        groups.States(h, states), groups.Kept(reserve.gates, reserve.further), scratch("forward", tasks * room, dtype),
    )  # fmt: skip


def weights_of(cell: Cell, inputs: Inputs, panels: np.ndarray) -> groups.Weights:
    """Return what kernels know of the weights: a normalised cell adds its bias after the gain."""
    if not cell.normalized:
        return groups.Weights(panels, inputs.b, inputs.mask, inputs.b[:0])
    order, units = list(cell.sum_order), inputs.shape.units
    norms = np.stack([part.reshape(-1, units)[order] for part in (inputs.gain, inputs.b)])
    return groups.Weights(panels, np.zeros_like(inputs.b), inputs.mask, norms)


class Gradients(NamedTuple):
    """What the backward pass writes, empty where it is not computed; `states` (1 + S, B, H) of the initial states."""

    x: np.ndarray
    table: np.ndarray
    W: np.ndarray
    b: np.ndarray
    states: np.ndarray
    gain: np.ndarray


def run_backward(
    layer: Layer, inputs: Inputs, reserve: Reserve, h: np.ndarray, dh: np.ndarray, dfinals: Sequence[np.ndarray],
    out: Gradients,
) -> None:  # fmt: skip
    """Compute the gradients; the gates in the reserve become those of their sums. `dh` may be empty: zeros."""
    dtype, tasks, shape, panel = h.dtype, int(reserve.shards), inputs.shape, panel_columns(h.dtype)
    plan, cell, depth = layout.plan(inputs.lengths.tobytes(), tasks), constants_of(layer.cell), len(inputs.W)
    for given, flowing in zip(out.states, dfinals, strict=True):
        given[...] = flowing if flowing.size else 0
    columns = shape.inputs if out.x.size else 0
    panels = scratch("panels", (padded(shape.units, panel) + padded(columns, panel)) * depth, dtype)
    room = layout.backward_scratch(0, layer.cell, shape.inputs, shape.units, plan.largest, panel).end
    norms = np.zeros((tasks, 2, layer.cell.sum_blocks, shape.units) if layer.cell.normalized else (0,), dtype)
    positions = groups.Positions(scratch("where", plan.total, INTEGER), scratch("before", plan.total, INTEGER))
    backward.pack_transposed(tasks, cell, shape.units, columns, inputs.W, panels)
    backward.run_backward(
        tasks, cell, ACTIVATIONS[layer.activation], int(layer.reverse), shape, plan.sequences,
        weights_of(layer.cell, inputs, panels), h, inputs.initial[0],
        groups.Kept(reserve.gates, reserve.further), groups.Gradients(dh, out.states, out.x, norms), positions,
        scratch("backward", tasks * room, dtype),
    )  # fmt: skip
    tasks = threads() if tasks > 1 else 1
    sum_weights(layer.cell, shape, tasks, inputs.x, h, inputs.initial[0], inputs.mask, reserve.gates, positions,
                out.W, out.b)  # fmt: skip
    if layer.cell.normalized:
        for target, gradient in zip((out.gain, out.b), norms.sum(axis=0), strict=True):
            target.reshape(-1, shape.units)[list(layer.cell.sum_order)] = gradient
    if inputs.ids.size:
        table_gradients(layer, inputs, reserve.gates, positions, out, tasks)


def sum_weights(
    cell: Cell, shape: groups.Shape, tasks: int, x: np.ndarray, h: np.ndarray, initial: np.ndarray, mask: np.ndarray,
    gates: np.ndarray, positions: groups.Positions, dW: np.ndarray, db: np.ndarray,
) -> None:  # fmt: skip
    """Sum the gradients of the weights over all steps, from those of the sums."""
    panel = panel_columns(gates.dtype)
    own = (-(-cell.weight_blocks * shape.units // panel) // tasks + 1) * panel
    room = layout.sums_scratch(0, shape.inputs + shape.units + 1, own, panel).end
    sums.weight_gradients(
        tasks, constants_of(cell), shape, x, h, initial, mask, gates, positions, dW, db,
        scratch("sums", tasks * room, gates.dtype),
    )  # fmt: skip


def table_gradients(
    layer: Layer, inputs: Inputs, gates: np.ndarray, positions: groups.Positions, out: Gradients, tasks: int
) -> None:
    """Scatter the gradients of the sums to the tokens' rows of the projected table, and those to table and weights."""
    dtype = gates.dtype
    dprojected = scratch("table", len(inputs.table) * len(inputs.W), dtype).reshape(len(inputs.table), -1)
    sums.table_gradient(tasks, constants_of(layer.cell), inputs.shape, inputs.ids, gates, positions, dprojected)
    weight_gradient(inputs.table, dprojected, out.W, scratch("unused", len(inputs.W), dtype))
    if out.table.size:
        times_weights(dprojected, inputs.W, out.table)
