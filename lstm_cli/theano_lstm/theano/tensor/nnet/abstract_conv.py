"""``theano.tensor.nnet.abstract_conv``: convolution over images, and its gradients as functions.

Arguments are Theano's. Legend: N images, C channels, F filters.

``border_mode`` is ``"valid"`` (filters lie within the image), ``"full"`` (they overlap it), ``"half"`` (half a filter
of zeros around it: odd filters keep the size), a width of zeros, or a width or pair of widths per axis.
"""

from collections.abc import Sequence
from typing import Any

import pytensor.tensor as pt
from pytensor.graph.basic import Variable

from lstm_cli.theano_lstm.images.building import Shape, convolve, filter_gradient, image_gradient
from lstm_cli.theano_lstm.images.geometry import geometry
from lstm_cli.theano_lstm.images.upsampling import bilinear_kernel_1D, bilinear_kernel_2D, bilinear_upsampling

__all__ = [
    "bilinear_kernel_1D",
    "bilinear_kernel_2D",
    "bilinear_upsampling",
    "causal_conv1d",
    "conv2d",
    "conv2d_grad_wrt_inputs",
    "conv2d_grad_wrt_weights",
    "conv3d",
    "conv3d_grad_wrt_inputs",
    "conv3d_grad_wrt_weights",
    "get_conv_output_shape",
    "separable_conv2d",
    "separable_conv3d",
]

Steps = Sequence[int]


def conv2d(
    input: Any,
    filters: Any,
    input_shape: Shape = None,
    filter_shape: Shape = None,
    border_mode: Any = "valid",
    subsample: Steps = (1, 1),
    filter_flip: bool = True,
    filter_dilation: Steps = (1, 1),
    num_groups: int = 1,
    unshared: bool = False,
) -> Variable:
    """Return images (N, C, rows, columns) under filters (F, C / groups, rows, columns): (N, F, rows, columns)."""
    options = geometry(2, border_mode, subsample, filter_flip, filter_dilation, num_groups, unshared)
    return convolve(input, filters, input_shape, filter_shape, options)


def conv3d(
    input: Any,
    filters: Any,
    input_shape: Shape = None,
    filter_shape: Shape = None,
    border_mode: Any = "valid",
    subsample: Steps = (1, 1, 1),
    filter_flip: bool = True,
    filter_dilation: Steps = (1, 1, 1),
    num_groups: int = 1,
) -> Variable:
    """Return `conv2d` with a third axis, depth, before the rows."""
    options = geometry(3, border_mode, subsample, filter_flip, filter_dilation, num_groups)
    return convolve(input, filters, input_shape, filter_shape, options)


def conv2d_grad_wrt_inputs(
    output_grad: Any,
    filters: Any,
    input_shape: Sequence[Any],
    filter_shape: Shape = None,
    border_mode: Any = "valid",
    subsample: Steps = (1, 1),
    filter_flip: bool = True,
    filter_dilation: Steps = (1, 1),
    num_groups: int = 1,
    unshared: bool = False,
) -> Variable:
    """Return the gradient of `conv2d` in its images; the last two of `input_shape` may be variables."""
    options = geometry(2, border_mode, subsample, filter_flip, filter_dilation, num_groups, unshared)
    return image_gradient(output_grad, filters, input_shape, filter_shape, options)


def conv3d_grad_wrt_inputs(
    output_grad: Any,
    filters: Any,
    input_shape: Sequence[Any],
    filter_shape: Shape = None,
    border_mode: Any = "valid",
    subsample: Steps = (1, 1, 1),
    filter_flip: bool = True,
    filter_dilation: Steps = (1, 1, 1),
    num_groups: int = 1,
) -> Variable:
    """Return the gradient of `conv3d` in its images."""
    options = geometry(3, border_mode, subsample, filter_flip, filter_dilation, num_groups)
    return image_gradient(output_grad, filters, input_shape, filter_shape, options)


