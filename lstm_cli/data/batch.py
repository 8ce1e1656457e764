"""A batch: some sequences side by side, padded at their ends.

Legend: T time, B batch, I numbers per step, D or K targets, N counted positions.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_cli.data.batching.shares import Share
from lstm_cli.data.schema.preprocessing import Scaling
from lstm_cli.data.schema.several import blocks_of, column_of
from lstm_cli.data.schema.target import Target


@dataclass(frozen=True, eq=False)
class Batch:
    """Sequences, or windows of them, longest first. All arrays are C-ordered and writable.

    Attributes
    ----------
    lengths : int64 array (B,)
        Real steps of each sequence.
    mask : float32 array (T, B)
        1 = real step.
    numbers : float array (T, B, I) or None
        Numeric inputs, 0 on padding.
    tokens : dict of int32 arrays (T, B)
        Token inputs, 0 on padding.
    counted : int64 array (N,)
        The positions whose outputs count, flat: t * B + b; without padding, steps without a target and steps of
        weight 0, so possibly none. For targets per sequence they are among 0 … B - 1.
    target : int64 array (N,), float array (N, D) or (N, K), or None
        The true targets at the counted positions; a category that training never saw is -1.
    weight : float array (N,)
        Weight of every counted position.
    loss_divisor : float
        What the summed loss is divided by: the sum of weights, or the number of sequences. Categories that training
        never saw, whose loss is 0, are left out.
    sequences : int64 array (B,)
        Index of each sequence in the dataset.
    starts : int64 array (B,) or None
        The step of its sequence at which each window begins; None: the first.
    carry : int64 array (B,) or None
        The column of the previous batch whose final state each sequence continues; -1 for a fresh start; None: all
        start fresh.
    observed : int64 array (B,) or None
        In a closed loop: how many of the first steps of each sequence are observed; None: no closed loop.
    scaling
        Where each window has its own scaling: that of the target at every counted position, (N, 1, D); else None.
    share
        Which part of a whole batch this is, where several ranks train; else None.
    """

    lengths: NDArray[np.int64]
    mask: NDArray[np.float32]
    numbers: NDArray[np.floating] | None
    tokens: dict[str, NDArray[np.int32]]
    counted: NDArray[np.int64]
    target: NDArray[Any] | None
    weight: NDArray[np.floating]
    loss_divisor: float
    sequences: NDArray[np.int64]
    starts: NDArray[np.int64] | None = None
    carry: NDArray[np.int64] | None = None
    observed: NDArray[np.int64] | None = None
    scaling: Scaling | None = None
    share: Share | None = None

    def view(self, part: int, target: Target) -> tuple["Batch", NDArray[np.int64]]:
        """Return the batch with one of several target columns as its only target, and which of the positions count.

        `target` is that of all columns.
        """
        if self.target is None:
            raise ValueError("a batch without a target has no target columns")
        block = blocks_of(target)[part]
        kept = np.flatnonzero(self.target[:, block.known] > 0)
        values = column_of(block, target.targets[part], self.target[kept])
        return replace(self, counted=self.counted[kept], target=values, weight=self.weight[kept]), kept

    @property
    def known(self) -> NDArray[np.bool_]:
        """Which counted positions (N,) have a loss: all except those of a category that training never saw."""
        if self.target is None or self.target.dtype.kind != "i":
            return np.ones(len(self.counted), np.bool_)
        known: NDArray[np.bool_] = self.target >= 0
        return known

    @property
    def counted_sequences(self) -> NDArray[np.int64]:
        """The column b of each counted position (N,)."""
        return self.counted % len(self.lengths)

    @property
    def counted_times(self) -> NDArray[np.int64]:
        """The step t of each counted position (N,)."""
        return self.counted // len(self.lengths)

    @property
    def steps(self) -> int:
        """Number of real steps."""
        return int(self.lengths.sum())
