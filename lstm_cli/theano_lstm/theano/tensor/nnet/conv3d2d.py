"""``theano.tensor.nnet.conv3d2d``: films whose channels stand after the time."""

from typing import Any

import pytensor.tensor as pt
from pytensor.graph.basic import Variable

from lstm_cli.theano_lstm.images.building import Shape, convolve
from lstm_cli.theano_lstm.images.geometry import geometry

__all__ = ["conv3d"]

_CHANNELS_FIRST = (0, 2, 1, 3, 4)  # and back


def conv3d(
    signals: Any,
    filters: Any,
    signals_shape: Shape = None,
    filters_shape: Shape = None,
    border_mode: Any = "valid",
) -> Variable:
    """Return films (N, T, C, rows, columns) under flipped filters (F, T, C, rows, columns): (N, T, F, rows, columns).

    `border_mode` is one word, or the same one for each axis.
    """
    words = (border_mode,) * 3 if isinstance(border_mode, str) else tuple(border_mode)
    if len(set(words)) != 1:
        raise NotImplementedError(f"conv3d2d.conv3d: border_mode: expected one word for all axes, got {border_mode!r}")
    films, filters = (pt.as_tensor_variable(v).dimshuffle(_CHANNELS_FIRST) for v in (signals, filters))
    result = convolve(films, filters, _swapped(signals_shape), _swapped(filters_shape), geometry(3, words[0]))
    return result.dimshuffle(_CHANNELS_FIRST)


def _swapped(shape: Shape) -> Shape:
    return shape and [shape[axis] for axis in _CHANNELS_FIRST]
