"""Arrays of many sequences in blocks of about the same size, so that neither their number nor their length matters."""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

_ROWS = 1 << 16


def blocks(pieces: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """Yield the rows of pieces (T, …) in order: long pieces in parts, short ones joined; none is empty."""
    held: list[np.ndarray] = []
    rows = 0
    for piece in pieces:
        if rows + len(piece) > _ROWS and rows:
            yield _joined(held)
            held, rows = [], 0
        if len(piece) > _ROWS:
            yield from (piece[start : start + _ROWS] for start in range(0, len(piece), _ROWS))
        elif len(piece):
            held.append(piece)
            rows += len(piece)
    if rows:
        yield _joined(held)


def limits(pieces: Iterable[NDArray[np.float64]], width: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the least and the largest of all values in pieces (T, D) that are not NaN (D,); infinite without any."""
    low, high = np.full(width, np.inf), np.full(width, -np.inf)
    for block in blocks(pieces):
        low, high = np.fmin(low, np.fmin.reduce(block)), np.fmax(high, np.fmax.reduce(block))
    return low, high


def _joined(pieces: list[np.ndarray]) -> np.ndarray:
    return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)
