"""``theano.tensor.xlogx``: products with a logarithm that are 0 where the first factor is."""

from typing import Any

from pytensor.graph.basic import Variable
from pytensor.tensor.special import xlogy

__all__ = ["xlogx", "xlogy0"]


def xlogx(x: Any) -> Variable:
    """Return x log(x)."""
    return xlogy(x, x)


def xlogy0(x: Any, y: Any) -> Variable:
    """Return x log(y)."""
    return xlogy(x, y)
