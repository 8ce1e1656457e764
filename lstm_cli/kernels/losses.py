"""Losses over rows of outputs, and their gradients in the memory of the outputs.

Legend: N rows, K classes or labels, D numbers. Losses are computed in parts that keep NaN and infinity meaningful, and
stored with no more arithmetic: a row with a value that is not finite gets a loss that is not. Tasks divide the
rows among them. Numbers come in an array `k` of the outputs' dtype; literals would turn the arithmetic into float64.
"""

import math

import numpy as np

from lstm_cli.kernels.runtime.compilation import part
from lstm_cli.kernels.runtime.tasks import task_kernel
from lstm_cli.kernels.simd.scalar import exp_nonpositive, larger, log1p_unit


@part
def _largest(x):
    largest = x[0]
    for j in range(x.shape[0]):
        largest = larger(largest, x[j])
    return largest


@part(exact=True)
def _softmax_loss(x, target, smoothing):
    """Return loss, negative log-likelihood and log sum_j exp(x_j) of a row x (K,); NaN where x is not finite."""
    number = x.dtype.type
    largest, total, exponentials = _largest(x), number(0), number(0)
    for j in range(x.shape[0]):
        total += x[j]
        exponentials += exp_nonpositive(x[j] - largest)
    log_sum = largest + np.log(exponentials) if abs(total) < math.inf else number(math.nan)
    if target < 0:
        return number(0), number(0), log_sum
    nll = log_sum - x[target]
    return nll + smoothing * (x[target] - total / number(x.shape[0])), nll, log_sum


@task_kernel
def softmax_losses(task, tasks, logits, classes, target, k, loss, nll, log_sum):
    """Cross-entropy of each row's softmax with its target class.

    Parameters
    ----------
    logits (N, K), classes : K, target (N,) int64: -1 where unknown, k : smoothing
    loss (N,): with the target's probability smoothed, nll (N,): without, log_sum (N,): log sum exp. All three written.
    """
    rows = target.shape[0]
    for n in range(task * rows // tasks, (task + 1) * rows // tasks):
        row = logits[n * classes : (n + 1) * classes]
        loss[n], nll[n], log_sum[n] = _softmax_loss(row, target[n], k[0])


@part
def _softmax_gradient(x, log_sum, scale, shift):
    """Turn x (K,) into scale * softmax(x) - shift."""
    for j in range(x.shape[0]):
        x[j] = scale * exp_nonpositive(x[j] - log_sum) - shift


@task_kernel
def softmax_gradient(task, tasks, x, classes, target, log_sum, scale, k):
    """Turn the logits x (N, K) into the gradient of `softmax_losses`, each row times its scale.

    Parameters
    ----------
    classes : K, target (N,) int64, log_sum, scale (N,), k : smoothing / K, 1 - smoothing
    """
    rows = target.shape[0]
    for n in range(task * rows // tasks, (task + 1) * rows // tasks):
        row, t = x[n * classes : (n + 1) * classes], target[n]
        if t < 0 or scale[n] == 0:
            for j in range(classes):  # a slice assignment would take numba seconds to compile
                row[j] = 0
        else:
            _softmax_gradient(row, log_sum[n], scale[n], scale[n] * k[0])
            row[t] -= scale[n] * k[1]


@part(exact=True)
def _sigmoid_loss(x, y):
    zero = x.dtype.type(0)
    total = zero
    for j in range(x.shape[0]):
        total += max(x[j], zero) - x[j] * y[j] + log1p_unit(exp_nonpositive(-abs(x[j])))
    return total


@task_kernel
def sigmoid_losses(task, tasks, logits, labels, target, loss):
    """Cross-entropy of independent labels, summed over a row: max(x, 0) - x y + log(1 + exp(-|x|)).

    Parameters
    ----------
    logits, target (N, K), labels : K
    loss (N,): written.
    """
    rows = loss.shape[0]
    for n in range(task * rows // tasks, (task + 1) * rows // tasks):
        loss[n] = _sigmoid_loss(logits[n * labels : (n + 1) * labels], target[n * labels : (n + 1) * labels])


@part
def _sigmoid_gradient(x, y, scale):
    one = x.dtype.type(1)
    for j in range(x.shape[0]):
        e = exp_nonpositive(-abs(x[j]))
        x[j] = scale * ((one if x[j] >= 0 else e) / (one + e) - y[j])


@task_kernel
def sigmoid_gradient(task, tasks, x, labels, target, scale):
    """Turn x (N, K) into scale_n * (sigmoid(x) - target)."""
    rows = scale.shape[0]
    for n in range(task * rows // tasks, (task + 1) * rows // tasks):
        _sigmoid_gradient(x[n * labels : (n + 1) * labels], target[n * labels : (n + 1) * labels], scale[n])


SQUARED, ABSOLUTE, HUBER = 0, 1, 2


@part(exact=True)
def _distance(x, y, distance, delta):
    number = x.dtype.type
    total, half = number(0), number(0.5)
    for j in range(x.shape[0]):
        d = abs(x[j] - y[j])
        if distance == SQUARED:
            total += d * d
        elif distance == ABSOLUTE:
            total += d
        else:
            inside = min(d, delta)
            total += inside * (d - half * inside)
    return total / number(x.shape[0])


@task_kernel
def regression_losses(task, tasks, output, width, target, distance, k, loss):
    """Mean over a row of the distance d between output and target.

    squared d², absolute |d|, huber d² / 2 where |d| <= delta, else delta (|d| - delta / 2).

    Parameters
    ----------
    output, target (N, D), width : D, distance : SQUARED, ABSOLUTE or HUBER, k : delta
    loss (N,): written.
    """
    rows = loss.shape[0]
    for n in range(task * rows // tasks, (task + 1) * rows // tasks):
        start, stop = n * width, (n + 1) * width
        loss[n] = _distance(output[start:stop], target[start:stop], distance, k[0])


@task_kernel
def regression_gradient(task, tasks, x, width, target, distance, k, scale):
    """Turn x (N, D) into scale_n times the gradient of `regression_losses`; 0 where an absolute distance is 0."""
    rows, delta, columns = scale.shape[0], k[0], x.dtype.type(width)
    for n in range(task * rows // tasks, (task + 1) * rows // tasks):
        share = scale[n] / columns
        for i in range(n * width, (n + 1) * width):
            d = x[i] - target[i]
            if distance == SQUARED:
                x[i] = share * (d + d)
            elif distance == ABSOLUTE:
                x[i] = share * np.sign(d)
            else:
                x[i] = share * min(max(d, -delta), delta)
