"""Dropout whose mask is a hash of (key, place): nothing is stored, any thread finds the same bits again."""

import numpy as np
from numba import prange

from lstm_cli.kernels.runtime import kernel, parallel_kernel

_BLOCK = 4096  # floats that stay in the first-level cache


@kernel
def _mix(h):
    """Scatter the bits of a 32-bit number: xorshift and multiply, with Ellis's constants for the least bias."""
    h = np.uint32(h ^ (h >> np.uint32(16)))
    h = np.uint32(h * np.uint32(0x21F0AAAD))
    h = np.uint32(h ^ (h >> np.uint32(15)))
    h = np.uint32(h * np.uint32(0xD35A2D97))
    return np.uint32(h ^ (h >> np.uint32(15)))


@kernel
def _drop_block(x, y, start, stop, key0, key1, threshold, scale):
    """Scale a block, copied first where x and y differ: one array in a loop is what LLVM vectorises without a check."""
    zero = y.dtype.type(0)
    for i in range(start, stop):
        y[i] = x[i]
    for i in range(start, stop):
        h = _mix(np.uint32(_mix(np.uint32(np.uint32(i) ^ key0)) + key1))
        y[i] = y[i] * scale if h >= threshold else zero


@parallel_kernel
def drop(x, y, key0, key1, threshold, scale, shards):
    """Set y_i to x_i * scale where hash(key, i) >= threshold, else to 0.

    Parameters
    ----------
    x (n,), key0, key1, threshold : uint32, scale : of x's dtype, shards : int
    y (n,): written; may be x.
    """
    blocks = (x.shape[0] + _BLOCK - 1) // _BLOCK
    for shard in prange(shards):
        for block in range(shard * blocks // shards, (shard + 1) * blocks // shards):
            # unsigned: numba tests signed places for being negative, and such a loop does not become vector code
            start, stop = np.uint64(block * _BLOCK), np.uint64(min(x.shape[0], (block + 1) * _BLOCK))
            _drop_block(x, y, start, stop, key0, key1, threshold, scale)
