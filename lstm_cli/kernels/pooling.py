"""Summaries of sequences over their real steps; tasks divide the batch among them. Legend: T time, B batch, H units."""

from lstm_cli.kernels.runtime.compilation import part
from lstm_cli.kernels.runtime.tasks import task_kernel


@part
def _add_scaled(x, factor, y):
    """Add factor * x to y."""
    for j in range(y.shape[0]):
        y[j] += factor * x[j]


@part
def _scale(x, factor, y):
    """Set y to factor * x."""
    for j in range(y.shape[0]):
        y[j] = factor * x[j]


@part
def _dot(x, y):
    total = x.dtype.type(0)
    for j in range(y.shape[0]):
        total += x[j] * y[j]
    return total


@part
def _start(x, largest, steps):
    for j in range(largest.shape[0]):
        largest[j] = x[j]
        steps[j] = 0


@part
def _keep_larger(x, step, largest, steps):
    for j in range(largest.shape[0]):
        above = x[j] > largest[j]
        largest[j] = x[j] if above else largest[j]
        steps[j] = step if above else steps[j]


@task_kernel
def weighted_sum(task, tasks, h, units, weights, lengths, pooled):
    """Set pooled (B, H) to the sum over real steps t of weights (T, B) times h (T, B, H)."""
    batch = lengths.shape[0]
    for b in range(task * batch // tasks, (task + 1) * batch // tasks):
        row = pooled[b * units : (b + 1) * units]
        _scale(h[b * units : (b + 1) * units], weights[b], row)
        for place in range(batch + b, lengths[b] * batch, batch):
            _add_scaled(h[place * units : (place + 1) * units], weights[place], row)


@task_kernel
def weighted_sum_gradient(task, tasks, h, units, weights, lengths, dpooled, dh, dweights):
    """Gradient of `weighted_sum`: dh (T, B, H) and dweights (T, B), zeros on padding, both written."""
    batch = lengths.shape[0]
    for b in range(task * batch // tasks, (task + 1) * batch // tasks):
        row, end = dpooled[b * units : (b + 1) * units], lengths[b] * batch
        for place in range(b, weights.shape[0], batch):
            start, stop = place * units, (place + 1) * units
            _scale(row, weights[place], dh[start:stop])  # weights are 0 on padding
            dweights[place] = _dot(h[start:stop], row) if place < end else 0


@task_kernel
def largest(task, tasks, h, units, lengths, pooled, steps):
    """Set pooled (B, H) to the largest of h (T, B, H) over real steps, steps (B, H) int64 to its first step."""
    batch = lengths.shape[0]
    for b in range(task * batch // tasks, (task + 1) * batch // tasks):
        start, stop = b * units, (b + 1) * units
        _start(h[start:stop], pooled[start:stop], steps[start:stop])
        for t in range(1, lengths[b]):
            place = (t * batch + b) * units
            _keep_larger(h[place : place + units], t, pooled[start:stop], steps[start:stop])
