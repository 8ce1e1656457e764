"""``theano.tensor.nnet.bn``: batch normalization.

References
----------
Ioffe and Szegedy, Batch normalization: accelerating deep network training by reducing internal covariate shift, 2015.
"""

from collections.abc import Iterable, Sequence
from math import prod
from typing import Any

import pytensor.tensor as pt
from pytensor.graph.basic import Variable

__all__ = ["batch_normalization", "batch_normalization_test", "batch_normalization_train"]

Axes = str | Iterable[int]


def batch_normalization(
    inputs: Variable, gamma: Variable, beta: Variable, mean: Variable, std: Variable, mode: str = "low_mem"
) -> Variable:
    """Return (x - mean) / std gamma + beta.

    Parameters
    ----------
    inputs : x (N, …)
    gamma, beta, mean, std
        Of as many axes, broadcastable against x.
    mode : {"low_mem", "high_mem"}
        Makes no difference.
    """
    if mode not in ("low_mem", "high_mem"):
        raise ValueError(f"batch_normalization: mode: expected 'low_mem' or 'high_mem', got {mode!r}")
    return (inputs - mean) * (pt.as_tensor_variable(gamma) / std) + beta


def batch_normalization_train(
    inputs: Variable,
    gamma: Variable,
    beta: Variable,
    axes: Axes = "per-activation",
    epsilon: float = 1e-4,
    running_average_factor: float = 0.1,
    running_mean: Variable | None = None,
    running_var: Variable | None = None,
) -> tuple[Variable, ...]:
    """Normalize a batch by its own mean and variance.

    ::

        y = (x - mean) / sqrt(var + epsilon) gamma + beta
        running_mean' = (1 - r) running_mean + r mean
        running_var' = (1 - r) running_var + r m / (m - 1) var          m elements have one mean

    Parameters
    ----------
    inputs : x (N, …)
    gamma, beta, running_mean, running_var
        Shaped as x without the axes, or with 1 in their place.
    axes : {"per-activation", "spatial"} or sequence of int
        Those over which means are taken: 0; all but 1; or these.
    epsilon : float
        1e-5 or more.
    running_average_factor : float
        r.

    Returns
    -------
    out, mean, invstd : y, mean, 1 / sqrt(var + epsilon)
    new_running_mean, new_running_var
        If they were given.
    """
    inputs = pt.as_tensor_variable(inputs)
    over = _axes(axes, inputs.ndim, epsilon)
    if (running_mean is None) != (running_var is None):
        raise ValueError("batch_normalization_train: running_mean and running_var: expected both or none")
    running = [] if running_mean is None else [running_mean, running_var]
    kept = [axis for axis in range(inputs.ndim) if axis not in over]
    without_axes = pt.as_tensor_variable(gamma).ndim != inputs.ndim
    gamma, beta, *running = (_spread(parameter, inputs.ndim, over) for parameter in (gamma, beta, *running))
    mean, var = inputs.mean(axis=over, keepdims=True), inputs.var(axis=over, keepdims=True)
    invstd = 1 / pt.sqrt(var + pt.cast(epsilon, var.dtype))
    results = [mean, invstd]
    if running:
        m = pt.cast(prod([inputs.shape[axis] for axis in over]), var.dtype)
        r = pt.cast(running_average_factor, var.dtype)
        results += [(1 - r) * old + r * new for old, new in zip(running, (mean, m / (m - 1) * var), strict=True)]
    if without_axes:
        results = [result.dimshuffle(*kept) for result in results]
    return ((inputs - mean) * gamma * invstd + beta, *results)


def batch_normalization_test(
    inputs: Variable,
    gamma: Variable,
    beta: Variable,
    mean: Variable,
    var: Variable,
    axes: Axes = "per-activation",
    epsilon: float = 1e-4,
) -> Variable:
    """Normalize by a mean and variance that are given; arguments as in `batch_normalization_train`."""
    inputs = pt.as_tensor_variable(inputs)
    over = _axes(axes, inputs.ndim, epsilon)
    gamma, beta, mean, var = (_spread(parameter, inputs.ndim, over) for parameter in (gamma, beta, mean, var))
    return (inputs - mean) * gamma / pt.sqrt(var + pt.cast(epsilon, inputs.dtype)) + beta


def _axes(axes: Axes, ndim: int, epsilon: float) -> tuple[int, ...]:
    """Return the axes over which means are taken; the other arguments are checked too."""
    if epsilon < 1e-5:
        raise ValueError(f"batch_normalization: epsilon: expected 1e-5 or more, got {epsilon}")
    if isinstance(axes, str):
        named = {"per-activation": (0,), "spatial": (0, *range(2, ndim))}
        if axes not in named:
            raise ValueError(f"batch_normalization: axes: expected {' or '.join(named)} or numbers, got {axes!r}")
        return named[axes]
    numbers = tuple(sorted(int(axis) for axis in axes))
    if not numbers or not 0 <= numbers[0] <= numbers[-1] < ndim:
        raise ValueError(f"batch_normalization: axes: expected one or more of 0 to {ndim - 1}, got {numbers}")
    return numbers


def _spread(parameter: Any, ndim: int, over: Sequence[int]) -> Variable:
    """Return a parameter with all axes of the inputs, broadcastable along those over which means are taken."""
    parameter = pt.as_tensor_variable(parameter)
    if parameter.ndim == ndim:
        return pt.specify_broadcastable(parameter, *over)
    if parameter.ndim != ndim - len(over):
        raise ValueError(
            f"batch_normalization: expected parameters of {ndim - len(over)} or {ndim} axes, got one of "
            f"{parameter.ndim}"
        )
    places = iter(range(parameter.ndim))
    return parameter.dimshuffle(*("x" if axis in over else next(places) for axis in range(ndim)))
