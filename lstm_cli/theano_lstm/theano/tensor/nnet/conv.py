"""``theano.tensor.nnet.conv``: the older interface of `lstm_cli.theano.tensor.nnet.conv2d`."""

from collections.abc import Sequence
from typing import Any

from pytensor.graph.basic import Variable

from lstm_cli.theano_lstm.images.building import Shape, convolve
from lstm_cli.theano_lstm.images.geometry import geometry

# How Theano's code was to run, which makes no difference here.
_HINTS = {"openmp", "unroll_batch", "unroll_kern", "unroll_patch", "verbose", "version", "direction_hint"}


def conv2d(
    input: Any,
    filters: Any,
    image_shape: Shape = None,
    filter_shape: Shape = None,
    border_mode: str = "valid",
    subsample: Sequence[int] = (1, 1),
    **hints: Any,
) -> Variable:
    """Return images (N, C, rows, columns) under flipped filters (F, C, rows, columns)."""
    if unknown := sorted(hints.keys() - _HINTS):
        raise TypeError(f"nnet.conv.conv2d: {', '.join(unknown)}: not offered; known are {', '.join(sorted(_HINTS))}")
    return convolve(input, filters, image_shape, filter_shape, geometry(2, border_mode, subsample))
