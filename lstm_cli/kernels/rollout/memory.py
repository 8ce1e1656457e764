"""The memory that the steps of a closed loop share: what lies where, and for which sequences.

Legend: T time, B batch, I input, H units, S further states, O outputs, D numbers of the system's state, N real steps of
all sequences.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from lstm_cli.kernels.cells.activations import ACTIVATIONS
from lstm_cli.kernels.cells.cell import Cell
from lstm_cli.kernels.cells.compiled import numbered
from lstm_cli.kernels.rollout.steps import NAMES, Network, Running
from lstm_cli.kernels.runtime.threads import threads
from lstm_cli.kernels.simd.tile import panel_columns
from lstm_cli.kernels.simd.vector import LINE, padded

SMALL = 1 << 18  # products of numbers in one call below which another thread does not pay


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer of the network, its arrays in the order of the loop's sequences.

    Attributes
    ----------
    cell : Cell
    activation : str
    W, b : (G H, I + H) and the cell's biases, H each
    initial : (B, H) for each state
    mask : (B, H) or empty
        Recurrent dropout.
    drop : (T, B, H) or empty
        Multiplies the layer's outputs.
    """

    cell: Cell
    activation: str
    W: np.ndarray
    b: np.ndarray
    initial: Sequence[np.ndarray]
    mask: np.ndarray
    drop: np.ndarray

    @property
    def units(self) -> int:
        """H."""
        return int(self.initial[0].shape[1])

    @property
    def inputs(self) -> int:
        """I."""
        return int(self.W.shape[1]) - self.units


@dataclass(frozen=True, slots=True)
class Schedule:
    """Which sequences run at which step.

    Attributes
    ----------
    running : Running
    loops_from : int
        The first step whose output some sequence's next state depends on: the steps before only warm up.
    """

    running: Running
    loops_from: int

    @property
    def total(self) -> int:
        """N."""
        return int(self.running.offsets[-1])


def schedule_of(lengths: np.ndarray, feed: np.ndarray, observed: np.ndarray) -> Schedule:
    """Return the schedule of sequences of these lengths, longest first, the first `observed` steps of which are."""
    counts = np.searchsorted(-lengths, -np.arange(len(feed)), side="left").astype(np.int64)
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])
    return Schedule(Running(counts, offsets, feed), max(0, int(observed.min()) - 1))


class _Allocator:
    """Hands out places in a flat array, each where a register's width begins."""

    def __init__(self) -> None:
        self.end = 0

    def take(self, *shape: int) -> int:
        start = self.end
        self.end += padded(math.prod(shape), LINE)
        return start


class MemoryPlan:
    """The layout of `work` and `back`: a function of the shapes alone.

    Attributes
    ----------
    layers : list of dict
        The fields of each layer by name.
    plan : (L * FIELDS,)
        The same as kernels know them.
    cells : tuple of Cell
        Of the layers, each once, in the order of their numbers.
    states, following, dstate, dfollowing, zeros : int
        Places beside the layers.
    work_size, back_size : int
    """

    def __init__(self, layers: Sequence[Layer], schedule: Schedule, size: int) -> None:
        self.shape = steps, batch = schedule.running.feed.shape
        self.cells = numbered([layer.cell for layer in layers])
        work, back, dtype = _Allocator(), _Allocator(), layers[0].W.dtype
        self.states, self.following = work.take(steps, batch, size), work.take(steps, batch, size)
        self.dfollowing, self.dstate = back.take(steps, batch, size), back.take(batch, size)
        x = self.states if layers[0].inputs == size else work.take(steps, batch, layers[0].inputs)
        most = max(max(layer.inputs, layer.units) for layer in layers)
        self.zeros = back.take(padded(most, 4 * LINE))
        self.layers: list[dict[str, int]] = []
        for layer in layers:
            places = {"x": x, **self._forward(layer, schedule, work, dtype), **self._backward(layer, back, dtype)}
            x = places["dropped"] if layer.drop.size else places["h"]
            self.layers.append(places)
        self.plan = np.array([places[name] for places in self.layers for name in NAMES], np.int64)
        self.work_size, self.back_size = work.end, back.end

    def _forward(self, layer: Layer, schedule: Schedule, work: _Allocator, dtype: np.dtype) -> dict[str, int]:
        (steps, batch), units, cell, total = self.shape, layer.units, layer.cell, schedule.total
        columns = padded(cell.weight_blocks * units, panel_columns(dtype))
        width, further = cell.apart * units + columns, cell.further_states
        dropped = (steps, batch, units) if layer.drop.size else (0,)
        return {
            "cell": self.cells.index(cell), "activation": ACTIVATIONS[layer.activation],
            "inputs": layer.inputs, "units": units, "weight_blocks": cell.weight_blocks, "apart": cell.apart,
            "kept_blocks": cell.kept_blocks, "further_states": further,
            "h": work.take(steps, batch, units), "gates": work.take(total, cell.kept_blocks, units),
            "further": work.take(total + batch, further, units), "initial": work.take(batch, units),
            "running": work.take(1 + further, batch, units), "hidden": work.take(batch, padded(units, LINE)),
            "mask": work.take(batch if layer.mask.size else 1, units), "mask_step": units if layer.mask.size else 0,
            "start": work.take(width), "z": work.take(batch, width),
            "panels": work.take(columns * (layer.inputs + units)),
            "drop": work.take(*dropped) if layer.drop.size else -1, "dropped": work.take(*dropped),
        }  # fmt: skip

    def _backward(self, layer: Layer, back: _Allocator, dtype: np.dtype) -> dict[str, int]:
        (_, batch), units, panel, cell = self.shape, layer.units, panel_columns(dtype), layer.cell
        width, columns = padded(units, panel), padded(layer.inputs, panel)
        return {
            "flow": back.take(batch, units), "product": back.take(batch, width),
            "gradients": back.take(1 + cell.further_states, batch, units), "dx": back.take(batch, columns),
            "transposed": back.take((width + columns) * cell.weight_blocks * units),
        }  # fmt: skip


def view(array: np.ndarray, place: int, *shape: int) -> np.ndarray:
    """Return the array at a place."""
    return array[place : place + math.prod(shape)].reshape(shape)


@dataclass(frozen=True)
class Loop:
    """A network, the sequences it runs for, and how its output becomes the next state.

    Attributes
    ----------
    layers : sequence of Layer
        The last one is the output layer.
    schedule : Schedule
    size : int
        D.
    residual : bool
        Without a system: whether the output is the change to the state, and not the next state itself.
    """

    layers: Sequence[Layer]
    schedule: Schedule
    size: int
    residual: bool

    @cached_property
    def memory(self) -> MemoryPlan:
        """The layout of the scratch memory."""
        return MemoryPlan(self.layers, self.schedule, self.size)

    def network(self, *, alone: bool) -> Network:
        """Return what kernels know of the network; `alone`: without a system."""
        batch = self.memory.shape[1]
        return Network(len(self.layers), batch, self.size, self.schedule.total, int(alone), int(self.residual))

    def tasks(self, steps: int) -> int:
        """Return the number of threads for `steps` steps in one call."""
        batch: int = self.memory.shape[1]
        products: int = steps * batch * sum(layer.W.size for layer in self.layers)
        return max(1, min(threads(), batch, products // SMALL))
