"""Dropout whose mask is a hash of (key, place): nothing is stored, any thread finds the same bits again."""

import numpy as np

from lstm_cli.kernels.runtime.compilation import part
from lstm_cli.kernels.runtime.tasks import task_kernel

_BLOCK = 4096  # numbers that stay in the first-level cache


@part
def _mix(h):
    """Scatter the bits of a 32-bit number: xorshift and multiply, with Ellis's constants for the least bias."""
    h = np.uint32(h ^ (h >> np.uint32(16)))
    h = np.uint32(h * np.uint32(0x21F0AAAD))
    h = np.uint32(h ^ (h >> np.uint32(15)))
    h = np.uint32(h * np.uint32(0xD35A2D97))
    return np.uint32(h ^ (h >> np.uint32(15)))


@part
def _drop_block(x, y, start, stop, keys, scale):
    """Scale a block, copied first where x and y differ: one array in a loop is what LLVM vectorises without a check."""
    key0, key1, threshold, zero = keys[0], keys[1], keys[2], y.dtype.type(0)
    for i in range(start, stop):
        y[i] = x[i]
    for i in range(start, stop):
        h = _mix(np.uint32(_mix(np.uint32(np.uint32(i) ^ key0)) + key1))
        y[i] = y[i] * scale if h >= threshold else zero


@task_kernel
def drop(task, tasks, x, y, keys, k):
    """Set y_i to x_i * scale where hash(key, i) >= threshold, else to 0.

    Parameters
    ----------
    x (n,), keys (3,) uint32 : two parts of the key, threshold; k of x's dtype : scale
    y (n,): written; may be x.
    """
    size = x.shape[0]
    blocks = (size + _BLOCK - 1) // _BLOCK
    for block in range(task * blocks // tasks, (task + 1) * blocks // tasks):
        # unsigned: numba tests signed places for being negative, and such a loop does not become vector code
        _drop_block(x, y, np.uint64(block * _BLOCK), np.uint64(min(size, (block + 1) * _BLOCK)), keys, k[0])
