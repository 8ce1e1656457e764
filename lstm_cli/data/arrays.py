"""Arrays of many sequences, end to end."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def ends(lengths: np.ndarray) -> NDArray[np.int64]:
    """Return 0 and the running sums of lengths."""
    found = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=found[1:])
    return found


def repeated(values: list[int], counts: list[int]) -> NDArray[np.int64]:
    """Return each value as often as its count says; if all are the same, without memory for each."""
    if len(set(values)) == 1:
        return np.broadcast_to(np.int64(values[0]), sum(counts))
    return np.repeat(np.array(values, np.int64), counts)


def joined(arrays: list[Any]) -> np.ndarray:
    """Return arrays end to end; a single one without a copy if it is contiguous."""
    return np.ascontiguousarray(arrays[0]) if len(arrays) == 1 else np.concatenate(arrays)


def joined_or_none(arrays: list[np.ndarray | None], counts: np.ndarray, default: np.generic) -> np.ndarray | None:
    """Return arrays end to end, `default` for those that are None; None if all are."""
    if all(array is None for array in arrays):
        return None
    filled = [np.full(count, default) if array is None else array for array, count in zip(arrays, counts, strict=True)]
    return np.concatenate(filled)
