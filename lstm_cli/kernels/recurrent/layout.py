"""The memory layout: the order of the packed steps, and the pieces of the scratch memory of one shard.

A `cell` here is a `Cell`, or in kernels the constants made of it.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numba.extending import register_jitable

from lstm_cli.kernels.recurrent.arguments import Sequences
from lstm_cli.kernels.runtime.compilation import part
from lstm_cli.kernels.simd.vector import LINE, padded

NEARBY = 1 << 17  # weights that stay in a core's second cache while it goes through time
SUM_DEPTH = 384  # rows of a block in the sum over all steps


@dataclass(frozen=True, slots=True)
class Plan:
    """The order of a batch and its cut into shards.

    Attributes
    ----------
    sequences : Sequences
    largest : int
        Sequences in the largest shard.
    total : int
        Real steps of all sequences.
    """

    sequences: Sequences
    largest: int
    total: int


@lru_cache(maxsize=8)
def plan(lengths: bytes, shards: int) -> Plan:
    """Plan a batch, its int64 lengths given as bytes, in neighbouring groups of about equal work.

    All layers of a model and their gradients use the same plan.
    """
    numbers = np.frombuffer(lengths, np.int64)
    order = np.argsort(-numbers, kind="stable")
    sizes = numbers[order]
    ends = np.cumsum(sizes)
    inner = np.searchsorted(ends - sizes / 2, ends[-1] * np.arange(1, shards) / shards)
    least, most = np.arange(1, shards), len(sizes) - np.arange(shards - 1, 0, -1)
    cuts = np.concatenate([[0], np.clip(inner, least, most), [len(sizes)]])
    packed = np.concatenate([[0], ends])[cuts]
    return Plan(Sequences(numbers, order, cuts, packed), int(np.diff(cuts).max()), int(ends[-1]))


@register_jitable
def chunk_rows(width):
    """Rows of sums that are computed at a time: enough to reuse the weights of x, few enough to stay in cache."""
    return max(48, 32768 // width)


class ForwardScratch(NamedTuple):
    """Places in a shard's scratch memory, forward.

    Attributes
    ----------
    width : int
        Distance of the rows of sums.
    z, x, hidden : int
        Rows of sums, of gathered inputs, and of h as it enters a product.
    ones, start, spare : int
        A row of ones, the first row of sums (the bias), and room for what a cell keeps where no gradient follows.
    end : int
    """

    width: int
    z: int
    x: int
    hidden: int
    ones: int
    start: int
    spare: int
    end: int


@register_jitable
def forward_scratch(at, cell, inputs, units, sequences, panel):
    """Lay out the scratch memory of a shard of this many sequences, `panel` columns to a panel."""
    most = max(sequences, chunk_rows(cell.kept_blocks * units))
    width = cell.apart * units + padded(cell.weight_blocks * units, panel)
    x = at + padded(most * width, LINE)
    hidden = x + padded(most * inputs, LINE)
    ones = hidden + sequences * padded(units, LINE)
    start = ones + padded(units, LINE)
    spare = start + padded(width, LINE)
    end = spare + padded((cell.kept_blocks + cell.further_states) * units, LINE)
    return ForwardScratch(width, at, x, hidden, ones, start, spare, end)


class BackwardScratch(NamedTuple):
    """Places in a shard's scratch memory, backward.

    Attributes
    ----------
    product, dx : int
        Rows of the products that lead to h and to x.
    ones, zeros, edge : int
        A row of ones, one of zeros, and one for h before a step.
    end : int
    """

    product: int
    dx: int
    ones: int
    zeros: int
    edge: int
    end: int


@register_jitable
def backward_scratch(at, cell, inputs, units, sequences, panel):
    """Lay out the scratch memory of a shard of this many sequences, `panel` columns to a panel."""
    most = max(sequences, chunk_rows(cell.kept_blocks * units))
    dx = at + sequences * padded(units, panel)
    ones = dx + most * padded(inputs, panel)
    zeros = ones + padded(units, LINE)
    edge = zeros + padded(max(units, inputs), max(panel, LINE))
    return BackwardScratch(at, dx, ones, zeros, edge, edge + padded(units, LINE))


class SumsScratch(NamedTuple):
    """Places in a task's scratch memory for the sum over all steps.

    Attributes
    ----------
    line, own : int
        Distance of the rows of gathered inputs, and of the rows of sums: the columns of this task.
    zeros, panels, block, sums : int
        A row of zeros, the panels of the right factor, rows of gathered inputs, the sums.
    end : int
    """

    line: int
    own: int
    zeros: int
    panels: int
    block: int
    sums: int
    end: int


@register_jitable
def sums_scratch(at, rows, columns, panel):
    """Lay out the scratch memory for `rows` inputs and this task's `columns`, `panel` columns to a panel."""
    line, own = padded(rows, LINE), padded(columns, panel)
    right = at + max(panel, LINE)
    block = right + SUM_DEPTH * own
    sums = block + SUM_DEPTH * line
    return SumsScratch(line, own, at, right, block, sums, sums + line * max(own, LINE))


@part
def count_running(lengths, order, first, last, counts):
    """Count for each step the sequences of a shard that are still running; returns the steps of the longest."""
    steps = lengths[order[first]]
    running = last - first
    for t in range(steps):
        while lengths[order[first + running - 1]] <= t:
            running -= 1
        counts[t] = running
    counts[steps] = 0
    return steps
