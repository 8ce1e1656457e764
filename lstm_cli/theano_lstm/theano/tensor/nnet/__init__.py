"""``theano.tensor.nnet``: activations, losses, convolution, batch normalization."""

import warnings
from collections.abc import Sequence
from typing import Any

from pytensor.graph.basic import Variable

from lstm_cli.theano_lstm.images.building import Shape
from lstm_cli.theano_lstm.theano.tensor.nnet import abstract_conv
from lstm_cli.theano_lstm.theano.tensor.nnet.abstract_conv import Steps

__all__ = ["abstract_conv2d", "conv2d", "conv2d_transpose"]

abstract_conv2d = abstract_conv.conv2d


def conv2d(
    input: Any,
    filters: Any,
    input_shape: Shape = None,
    filter_shape: Shape = None,
    border_mode: Any = "valid",
    subsample: Steps = (1, 1),
    filter_flip: bool = True,
    image_shape: Shape = None,
    filter_dilation: Steps = (1, 1),
    num_groups: int = 1,
    unshared: bool = False,
    **ignored: Any,
) -> Variable:
    """Convolve images with filters.

    Parameters
    ----------
    input : (N, C, rows, columns)
    filters : (F, C / num_groups, rows, columns)
        Or, with `unshared`, (F, rows of the output, columns of the output, C / num_groups, rows, columns).
    input_shape, filter_shape : sequence of int or None, optional
        What is known of the shapes; compared with the variables' types when the graph is built.
    border_mode : {"valid", "full", "half"}, int, or an int or pair of int per axis
        Zeros around the image: none, so that filters lie within it; as far as they touch it; half a filter; a width.
    subsample : (rows, columns)
        Steps between outputs.
    filter_flip : bool
        Mirror the filters; without, this is correlation.
    image_shape
        Older name of `input_shape`.
    filter_dilation : (rows, columns)
        Steps between the elements of a filter.
    num_groups : int
        Groups of channels and filters that do not see each other.
    unshared : bool
        A filter of its own for each place.
    ignored
        Other options of older versions; a warning says that they have no effect.

    Returns
    -------
    outputs : (N, F, rows, columns)

    Raises
    ------
    ValueError
        If shapes or options do not fit together, at the latest when the function runs.
    """
    if ignored:
        warnings.warn(f"conv2d: {', '.join(sorted(ignored))}: no effect", stacklevel=2)
    if image_shape is not None and input_shape is not None:
        raise ValueError("conv2d: image_shape is the older name of input_shape; give input_shape")
    return abstract_conv2d(
        input, filters, image_shape if input_shape is None else input_shape, filter_shape, border_mode, subsample,
        filter_flip, filter_dilation, num_groups, unshared,
    )  # fmt: skip


def conv2d_transpose(
    input: Any,
    filters: Any,
    output_shape: Sequence[Any],
    filter_shape: Shape = None,
    border_mode: Any = "valid",
    input_dilation: Steps = (1, 1),
    filter_flip: bool = True,
    filter_dilation: Steps = (1, 1),
    num_groups: int = 1,
    unshared: bool = False,
) -> Variable:
    """Return images of a shape whose `conv2d` has the shape of `input`: the gradient of that as a layer.

    Parameters
    ----------
    input : (N, F, rows, columns)
    filters : (F, C, rows, columns)
        From F channels of `input` to C of the output.
    output_shape : (N, C, rows, columns)
        The last two may be variables, the others None.
    input_dilation : (rows, columns)
        `subsample` of the `conv2d`.
    """
    return abstract_conv.conv2d_grad_wrt_inputs(
        input, filters, output_shape, filter_shape, border_mode, input_dilation, filter_flip, filter_dilation,
        num_groups, unshared,
    )  # fmt: skip
