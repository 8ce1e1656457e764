"""``theano.tensor.signal.conv``: images without channels."""

from collections.abc import Sequence
from typing import Any

import pytensor.tensor as pt
from pytensor.graph.basic import Variable

from lstm_cli.theano_lstm.images.building import Shape
from lstm_cli.theano_lstm.theano.tensor.nnet import conv


def conv2d(
    input: Any,
    filters: Any,
    image_shape: Shape = None,
    filter_shape: Shape = None,
    border_mode: str = "valid",
    subsample: Sequence[int] = (1, 1),
    **hints: Any,
) -> Variable:
    """Return images ([N,] rows, columns) under flipped filters ([F,] rows, columns): ([N,] [F,] rows, columns)."""
    images, filters = pt.as_tensor_variable(input), pt.as_tensor_variable(filters)
    if not {images.type.ndim, filters.type.ndim} <= {2, 3}:
        raise TypeError(
            f"signal.conv.conv2d: expected images and filters of 2 or 3 axes, got {images.type.ndim} and "
            f"{filters.type.ndim}"
        )
    many_images, many_filters = images.type.ndim == 3, filters.type.ndim == 3
    images = images[:, None] if many_images else images[None, None]
    filters = filters[:, None] if many_filters else filters[None, None]
    shapes = _with_channel(image_shape), _with_channel(filter_shape)
    result = conv.conv2d(images, filters, *shapes, border_mode, subsample, **hints)
    result = result if many_filters else result[:, 0]
    return result if many_images else result[0]


def _with_channel(shape: Shape) -> Shape:
    """Return the shape ([N,] rows, columns) as (N, 1, rows, columns)."""
    return shape and (*(tuple(shape[:-2]) or (1,)), 1, *shape[-2:])
