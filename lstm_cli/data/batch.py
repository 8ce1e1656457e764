"""A batch: some sequences side by side, padded at their ends.

Legend: T time, B batch, I numbers per step, D or K targets, N counted positions.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Batch:
    """Sequences, or windows of them, longest first. All arrays are C-ordered and writable.

    Attributes
    ----------
    lengths : int64 array (B,)
        Real steps of each.
    mask : float32 array (T, B)
        1 = real step.
    numbers : float array (T, B, I) or None
        Numeric inputs, 0 on padding.
    tokens : dict of int32 arrays (T, B)
        Token inputs, 0 on padding.
    counted : int64 array (N,)
        The positions whose outputs count, flat: t * B + b. Padding, steps without a target and steps of
        weight 0 are not among them; there may be none at all. Per sequence they are 0 … B - 1.
    target : int64 array (N,), float array (N, D) or (N, K), or None
        The true targets at the counted positions; a category that training never saw is -1.
    weight : float array (N,)
        How much every counted position weighs.
    loss_divisor : float
        What the summed loss is divided by: the sum of weights, or the number of sequences. Categories that training
        never saw, whose loss is 0, are left out.
    sequences : int64 array (B,)
        Which sequences of the dataset they are.
    starts : int64 array (B,) or None
        The step of its sequence at which each begins; None: the first.
    carry : int64 array (B,) or None
        The sequence of the previous batch, by its column there, whose final state each continues; -1 for a fresh
        start; None: all are fresh.
    observed : int64 array (B,) or None
        In a closed loop: the first steps of each, whose input is given; None: there is no closed loop.
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

    @property
    def known(self) -> NDArray[np.bool_]:
        """Which counted positions have a loss (N,): all but those of a category that training never saw."""
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
        """Real steps."""
        return int(self.lengths.sum())
