"""Mean and squares about it of numbers in pieces, merged in the order of the pieces.

Legend: T steps, D numbers per step, n pieces of one step, m pieces of any length.
"""

from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

_TOGETHER = 1 << 12  # pieces whose moments are held at a time
_NARROW = 8  # numbers per step up to which Python's own are faster, one after the other


def merged(pieces: Sequence[Numbers], width: int) -> tuple[Numbers, Numbers, Numbers]:
    """Return what `_moments` returns for all pieces (T, D) together.

    Means and squares are merged piece by piece (Chan, Golub and LeVeque 1983), one after the other; what does not
    depend on the pieces before is computed for many at a time.
    """
    count, mean, squares = np.zeros(width), np.zeros(width), np.zeros(width)
    for present, means, own_squares in _all_moments(pieces):
        counts = count + np.cumsum(present, axis=0)
        total = np.maximum(counts, 1)
        before, mean = _running(mean, means, present / total)
        gaps = means - before
        own_squares += np.square(gaps) * ((counts - present) * present / total)
        squares = np.add.accumulate(np.concatenate([squares[np.newaxis], own_squares]))[-1]
        count = counts[-1]
    return count, mean, squares


def _running(mean: Numbers, means: Numbers, shares: Numbers) -> tuple[Numbers, Numbers]:
    """Return the mean before each of some pieces (m, D) is merged, m + share * (own - m), and that after all (D,)."""
    before = np.empty_like(means)
    if len(mean) > _NARROW:
        for row, (own, share) in enumerate(zip(means, shares, strict=True)):
            before[row] = mean
            mean = mean + (own - mean) * share
        return before, mean
    after = []
    for column, (start, own, share) in enumerate(zip(mean.tolist(), means.T, shares.T, strict=True)):
        *earlier, last = accumulate(
            zip(own.tolist(), share.tolist(), strict=True),
            lambda now, new: now + (new[0] - now) * new[1],
            initial=start,
        )
        before[:, column] = earlier
        after.append(last)
    return before, np.array(after)


def _all_moments(pieces: Sequence[Numbers]) -> Iterator[tuple[Numbers, Numbers, Numbers]]:
    """Yield what `_moments` returns for some of the pieces at a time, each (m, D)."""
    held: list[Any] = []
    for piece in pieces:
        if piece.ndim == 3 and not np.isnan(piece).any():
            if held:
                yield _stacked(held)
                held = []
            yield np.ones(piece[:, 0].shape), piece[:, 0], np.zeros(piece[:, 0].shape)
            continue
        held += [_moments(part) for part in ([piece] if piece.ndim == 2 else piece) if len(part)]
        if len(held) >= _TOGETHER:
            yield _stacked(held)
            held = []
    if held:
        yield _stacked(held)


def _stacked(moments: list[Any]) -> tuple[Numbers, Numbers, Numbers]:
    present, means, squares = (np.array(part, np.float64) for part in zip(*moments, strict=True))
    return present, means, squares


def _moments(values: Numbers) -> tuple[Sequence[float] | Numbers, Numbers, Numbers]:
    """Return the number of values (T, D) that are not NaN, their mean, and the sum of squares about it, each (D,)."""
    own = np.add.reduce(values) / len(values)
    if not np.count_nonzero(np.isnan(own)):
        squares = values - own
        return [len(values)] * len(own), own, np.add.reduce(np.square(squares, out=squares))
    present = (~np.isnan(values)).sum(axis=0).astype(np.float64)
    own = np.nansum(values, axis=0) / np.maximum(present, 1)
    return present, own, np.nansum(np.square(values - own), axis=0)
