"""Memory that kernels work in."""

import ctypes
import os
import threading

import numpy as np


def keep_memory() -> None:
    """Let freed memory stay with the process: fresh pages for every step's arrays cost up to a quarter of it.

    An arrangement of the GNU C library; others are left as they are.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if os.name == "posix" else None
    if mallopt is not None:
        mallopt(-4, 0)  # M_MMAP_MAX: no block is a mapping of its own, which would end with it
        mallopt(-1, (1 << 31) - 1)  # M_TRIM_THRESHOLD


keep_memory()


class _OfThread(threading.local):
    """Memory of one thread: Python may switch to another thread between any two kernel calls."""

    def __init__(self) -> None:
        self.held: dict[tuple[str, str], np.ndarray] = {}


_of_thread = _OfThread()


def aligned(count: int, dtype: np.dtype) -> np.ndarray:
    """Return new memory for `count` numbers, at a multiple of the widest register's size."""
    size = count * dtype.itemsize
    room = np.empty(size + 64, np.uint8)
    first = -room.__array_interface__["data"][0] % 64
    return room[first : first + size].view(dtype)


def scratch(name: str, count: int, dtype: np.dtype) -> np.ndarray:
    """Return memory for `count` numbers, within a thread the same for all calls with this name, enlarged if needed."""
    own = _of_thread.held
    held = own.get((name, dtype.char))
    if held is None or len(held) < count:
        held = own[name, dtype.char] = aligned(count, dtype)
    return held[:count]
