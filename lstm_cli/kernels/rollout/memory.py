"""The memory that the steps of a closed loop share: what lies where, and for which rows.

Legend: T time, B batch, I input, H units, O outputs, D numbers of the system's state, N real steps of all sequences.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from lstm_cli.kernels.cells.gates import ACTIVATIONS, CELLS
from lstm_cli.kernels.recurrent import layout
from lstm_cli.kernels.rollout.steps import NAMES
from lstm_cli.kernels.runtime.threads import threads
from lstm_cli.kernels.simd.tile import panel_columns
from lstm_cli.kernels.simd.vector import LINE, padded

SMALL = 1 << 18  # products of numbers in one call that are not worth another thread


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer of the network, its arrays in the order of the loop's rows.

    Attributes
    ----------
    cell, activation : str
    W, b : (G H, I + H) and (G H,), for a gru (4 H,)
    initial : (B, H) each, h and for an lstm c
    mask : (B, H) or empty
        Recurrent dropout.
    drop : (T, B, H) or empty
        Multiplies what the layer puts out.
    """

    cell: str
    activation: str
    W: np.ndarray
    b: np.ndarray
    initial: Sequence[np.ndarray]
    mask: np.ndarray
    drop: np.ndarray

    @property
    def units(self) -> int:
        """H."""
        return self.initial[0].shape[1]

    @property
    def inputs(self) -> int:
        """I."""
        return self.W.shape[1] - self.units


@dataclass(frozen=True, slots=True)
class Rows:
    """Which rows run at which step.

    Attributes
    ----------
    counts : (T,)
        Rows that are still running.
    offsets : (T + 1,)
        Packed rows before each step.
    feed : (T, B) int64
        1 where the observed state enters.
    loops_from : int
        The first step whose output some row's next state hangs on: the steps before only warm up.
    """

    counts: np.ndarray
    offsets: np.ndarray
    feed: np.ndarray
    loops_from: int

    @property
    def total(self) -> int:
        """N."""
        return int(self.offsets[-1])


def rows_of(lengths: np.ndarray, feed: np.ndarray, observed: np.ndarray) -> Rows:
    """Return the rows of sequences of these lengths, longest first, of which the first so many steps are observed."""
    counts = np.searchsorted(-lengths, -np.arange(len(feed)), side="left").astype(np.int64)
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])
    return Rows(counts, offsets, feed, max(0, int(observed.min()) - 1))


class _Places:
    """Hands out places in a flat array, each where a register's width begins."""

    def __init__(self) -> None:
        self.end = 0

    def take(self, *shape: int) -> int:
        start = self.end
        self.end += padded(math.prod(shape), LINE)
        return start


class Memory:
    """Where everything lies in `work` and `back`: a function of the shapes alone.

    Attributes
    ----------
    layers : list of dict
        The fields of each layer by name.
    plan : (L * FIELDS,)
        The same as kernels know them.
    states, following, dstate, dfollowing, zeros : int
        Places beside the layers.
    work_size, back_size : int
    """

    def __init__(self, layers: Sequence[Layer], rows: Rows, size: int) -> None:
        self.shape = steps, batch = rows.feed.shape
        work, back, dtype = _Places(), _Places(), layers[0].W.dtype
        self.states, self.following = work.take(steps, batch, size), work.take(steps, batch, size)
        self.dfollowing, self.dstate = back.take(steps, batch, size), back.take(batch, size)
        x = self.states if layers[0].inputs == size else work.take(steps, batch, layers[0].inputs)
        most = max(max(layer.inputs, layer.units) for layer in layers)
        self.zeros = back.take(padded(most, 4 * LINE))
        self.layers: list[dict[str, int]] = []
        for layer in layers:
            places = {"x": x, **self._forward(layer, rows, work, dtype), **self._backward(layer, back, dtype)}
            x = places["dropped"] if layer.drop.size else places["h"]
            self.layers.append(places)
        self.plan = np.array([places[name] for places in self.layers for name in NAMES], np.int64)
        self.work_size, self.back_size = work.end, back.end

    def _forward(self, layer: Layer, rows: Rows, work: _Places, dtype: np.dtype) -> dict[str, int]:
        (steps, batch), units = self.shape, layer.units
        products, kept, panel = layout.BLOCKS[layer.cell], layout.KEPT[layer.cell], panel_columns(dtype)
        columns, lstm = padded(products * units, panel), layer.cell == "lstm"
        width = (kept - products) * units + columns
        dropped = (steps, batch, units) if layer.drop.size else (0,)
        return {
            "cell": CELLS[layer.cell], "activation": ACTIVATIONS[layer.activation],
            "inputs": layer.inputs, "units": units,
            "h": work.take(steps, batch, units), "gates": work.take(rows.total, kept, units),
            "cells": work.take(rows.total + batch if lstm else 0, units), "initial": work.take(batch, units),
            "state": work.take(batch, units), "running": work.take(batch if lstm else 0, units),
            "hidden": work.take(batch, padded(units, LINE)),
            "mask": work.take(batch if layer.mask.size else 1, units), "mask_step": units if layer.mask.size else 0,
            "start": work.take(width), "z": work.take(batch, width),
            "panels": work.take(columns * (layer.inputs + units)),
            "drop": work.take(*dropped) if layer.drop.size else -1, "dropped": work.take(*dropped),
        }  # fmt: skip

    def _backward(self, layer: Layer, back: _Places, dtype: np.dtype) -> dict[str, int]:
        (_, batch), units, panel = self.shape, layer.units, panel_columns(dtype)
        width, columns = padded(units, panel), padded(layer.inputs, panel)
        return {
            "flow": back.take(batch, units), "product": back.take(batch, width), "carried": back.take(batch, units),
            "dcell": back.take(batch, units), "dx": back.take(batch, columns),
            "transposed": back.take((width + columns) * layout.BLOCKS[layer.cell] * units),
        }  # fmt: skip


def view(array: np.ndarray, place: int, *shape: int) -> np.ndarray:
    """Return what lies at a place."""
    return array[place : place + math.prod(shape)].reshape(shape)


@dataclass(frozen=True)
class Loop:
    """A network, the rows it runs for, and how its output becomes the next state.

    Attributes
    ----------
    layers : sequence of Layer
        The last one is the output layer.
    rows : Rows
    size : int
        D.
    residual : bool
        Without a system: whether the output is the change to the state, and not the next state itself.
    """

    layers: Sequence[Layer]
    rows: Rows
    size: int
    residual: bool

    @cached_property
    def memory(self) -> Memory:
        """Where everything lies."""
        return Memory(self.layers, self.rows, self.size)

    def tasks(self, steps: int) -> int:
        """Return how many threads so many steps in one call are worth."""
        batch = self.rows.feed.shape[1]
        products = steps * batch * sum(layer.W.size for layer in self.layers)
        return max(1, min(threads(), batch, products // SMALL))
