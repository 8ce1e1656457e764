"""The windows of pooling: where they lie on an image, and how to run over them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np

Index = tuple[Any, ...]


@dataclass(frozen=True)
class Windows:
    """Windows over the last axes of images.

    Attributes
    ----------
    image, size, stride, padding : a number per axis
        Of the image without padding; of a window; between windows; of the elements that are added on both sides.
    ignore_border : bool
        Leave out windows that would reach beyond the padded image.
    """

    image: tuple[int, ...]
    size: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    ignore_border: bool

    @property
    def outputs(self) -> tuple[int, ...]:
        """The number of windows along each axis."""
        fitting = zip(self.image, self.padding, self.size, self.stride, strict=True)
        return tuple(
            window_count(length + 2 * pad, size, step, self.ignore_border) for length, pad, size, step in fitting
        )

    def extended(self, images: np.ndarray, fill: Any) -> np.ndarray:
        """Return images (…, *image) with `fill` around them up to the end of the last window."""
        covered = np.full((*images.shape[: -len(self.image)], *self._covered), fill, images.dtype)
        covered[self._inside] = images[self._reached]
        return covered

    def cropped(self, covered: np.ndarray) -> np.ndarray:
        """Return the part (…, *image) of what `extended` returns; zeros where no window reaches."""
        images = np.zeros((*covered.shape[: -len(self.image)], *self.image), covered.dtype)
        images[self._reached] = covered[self._inside]
        return images

    def elements(self) -> Iterator[Index]:
        """Yield, for each place in a window, the index of all windows' elements there in an extended image."""
        for place in np.ndindex(*self.size):
            starts = zip(place, self.outputs, self.stride, strict=True)
            yield (..., *(slice(k, k + max(0, (count - 1) * step + 1), step) for k, count, step in starts))

    def counts(self, with_padding: bool) -> np.ndarray:
        """Return how many elements of the image each window holds (*outputs), or of the padded image."""
        per_axis = []
        for length, size, step, pad, count in zip(
            self.image, self.size, self.stride, self.padding, self.outputs, strict=True
        ):
            start = np.arange(count) * step
            first, end = (0, length + 2 * pad) if with_padding else (pad, pad + length)
            per_axis.append(np.minimum(start + size, end) - np.maximum(start, first))
        return reduce(np.multiply, np.ix_(*per_axis))

    @property
    def _covered(self) -> tuple[int, ...]:
        steps = zip(self.outputs, self.size, self.stride, strict=True)
        return tuple(max(0, (count - 1) * step + size) for count, size, step in steps)

    @property
    def _inside(self) -> Index:
        ends = zip(self.padding, self._covered, self.image, strict=True)
        return (..., *(slice(pad, max(pad, min(pad + length, covered))) for pad, covered, length in ends))

    @property
    def _reached(self) -> Index:
        ends = zip(self.padding, self._covered, self.image, strict=True)
        return (..., *(slice(0, max(0, min(length, covered - pad))) for pad, covered, length in ends))


def window_count(length: int, size: int, stride: int, ignore_border: bool) -> int:
    """Return the number of windows along an axis of this length, padding included."""
    if ignore_border:
        return max(0, (length - size) // stride + 1)
    if stride >= size:
        return (length - 1) // stride + 1
    return max(0, (length - 1 - size + stride) // stride) + 1


def check_windows(
    name: str, size: Sequence[int], stride: Sequence[int], padding: Sequence[int], ignore_border: bool
) -> None:
    """Raise a ValueError for windows that cannot be, or NotImplementedError for padding with partial windows."""
    if min(size, default=1) < 1 or min(stride, default=1) < 1:
        raise ValueError(
            f"{name}: expected a window and a stride of 1 or more along each axis, got {tuple(size)} and "
            f"{tuple(stride)}"
        )
    if any(not 0 <= pad < extent for pad, extent in zip(padding, size, strict=True)):
        raise ValueError(
            f"{name}: expected a padding of 0 or more and less than the window {tuple(size)}, got {tuple(padding)}"
        )
    if any(padding) and not ignore_border:
        raise NotImplementedError(f"{name}: padding {tuple(padding)} is offered with ignore_border=True only")
