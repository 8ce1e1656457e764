"""Summaries of sequences over their real steps; threads share the batch. Legend: T time, B batch, H units."""

from numba import prange

from lstm_cli.kernels.runtime import kernel, parallel_kernel


@kernel
def _add_scaled(x, factor, y):
    """Add factor * x to y."""
    for j in range(y.shape[0]):
        y[j] += factor * x[j]


@kernel
def _scale(x, factor, y):
    """Set y to factor * x."""
    for j in range(y.shape[0]):
        y[j] = factor * x[j]


@kernel
def _dot(x, y):
    total = x.dtype.type(0)
    for j in range(y.shape[0]):
        total += x[j] * y[j]
    return total


@kernel
def _start(x, largest, steps):
    for j in range(largest.shape[0]):
        largest[j] = x[j]
        steps[j] = 0


@kernel
def _keep_larger(x, step, largest, steps):
    for j in range(largest.shape[0]):
        above = x[j] > largest[j]
        largest[j] = x[j] if above else largest[j]
        steps[j] = step if above else steps[j]


@parallel_kernel
def weighted_sum(h, weights, lengths, shards, pooled):
    """Set pooled (B, H) to the sum over real steps t of weights (T, B) times h (T, B, H)."""
    batch = lengths.shape[0]
    for shard in prange(shards):
        for b in range(shard * batch // shards, (shard + 1) * batch // shards):
            _scale(h[0, b], weights[0, b], pooled[b])
            for t in range(1, lengths[b]):
                _add_scaled(h[t, b], weights[t, b], pooled[b])


@parallel_kernel
def weighted_sum_gradient(h, weights, lengths, dpooled, shards, dh, dweights):
    """Gradient of `weighted_sum`: dh (T, B, H) and dweights (T, B), zeros on padding, both written."""
    batch = lengths.shape[0]
    for shard in prange(shards):
        for b in range(shard * batch // shards, (shard + 1) * batch // shards):
            for t in range(h.shape[0]):
                _scale(dpooled[b], weights[t, b], dh[t, b])  # weights are 0 on padding
                dweights[t, b] = _dot(h[t, b], dpooled[b]) if t < lengths[b] else 0


@parallel_kernel
def largest(h, lengths, shards, pooled, steps):
    """Set pooled (B, H) to the largest of h (T, B, H) over real steps, steps (B, H) int64 to where it stood first."""
    batch = lengths.shape[0]
    for shard in prange(shards):
        for b in range(shard * batch // shards, (shard + 1) * batch // shards):
            _start(h[0, b], pooled[b], steps[b])
            for t in range(1, lengths[b]):
                _keep_larger(h[t, b], t, pooled[b], steps[b])
