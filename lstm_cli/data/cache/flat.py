"""Arrays that grow on disk, and are read memory-mapped: what they hold is in the system's cache of files only."""

import mmap
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Bytes that are collected before they are written, and bytes that a change of type converts at a time.
_BUFFER, _PIECE = 1 << 20, 1 << 24


def mapped(path: Path, dtype: np.dtype[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """Return a file as an array that cannot be written to."""
    if not np.prod(shape):
        return np.zeros(shape, dtype)
    with path.open("rb") as file:
        return np.frombuffer(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ), dtype).reshape(shape)


class Flat:
    """Arrays (…, W) end to end in a file; they become the type that holds all of them, as `numpy.concatenate` has it.

    Parameters
    ----------
    path
        A new file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("wb", buffering=_BUFFER)
        self._dtype: np.dtype[Any] | None = None
        self._shape: tuple[int, ...] = ()
        self.count = 0

    def append(self, array: NDArray[Any]) -> None:
        """Write an array behind those before it."""
        if self._dtype is None:
            self._dtype, self._shape = array.dtype, array.shape[1:]
        elif array.dtype != self._dtype:
            self._become(np.result_type(self._dtype, array.dtype))
        self._file.write(_bytes(np.ascontiguousarray(array, self._dtype)))
        self.count += len(array)

    def fill(self, count: int, value: np.generic) -> None:
        """Write a value as often as told."""
        for start in range(0, count, _PIECE):
            self.append(np.full(min(_PIECE, count - start), value))

    def array(self) -> NDArray[Any]:
        """Return everything; nothing is appended after that."""
        self._file.close()
        return mapped(self.path, self._dtype or np.dtype(np.float64), (self.count, *self._shape))

    def close(self) -> None:
        """End writing."""
        self._file.close()

    def _become(self, dtype: np.dtype[Any]) -> None:
        """Convert what is written to another type."""
        if dtype == self._dtype:
            return
        before, own = self.array(), self.path.with_suffix(".other")
        with own.open("wb") as file:
            for start in range(0, len(before), _PIECE):
                file.write(_bytes(np.ascontiguousarray(before[start : start + _PIECE], dtype)))
        own.replace(self.path)
        self._dtype, self._file = dtype, self.path.open("ab", buffering=_BUFFER)


def _bytes(array: NDArray[Any]) -> memoryview:
    return array.reshape(-1).view(np.uint8).data