def conv2d_grad_wrt_weights(
    input: Any,
    output_grad: Any,
    filter_shape: Sequence[Any],
    input_shape: Shape = None,
    border_mode: Any = "valid",
    subsample: Steps = (1, 1),
    filter_flip: bool = True,
    filter_dilation: Steps = (1, 1),
    num_groups: int = 1,
    unshared: bool = False,
) -> Variable:
    """Return the gradient of `conv2d` in its filters; the last two of `filter_shape` may be variables."""
    options = geometry(2, border_mode, subsample, filter_flip, filter_dilation, num_groups, unshared)
    return filter_gradient(input, output_grad, filter_shape, input_shape, options)


def conv3d_grad_wrt_weights(
    input: Any,
    output_grad: Any,
    filter_shape: Sequence[Any],
    input_shape: Shape = None,
    border_mode: Any = "valid",
    subsample: Steps = (1, 1, 1),
    filter_flip: bool = True,
    filter_dilation: Steps = (1, 1, 1),
    num_groups: int = 1,
) -> Variable:
    """Return the gradient of `conv3d` in its filters."""
    options = geometry(3, border_mode, subsample, filter_flip, filter_dilation, num_groups)
    return filter_gradient(input, output_grad, filter_shape, input_shape, options)


def separable_conv2d(
    input: Any,
    depthwise_filters: Any,
    pointwise_filters: Any,
    num_channels: int,
    input_shape: Shape = None,
    depthwise_filter_shape: Shape = None,
    pointwise_filter_shape: Shape = None,
    border_mode: Any = "valid",
    subsample: Steps = (1, 1),
    filter_flip: bool = True,
    filter_dilation: Steps = (1, 1),
) -> Variable:
    """Return `conv2d` of each channel for itself, then of all channels at each place."""
    options = geometry(2, border_mode, subsample, filter_flip, filter_dilation, num_channels)
    depthwise = convolve(input, depthwise_filters, input_shape, depthwise_filter_shape, options)
    return convolve(depthwise, pointwise_filters, None, pointwise_filter_shape, geometry(2))


def separable_conv3d(
    input: Any,
    depthwise_filters: Any,
    pointwise_filters: Any,
    num_channels: int,
    input_shape: Shape = None,
    depthwise_filter_shape: Shape = None,
    pointwise_filter_shape: Shape = None,
    border_mode: Any = "valid",
    subsample: Steps = (1, 1, 1),
    filter_flip: bool = True,
    filter_dilation: Steps = (1, 1, 1),
) -> Variable:
    """Return `conv3d` of each channel for itself, then of all channels at each place."""
    options = geometry(3, border_mode, subsample, filter_flip, filter_dilation, num_channels)
    depthwise = convolve(input, depthwise_filters, input_shape, depthwise_filter_shape, options)
    return convolve(depthwise, pointwise_filters, None, pointwise_filter_shape, geometry(3))


def causal_conv1d(
    input: Any,
    filters: Any,
    filter_shape: Sequence[Any],
    input_shape: Shape = None,
    subsample: int = 1,
    filter_flip: bool = True,
    filter_dilation: int = 1,
    num_groups: int = 1,
    unshared: bool = False,
) -> Variable:
    """Return sequences (N, C, T) under filters (F, C / groups, length): (N, F, T), each step of those up to it."""
    filters = pt.as_tensor_variable(filters)
    length = filter_shape[-1]
    if not isinstance(length, int):
        raise ValueError(f"causal_conv1d: filter_shape: expected the length of the filters last, got {filter_shape}")
    border = [(filter_dilation * (length - 1), 0)]
    options = geometry(1, border, [subsample], filter_flip, [filter_dilation], num_groups, unshared)
    return convolve(input, filters, input_shape, filter_shape, options)


def get_conv_output_shape(
    image_shape: Sequence[Any],
    kernel_shape: Sequence[Any],
    border_mode: Any,
    subsample: Steps,
    filter_dilation: Steps | None = None,
) -> tuple[Any, ...]:
    """Return the shape (N, F, *sizes) of a convolution; each size of its arguments may be None or a variable."""
    options = geometry(len(subsample), border_mode, subsample, filter_dilation=filter_dilation)
    sizes = options.known_outputs(image_shape[2:], kernel_shape[len(kernel_shape) - options.axes :])
    return (image_shape[0], kernel_shape[0], *sizes)
