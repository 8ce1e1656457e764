"""Where everything lies: the order of the packed rows, and the pieces of the scratch memory of one shard."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numba.extending import register_jitable

from lstm_cli.kernels.gates import CELLS
from lstm_cli.kernels.runtime import part
from lstm_cli.kernels.vector import REGISTERS

LINE = 16  # floats, a whole number of vectors in either precision
BLOCKS = {"rnn": 1, "lstm": 4, "gru": 3}  # row blocks of the weights
KEPT = {"rnn": 1, "lstm": 4, "gru": 4}  # blocks of a row of gates, and of the bias
GRU = CELLS["gru"]


def panel_columns(dtype: np.dtype) -> int:
    """Columns of a panel, as `tile.panel_width` has it in kernels."""
    return 2 * REGISTERS.lanes * 4 // dtype.itemsize


@dataclass(frozen=True, slots=True)
class Plan:
    """The order of a batch and its cut into shards.

    Attributes
    ----------
    order : (B,)
        Numbers of the sequences, longest first.
    shards : (shards + 1,)
        The place in `order` where each shard begins, and the end.
    packed : (shards + 1,)
        Real steps of all shards before.
    rows : int
        Sequences in the largest shard.
    """

    order: np.ndarray
    shards: np.ndarray
    packed: np.ndarray
    rows: int


@lru_cache(maxsize=8)
def plan(lengths: bytes, shards: int) -> Plan:
    """Plan a batch, its int64 lengths given as bytes, in neighbouring groups of about equal work.

    All layers of a model and their gradients ask for the same plan.
    """
    numbers = np.frombuffer(lengths, np.int64)
    order = np.argsort(-numbers, kind="stable")
    sizes = numbers[order]
    ends = np.cumsum(sizes)
    inner = np.searchsorted(ends - sizes / 2, ends[-1] * np.arange(1, shards) / shards)
    least, most = np.arange(1, shards), len(sizes) - np.arange(shards - 1, 0, -1)
    cuts = np.concatenate([[0], np.clip(inner, least, most), [len(sizes)]])
    return Plan(order, cuts, np.concatenate([[0], ends])[cuts], int(np.diff(cuts).max()))


@register_jitable
def padded(count, width):
    """Round up to a multiple of the width."""
    return (count + width - 1) // width * width


@register_jitable
def block_counts(cell):
    """Blocks of the weights, and of a row of gates."""
    if cell == GRU:
        return 3, 4
    return (1, 1) if cell == 0 else (4, 4)


@register_jitable
def chunk_rows(width):
    """Rows of about 128 KiB, at least a few: what one thread keeps in its second-level cache beside the weights."""
    return max(48, 32768 // width)


@register_jitable
def forward_pieces(cell, inputs, units, rows, most, panel):
    """Ends of the pieces of a shard's scratch: sums z, gathered x, hidden h, ones, first row of sums, spare gates.

    `rows` run side by side, `most` rows of sums are computed at a time, `panel` columns make a panel.
    """
    products, kept = block_counts(cell)
    width = (kept - products) * units + padded(products * units, panel)
    z = padded(most * width, LINE)
    x = z + padded(most * inputs, LINE)
    hidden = x + rows * padded(units, LINE)
    ones = hidden + padded(units, LINE)
    start = ones + padded(width, LINE)
    spare = start + padded((kept + 1) * units, LINE)
    return width, z, x, hidden, ones, start, spare


@register_jitable
def backward_pieces(inputs, units, rows, most, panel):
    """Ends of the pieces of a shard's scratch: products for h, for x, ones, zeros, a row of the state before."""
    product = rows * padded(units, panel)
    dx = product + most * padded(inputs, panel)
    ones = dx + padded(units, LINE)
    zeros = ones + padded(max(units, inputs), panel)
    before = zeros + padded(units, LINE)
    return product, dx, ones, zeros, before


@part
def running_rows(lengths, order, first, last, counts):
    """Count for each step the rows of a shard that are still running; returns the steps of the longest."""
    steps = lengths[order[first]]
    rows = last - first
    for t in range(steps):
        while lengths[order[first + rows - 1]] <= t:
            rows -= 1
        counts[t] = rows
    return steps
