"""Rows of a matrix added to the rows of another."""

from numba import prange

from lstm_cli.kernels.runtime import kernel, parallel_kernel

_BLOCK = 16  # numbers: threads never write to one cache line


@kernel
def _add(source, target):
    for j in range(target.shape[0]):
        target[j] += source[j]


@parallel_kernel
def scatter_add(source, rows, target, shards):
    """Add each row of source (N, E) to the row of target (R, E) that it goes to.

    Parameters
    ----------
    source (N, E), rows (N,) int64, target (R, E): added to; shards : int

    Notes
    -----
    Threads share the columns, so each sum is made in the order of the rows, whatever the number of threads.
    """
    width = target.shape[1]
    blocks = (width + _BLOCK - 1) // _BLOCK
    for shard in prange(shards):
        first, last = shard * blocks // shards * _BLOCK, min(width, (shard + 1) * blocks // shards * _BLOCK)
        for n in range(rows.shape[0]):
            _add(source[n, first:last], target[rows[n], first:last])
