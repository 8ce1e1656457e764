"""One recurrent layer over a padded batch: the calls of its kernels, forward and backward.

Legend: T time, B batch, I input, H units, G row blocks of the weights, V tokens, N real steps of all sequences.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lstm_cli.kernels.cells.gates import ACTIVATIONS, CELLS
from lstm_cli.kernels.dense import affine, times_weights, weight_gradient
from lstm_cli.kernels.recurrent import backward, forward, layout
from lstm_cli.kernels.runtime.tasks import aligned, scratch
from lstm_cli.kernels.runtime.threads import threads
from lstm_cli.kernels.simd.tile import panel_columns
from lstm_cli.kernels.simd.vector import padded

SMALL = 1 << 18  # products of numbers that are not worth another thread


@dataclass(frozen=True, slots=True)
class Layer:
    """A cell, its activation and its direction."""

    cell: str
    activation: str
    reverse: bool

    @property
    def codes(self) -> tuple[int, int, int]:
        """The layer as kernels know it."""
        return CELLS[self.cell], ACTIVATIONS[self.activation], int(self.reverse)


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a layer reads: numbers x (T, B, I), or token ids (T, B) with their table (V, I)."""

    x: np.ndarray
    ids: np.ndarray
    table: np.ndarray
    lengths: np.ndarray
    W: np.ndarray
    b: np.ndarray
    initial: Sequence[np.ndarray]
    mask: np.ndarray

    @property
    def columns(self) -> int:
        """Columns of x that the recurrent kernels multiply themselves: none where a table is projected instead."""
        return self.x.shape[2]


@dataclass(frozen=True, slots=True)
class Reserve:
    """What the gradient needs: the number of shards, the gates (N, 1 or 4, H) and an lstm's cells (N + B, H)."""

    shards: np.ndarray
    gates: np.ndarray
    cells: np.ndarray


def new_reserve(layer: Layer, inputs: Inputs, keeps: bool) -> Reserve:
    """Return memory for what the gradient needs, empty if nothing is to be kept."""
    total, (batch, units), dtype = int(inputs.lengths.sum()), inputs.initial[0].shape, inputs.W.dtype
    shards = max(1, min(threads(), batch, total * inputs.W.size // SMALL))
    rows, kept = total if keeps else 0, layout.KEPT[layer.cell]
    cells = total + batch if keeps and layer.cell == "lstm" else 0
    gates = aligned(rows * kept * units, dtype).reshape(rows, kept, units)
    return Reserve(np.array(shards), gates, aligned(cells * units, dtype).reshape(cells, units))


def copied(array: np.ndarray) -> np.ndarray:
    """Return a copy in aligned memory."""
    copy = aligned(array.size, array.dtype).reshape(array.shape)
    copy[...] = array
    return copy


def run_forward(layer: Layer, inputs: Inputs, reserve: Reserve, h: np.ndarray, finals: Sequence[np.ndarray]) -> None:
    """Compute h (T, B, H) and the final states (B, H); a reserve without gates keeps nothing."""
    dtype, (batch, units), columns = h.dtype, inputs.initial[0].shape, inputs.columns
    tasks = int(reserve.shards)
    plan = layout.plan(inputs.lengths.tobytes(), tasks)
    rows = plan.rows
    panel, empty = panel_columns(dtype), inputs.W[:0]
    table = empty
    if inputs.ids.size:
        table = scratch("table", len(inputs.table) * len(inputs.W), dtype)
        affine(inputs.table, inputs.W, empty, table)
    panels = scratch("panels", padded(len(inputs.W), panel) * (columns + units), dtype)
    room = layout.forward_scratch(0, CELLS[layer.cell], columns, units, rows, panel).end
    for final, initial in zip(finals, inputs.initial, strict=True):
        np.copyto(final, initial)
    forward.pack_weights(tasks, CELLS[layer.cell], units, columns, inputs.W, panels)
    forward.run_forward(
        tasks, *layer.codes, batch, int(plan.packed[-1]), columns, units, inputs.x, inputs.ids, table, inputs.lengths,
        plan.order, plan.shards, plan.packed, inputs.b, inputs.mask, h, finals[0], finals[-1],
        reserve.gates, reserve.cells, panels,
        scratch("forward", tasks * room, dtype),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Gradients:
    """What the backward pass writes; empty arrays for what nobody asked for."""

    x: np.ndarray
    table: np.ndarray
    W: np.ndarray
    b: np.ndarray
    initial: Sequence[np.ndarray]


def run_backward(
    layer: Layer, inputs: Inputs, reserve: Reserve, h: np.ndarray, dh: np.ndarray, dfinals: Sequence[np.ndarray],
    out: Gradients,
) -> None:  # fmt: skip
    """Compute the gradients; the gates in the reserve become those of their sums. `dh` may be empty: zeros."""
    dtype, (batch, units), columns = h.dtype, inputs.initial[0].shape, inputs.columns
    tasks, depth = int(reserve.shards), len(inputs.W)
    plan = layout.plan(inputs.lengths.tobytes(), tasks)
    rows, total = plan.rows, int(plan.packed[-1])
    cell, panel, wanted = CELLS[layer.cell], panel_columns(dtype), out.x.size > 0
    for given, flowing in zip(out.initial, dfinals, strict=True):
        given[...] = flowing if flowing.size else 0
    back_columns = columns if wanted else 0
    width = padded(units, panel) + padded(back_columns, panel)
    panels = scratch("panels", width * depth, dtype)
    room = layout.backward_scratch(0, cell, columns, units, rows, panel).end
    where, before = scratch("where", total, np.dtype("int64")), scratch("before", total, np.dtype("int64"))
    backward.pack_transposed(tasks, cell, units, back_columns, inputs.W, panels)
    backward.run_backward(
        tasks, *layer.codes, batch, total, columns, units, int(wanted), inputs.lengths, plan.order, plan.shards,
        plan.packed, inputs.mask, h, inputs.initial[0], reserve.gates, reserve.cells, dh, out.initial[0],
        out.initial[-1], out.x,
        where, before, panels, scratch("backward", tasks * room, dtype),
    )  # fmt: skip
    tasks = threads() if tasks > 1 else 1
    own = (-(-depth // panel) // tasks + 1) * panel
    room = layout.sums_scratch(0, columns + units + 1, own, panel).end
    backward.weight_gradients(
        tasks, cell, units, columns, batch, total, inputs.x, h, inputs.initial[0], inputs.mask, reserve.gates, where,
        before, out.W, out.b, scratch("sums", tasks * room, dtype),
    )  # fmt: skip
    if inputs.ids.size:
        table_gradients(layer, inputs, reserve.gates, where, out, tasks)


def table_gradients(
    layer: Layer, inputs: Inputs, gates: np.ndarray, where: np.ndarray, out: Gradients, tasks: int
) -> None:
    """Scatter the gradients of the sums to the tokens' rows of the projected table, and those to table and weights."""
    units, dtype = inputs.initial[0].shape[1], gates.dtype
    dprojected = scratch("table", len(inputs.table) * len(inputs.W), dtype).reshape(len(inputs.table), -1)
    backward.table_gradient(tasks, CELLS[layer.cell], units, len(where), inputs.ids, gates, where, dprojected)
    weight_gradient(inputs.table, dprojected, out.W, scratch("unused", len(inputs.W), dtype))
    if out.table.size:
        times_weights(dprojected, inputs.W, out.table)
