"""Ops that differ in an attribute are two Ops.

Theano compares Ops only to compute what is equal once, after gradients have been taken, so that an Op that clips
gradients need not compare its bound. Newer PyTensors keep one copy of equal graphs in the bodies of loops: of two
loops that clip at different bounds both would clip at the first.
"""

from typing import Any

import numpy as np
from pytensor.gradient import GradClip, GradScale
from pytensor.graph.op import Op


def compare_attributes(cls: Any) -> None:
    """Have Ops of the class compare their attributes too."""
    equal = cls.__eq__
    if equal is object.__eq__ or hasattr(equal, "compares_attributes"):
        return

    def also(op: Op, other: object) -> Any:
        if op is other:
            return True
        result = equal(op, other)
        return result if result is NotImplemented or not result else _same(vars(op), vars(other))

    also.compares_attributes = True  # type: ignore[attr-defined]
    hashed = cls.__hash__
    cls.__eq__ = also
    cls.__hash__ = hashed


def compare_attributes_of_gradients() -> None:
    """Do so for PyTensor's Ops that change a gradient alone; called once or more often."""
    compare_attributes(GradClip)
    compare_attributes(GradScale)


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return one.keys() == other.keys() and all(_equal(value, other[name]) for name, value in one.items())


def _equal(one: Any, other: Any) -> bool:
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other)
    try:
        return bool(one == other)
    except Exception:  # what cannot be compared, as lists of arrays
        return False
