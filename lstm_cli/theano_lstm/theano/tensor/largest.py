"""``T.topk`` and its kin: the largest or smallest elements along an axis."""

from typing import Any

import pytensor.tensor as pt
from pytensor.graph.basic import Variable
from pytensor.raise_op import CheckAndRaise

__all__ = ["argtopk", "topk", "topk_and_argtopk"]


def topk(x: Any, kth: Any, axis: int | None = -1, sorted: bool = True, idx_dtype: str = "int64") -> Variable:
    """Return the `kth` largest elements of x, or with a `kth` below zero the smallest, from large to small.

    Parameters
    ----------
    x : (…)
    kth : int or scalar variable
        How many.
    axis : int, optional
        Along which; None for all elements of x.
    sorted : bool
        No effect: Theano knew only False, which promised no order.
    idx_dtype : str
        Of the places that `argtopk` returns.

    Raises
    ------
    ValueError
        When the function runs: `kth` is 0, or more than there are elements.
    """
    return topk_and_argtopk(x, kth, axis, sorted, idx_dtype)[0]


def argtopk(x: Any, kth: Any, axis: int | None = -1, sorted: bool = True, idx_dtype: str = "int64") -> Variable:
    """Return the places along `axis` of what `topk` returns."""
    return topk_and_argtopk(x, kth, axis, sorted, idx_dtype)[1]


def topk_and_argtopk(
    x: Any, kth: Any, axis: int | None = -1, sorted: bool = True, idx_dtype: str = "int64"
) -> tuple[Variable, Variable]:
    """Return `topk` and `argtopk`."""
    x = pt.as_tensor_variable(x)
    x, axis = (x.flatten(), 0) if axis is None else (x, axis % x.ndim)
    length = x.shape[axis]
    count = _between_ends(pt.as_tensor_variable(kth), length)
    largest = pt.gt(count, 0)
    taken = slice(pt.switch(largest, length - count, 0), pt.switch(largest, length, -count))
    along: tuple[slice, ...] = (slice(None),) * axis
    places = pt.argsort(x, axis=axis)[(*along, taken)][(*along, slice(None, None, -1))]
    return pt.take_along_axis(x, places, axis), places.astype(idx_dtype)


def _between_ends(count: Variable, length: Variable) -> Variable:
    check = CheckAndRaise(ValueError, "topk: kth: expected 1 to as many as the elements along the axis, or below zero")
    return check(count, pt.ge(pt.abs(count), 1), pt.le(pt.abs(count), length))
