"""Where everything lies: the order of the packed rows, and the pieces of the scratch memory of one shard."""

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


def sorted_order(lengths: np.ndarray) -> np.ndarray:
    """Return the sequences' numbers, longest first; equal ones in their own order."""
    if (lengths[1:] <= lengths[:-1]).all():
        return np.arange(len(lengths))
    return np.argsort(-lengths, kind="stable")


def cut(lengths: np.ndarray, shards: int) -> np.ndarray:
    """Cut sequences, longest first, into neighbouring groups of about equal work: the first row of each, and the end."""
    ends = np.cumsum(lengths)
    middles = ends - lengths / 2
    inner = np.searchsorted(middles, ends[-1] * np.arange(1, shards) / shards)
    least, most = np.arange(1, shards), len(lengths) - np.arange(shards - 1, 0, -1)
    return np.concatenate([[0], np.clip(inner, least, most), [len(lengths)]])


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
    return max(16, 32768 // width)


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
