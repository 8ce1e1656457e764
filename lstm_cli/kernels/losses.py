"""Losses over rows of outputs, and their gradients in the memory of the outputs.

Legend: N rows, K classes or labels, D numbers. Loss kernels keep NaN and infinity meaningful (`exact`): a row with a
value that is not finite gets a loss that is not.
"""

import math

import numpy as np
from numba import prange

from lstm_cli.kernels.runtime import kernel, parallel_kernel
from lstm_cli.kernels.scalar import exp_nonpositive, larger, log1p_unit


@kernel
def _largest(x):
    largest = x[0]
    for j in range(x.shape[0]):
        largest = larger(largest, x[j])
    return largest


@kernel(exact=True)
def _log_sum_exp(x):
    """Return log sum_j exp(x_j) and the mean of x (K,); NaN where x is not finite."""
    number = x.dtype.type  # a literal 0 would make every sum float64
    largest, total, exponentials = _largest(x), number(0), number(0)
    for j in range(x.shape[0]):
        total += x[j]
        exponentials += exp_nonpositive(x[j] - largest)
    finite = abs(total) < math.inf
    return (largest + np.log(exponentials) if finite else total - total), total / number(x.shape[0])


@parallel_kernel
def softmax_losses(logits, target, smoothing, shards, loss, nll, log_sum):
    """Cross-entropy of each row's softmax with its target class.

    Parameters
    ----------
    logits (N, K), target (N,) int64: -1 where unknown, smoothing : of the logits' dtype, shards : int
    loss (N,): with the target's probability smoothed, nll (N,): without, log_sum (N,): log sum exp. All three written.
    """
    rows = logits.shape[0]
    for shard in prange(shards):
        for n in range(shard * rows // shards, (shard + 1) * rows // shards):
            log_sum[n], mean = _log_sum_exp(logits[n])
            k = target[n]
            loss[n] = nll[n] = 0
            if k >= 0:
                nll[n] = log_sum[n] - logits[n, k]
                loss[n] = nll[n] + smoothing * (logits[n, k] - mean)


@kernel
def _softmax_gradient(x, log_sum, scale, shift):
    """Turn x (K,) into scale * softmax(x) - shift."""
    for j in range(x.shape[0]):
        x[j] = scale * exp_nonpositive(x[j] - log_sum) - shift


@kernel
def _clear(x):
    for j in range(x.shape[0]):  # a slice assignment would take numba seconds to compile
        x[j] = 0


@parallel_kernel
def softmax_gradient(x, target, log_sum, scale, smoothing, shards):
    """Turn the logits x (N, K) into the gradient of `softmax_losses`, each row times its scale.

    Parameters
    ----------
    target (N,) int64, log_sum, scale (N,), smoothing : of x's dtype, shards : int
    """
    rows = x.shape[0]
    one, classes = x.dtype.type(1), x.dtype.type(x.shape[1])
    for shard in prange(shards):
        for n in range(shard * rows // shards, (shard + 1) * rows // shards):
            k = target[n]
            if k < 0 or scale[n] == 0:
                _clear(x[n])
            else:
                _softmax_gradient(x[n], log_sum[n], scale[n], scale[n] * smoothing / classes)
                x[n, k] -= scale[n] * (one - smoothing)


@kernel(exact=True)
def sigmoid_losses(logits, target, loss):
    """Cross-entropy of independent labels, summed over a row: max(x, 0) - x y + log(1 + exp(-|x|)).

    Parameters
    ----------
    logits, target (N, K)
    loss (N,): written.
    """
    zero = logits.dtype.type(0)
    for n in range(logits.shape[0]):
        total = zero
        for k in range(logits.shape[1]):
            x = logits[n, k]
            total += max(x, zero) - x * target[n, k] + log1p_unit(exp_nonpositive(-abs(x)))
        loss[n] = total


@kernel
def sigmoid_gradient(x, target, scale):
    """Turn x (N, K) into scale_n * (sigmoid(x) - target)."""
    one = x.dtype.type(1)
    for n in range(x.shape[0]):
        for k in range(x.shape[1]):
            e = exp_nonpositive(-abs(x[n, k]))
            probability = (one if x[n, k] >= 0 else e) / (one + e)
            x[n, k] = scale[n] * (probability - target[n, k])


SQUARED, ABSOLUTE, HUBER = 0, 1, 2


@kernel(exact=True)
def regression_losses(output, target, distance, delta, loss):
    """Mean over a row of the distance d between output and target.

    squared d², absolute |d|, huber d² / 2 where |d| <= delta, else delta (|d| - delta / 2).

    Parameters
    ----------
    output, target (N, D), distance : SQUARED, ABSOLUTE or HUBER, delta : of the output's dtype
    loss (N,): written.
    """
    number = output.dtype.type
    width, half = number(output.shape[1]), number(0.5)
    for n in range(output.shape[0]):
        total = number(0)
        for k in range(output.shape[1]):
            d = abs(output[n, k] - target[n, k])
            if distance == SQUARED:
                total += d * d
            elif distance == ABSOLUTE:
                total += d
            else:
                inside = min(d, delta)
                total += inside * (d - half * inside)
        loss[n] = total / width


@kernel
def regression_gradient(x, target, distance, delta, scale):
    """Turn x (N, D) into scale_n times the gradient of `regression_losses`; 0 where an absolute distance is 0."""
    for n in range(x.shape[0]):
        share = scale[n] / x.dtype.type(x.shape[1])
        for k in range(x.shape[1]):
            d = x[n, k] - target[n, k]
            if distance == SQUARED:
                x[n, k] = share * (d + d)
            elif distance == ABSOLUTE:
                x[n, k] = share * np.sign(d)
            else:
                x[n, k] = share * min(max(d, -delta), delta)
