"""Enlarging images by bilinear interpolation."""

from typing import Any

import pytensor
import pytensor.tensor as pt
from pytensor.graph.basic import Variable

from lstm_cli.theano_lstm.images.building import image_gradient
from lstm_cli.theano_lstm.images.geometry import geometry


def bilinear_kernel_1D(ratio: int, normalize: bool = True) -> Variable:
    """Return 1, 2, … ratio, … 2, 1, divided by the ratio where it is normalized."""
    rising = pt.arange(1, ratio + 1, dtype=pytensor.config.floatX)
    kernel = pt.concatenate([rising, rising[-2::-1]])
    return kernel / pt.cast(ratio, pytensor.config.floatX) if normalize else kernel


def bilinear_kernel_2D(ratio: int | tuple[int, int], normalize: bool = True) -> Variable:
    """Return the product of two kernels, for rows and for columns."""
    rows, columns = ratio if isinstance(ratio, tuple) else (ratio, ratio)
    return bilinear_kernel_1D(rows, normalize)[:, None] * bilinear_kernel_1D(columns, normalize)[None, :]


def bilinear_upsampling(
    input: Any,
    ratio: int | None = None,
    frac_ratio: Any = None,
    batch_size: int | None = None,
    num_input_channels: int | None = None,
    use_1D_kernel: bool = True,
) -> Variable:
    """Return images (N, C, ratio rows, ratio columns) of images (N, C, rows, columns).

    Pixel k of a row comes to stand at ``ratio k + (ratio - 1) // 2``; between pixels the values change linearly, and
    beyond the outermost they are its value.

    Parameters
    ----------
    input : (N, C, rows, columns)
    ratio : int
    frac_ratio
        Not offered: ratios are whole numbers.
    batch_size, num_input_channels, use_1D_kernel
        Make no difference.
    """
    if frac_ratio is not None:
        raise NotImplementedError(
            f"bilinear_upsampling: frac_ratio={frac_ratio!r} is not offered; give a whole number as ratio"
        )
    if ratio is None:
        raise ValueError("bilinear_upsampling: ratio: expected a whole number, got none")
    images = pt.as_tensor_variable(input)
    count, channels, rows, columns = (images.shape[axis] for axis in range(4))
    single = images.reshape((count * channels, 1, rows, columns))
    single = pt.concatenate([single[:, :, :1], single, single[:, :, -1:]], axis=2)
    single = pt.concatenate([single[..., :1], single, single[..., -1:]], axis=3)
    margin = 2 * ratio - (ratio - 1) // 2 - 1
    kernel = bilinear_kernel_1D(ratio).astype(images.type.dtype)[None, None, :, None]
    along_rows = geometry(2, (margin, 0), (ratio, 1))
    single = image_gradient(single, kernel, (None, 1, rows * ratio, columns + 2), None, along_rows)
    along_columns = geometry(2, (0, margin), (1, ratio))
    kernel = kernel.dimshuffle(0, 1, 3, 2)
    single = image_gradient(single, kernel, (None, 1, rows * ratio, columns * ratio), None, along_columns)
    return single.reshape((count, channels, rows * ratio, columns * ratio))
