"""``theano.tensor.batched_dot`` and its relative, which newer PyTensors have dropped. Legend: B batch."""

from collections.abc import Sequence
from math import prod
from typing import Any

import pytensor.tensor as pt
from pytensor.graph.basic import Variable


def batched_dot(a: Any, b: Any) -> Variable:
    """Return dot(a[i], b[i]) for each i of the batch: of (B,), (B, N), (B, N, M) and more axes.

    Raises
    ------
    TypeError
        One has no axes.
    """
    a, b = pt.as_tensor_variable(a), pt.as_tensor_variable(b)
    if not a.ndim or not b.ndim:
        raise TypeError(f"batched_dot: expected variables with an axis for the batch, got {a.ndim} and {b.ndim} axes")
    if a.ndim == 1 or b.ndim == 1:
        return _with_axes(a, b.ndim) * _with_axes(b, a.ndim)
    return batched_tensordot(a, b, [[a.ndim - 1], [max(1, b.ndim - 2)]])


def batched_tensordot(x: Any, y: Any, axes: int | Sequence[Sequence[int]] = 2) -> Variable:
    """Return tensordot(x[i], y[i]) for each i of the batch.

    Parameters
    ----------
    x, y : (B, …)
    axes : int, or two lists of axes
        How many of the last axes of x and the first of y after the batch are summed over, or which; axis 0 is the
        batch.
    """
    x, y = pt.as_tensor_variable(x), pt.as_tensor_variable(y)
    if isinstance(axes, int):
        axes = [list(range(x.ndim - axes, x.ndim)), list(range(1, 1 + axes))]
    of_x, of_y = ([int(axis) % v.ndim for axis in _listed(given)] for v, given in zip((x, y), axes, strict=True))
    if len(of_x) != len(of_y) or 0 in (*of_x, *of_y):
        raise ValueError(f"batched_tensordot: expected as many axes of x as of y, without the batch, got {axes}")
    kept_x = [axis for axis in range(1, x.ndim) if axis not in of_x]
    kept_y = [axis for axis in range(1, y.ndim) if axis not in of_y]
    left = x.transpose(0, *kept_x, *of_x).reshape((x.shape[0], _size(x, kept_x), _size(x, of_x)))
    right = y.transpose(0, *of_y, *kept_y).reshape((y.shape[0], _size(y, of_y), _size(y, kept_y)))
    shape = [x.shape[0], *(x.shape[axis] for axis in kept_x), *(y.shape[axis] for axis in kept_y)]
    return pt.matmul(left, right).reshape(shape, ndim=len(shape))


def _with_axes(v: Variable, ndim: int) -> Variable:
    """Return v (B, …), a vector with as many axes of length 1 behind as the other variable has."""
    return v.dimshuffle(0, *["x"] * (ndim - 1)) if v.ndim == 1 else v


def _listed(axes: int | Sequence[int]) -> Sequence[int]:
    return [axes] if isinstance(axes, int) else axes


def _size(v: Variable, axes: Sequence[int]) -> Any:
    return prod(v.shape[axis] for axis in axes)
