"""``theano.tensor.nnet.neighbours``: the patches of images as rows, and images of such rows."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import pytensor.tensor as pt
from pytensor.graph.basic import Variable
from pytensor.raise_op import CheckAndRaise

__all__ = ["images2neibs", "neibs2images"]

MODES = ("valid", "half", "full", "ignore_borders", "wrap_centered")
Pair: TypeAlias = Sequence[Any] | Variable

_patches_fit = CheckAndRaise(
    TypeError,
    "images2neibs: the patches do not fill the image: expected its size to be that of a patch plus a multiple of "
    "neib_step; use mode='ignore_borders'",
)
_patches_are_odd = CheckAndRaise(
    TypeError, "images2neibs: mode='wrap_centered': expected patches of odd size, no larger than the image"
)


def images2neibs(ten4: Any, neib_shape: Pair, neib_step: Pair | None = None, mode: str = "valid") -> Variable:
    """Return the patches of images, each as a row.

    Parameters
    ----------
    ten4 : (N, C, rows, columns)
    neib_shape : (height, width)
        Of a patch.
    neib_step : (down, right), optional
        From one patch to the next; by default they lie side by side.
    mode : {"valid", "half", "full", "ignore_borders", "wrap_centered"}
        Patches fill the image; the same with half a patch of zeros around it, or all but one of its rows and columns;
        what they do not fill is left out; a patch is centred on every step and continues on the opposite side.

    Returns
    -------
    patches : (N C patches, height width)
    """
    if mode not in MODES:
        raise NotImplementedError(f"images2neibs: mode: expected one of {', '.join(MODES)}; got {mode!r}")
    images = pt.as_tensor_variable(ten4)
    if images.ndim != 4:
        raise TypeError(f"images2neibs: expected images of 4 axes, got {images.type}")
    size = [pt.as_tensor_variable(neib_shape[axis]) for axis in range(2)]
    step = size if neib_step is None else [pt.as_tensor_variable(neib_step[axis]) for axis in range(2)]
    if mode in ("half", "full"):
        images = _with_zeros(images, [length // 2 if mode == "half" else length - 1 for length in size])
    rows, columns = (_places(images.shape[2 + k], size[k], step[k], mode) for k in range(2))
    patches = images[:, :, rows[:, None, :, None], columns[None, :, None, :]]
    return patches.reshape((-1, size[0] * size[1]))


def neibs2images(neibs: Any, neib_shape: Pair, original_shape: Any, mode: str = "valid") -> Variable:
    """Return the images of which `images2neibs` made these rows, of patches side by side.

    Parameters
    ----------
    neibs : (N C patches, height width)
    neib_shape : (height, width)
    original_shape : (N, C, rows, columns)
        Numbers or a vector.
    mode : {"valid", "ignore_borders"}
        With the second, what the patches did not fill is 0.
    """
    if mode not in ("valid", "ignore_borders"):
        raise NotImplementedError(f"neibs2images: mode: expected 'valid' or 'ignore_borders', got {mode!r}")
    neibs = pt.as_tensor_variable(neibs)
    height, width = (pt.as_tensor_variable(neib_shape[axis]) for axis in range(2))
    count, channels, rows, columns = (pt.as_tensor_variable(original_shape[axis]) for axis in range(4))
    down, right = rows // height, columns // width
    patches = neibs.reshape((count, channels, down, right, height, width))
    filled = patches.transpose(0, 1, 2, 4, 3, 5).reshape((count, channels, down * height, right * width))
    if mode == "valid":
        return filled
    images = pt.zeros((count, channels, rows, columns), dtype=neibs.type.dtype)
    return pt.set_subtensor(images[:, :, : down * height, : right * width], filled)


def _places(length: Variable, size: Variable, step: Variable, mode: str) -> Variable:
    """Return where in an axis the elements of each patch lie: (patches, size)."""
    if mode == "wrap_centered":
        size = _patches_are_odd(size, pt.eq(size % 2, 1), pt.ge(length, size))
        start = pt.arange((length + step - 1) // step) * step - size // 2
        return (start[:, None] + pt.arange(size)) % length
    if mode != "ignore_borders":
        length = _patches_fit(length, pt.ge(length, size), pt.eq((length - size) % step, 0))
    start = pt.arange((length - size) // step + 1) * step
    return start[:, None] + pt.arange(size)


def _with_zeros(images: Variable, widths: Sequence[Variable]) -> Variable:
    """Return images with zeros around rows and columns."""
    (above, beside), (count, channels, rows, columns) = widths, tuple(images.shape[axis] for axis in range(4))
    padded = pt.zeros((count, channels, rows + 2 * above, columns + 2 * beside), dtype=images.type.dtype)
    return pt.set_subtensor(padded[:, :, above : above + rows, beside : beside + columns], images)
