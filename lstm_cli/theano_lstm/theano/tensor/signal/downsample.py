"""``theano.tensor.signal.downsample``: the older place of `lstm_cli.theano.tensor.signal.pool`."""

from collections.abc import Callable
from functools import partial
from typing import Any

from pytensor.graph.basic import Variable

from lstm_cli.theano_lstm.theano.tensor.signal.pool import Numbers, max_pool_2d_same_size, pool_2d

__all__ = ["DownsampleFactorMax", "max_pool_2d", "max_pool_2d_same_size"]


def max_pool_2d(
    input: Any,
    ds: Numbers,
    ignore_border: bool | None = None,
    st: Numbers | None = None,
    padding: Numbers = (0, 0),
    mode: str = "max",
) -> Variable:
    """Return `pool_2d`."""
    return pool_2d(input, ds, ignore_border, st, padding, mode)


def DownsampleFactorMax(
    ds: Numbers,
    ignore_border: bool = False,
    st: Numbers | None = None,
    padding: Numbers = (0, 0),
    mode: str = "max",
) -> Callable[[Any], Variable]:
    """Return `pool_2d` with these arguments, to be called with images."""
    return partial(max_pool_2d, ds=ds, ignore_border=ignore_border, st=st, padding=padding, mode=mode)
