"""Images, filters and outputs as matrices, so that BLAS does the work of a convolution.

A column holds what a filter covers at one place. With M = C x (size of a filter) and P places in an image,

* shared filters: weights (G, F/G, M), columns (G, M, N P), outputs (G, F/G, N P);
* unshared filters: weights (G, P, F/G, M), columns (G, P, M, N), outputs (G, P, F/G, N);

so that in both, outputs = weights @ columns, and the gradients are the products with one factor transposed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from lstm_cli.theano_lstm.images.geometry import Geometry

Index = tuple[Any, ...]

# Numbers in the columns of the images that are treated at once: memory, and cache.
COLUMNS = 1 << 21


@dataclass(frozen=True)
class Layout:
    """The sizes of one call.

    Attributes
    ----------
    channels, filters : int
        Of one group.
    image, kernel, outputs : sizes along the axes of the image, a filter, the output
    """

    geometry: Geometry
    count: int
    channels: int
    filters: int
    image: tuple[int, ...]
    kernel: tuple[int, ...]
    outputs: tuple[int, ...]

    @classmethod
    def of(cls, geometry: Geometry, images: tuple[int, ...], filters: tuple[int, ...]) -> "Layout":
        """Return the layout for arrays of these shapes; ValueError where they do not fit."""
        geometry.check(images, filters)
        image, kernel = images[2:], filters[-geometry.axes :]
        outputs = tuple(geometry.outputs(image, kernel))
        groups = geometry.groups
        return cls(geometry, images[0], images[1] // groups, filters[0] // groups, image, kernel, outputs)

    def parts(self) -> Iterator[slice]:
        """Yield the images to be treated at once."""
        numbers = self.geometry.groups * self.channels * prod(self.kernel) * prod(self.outputs)
        step = max(1, COLUMNS // max(1, numbers))
        for start in range(0, self.count, step):
            yield slice(start, start + step)

    def columns(self, images: np.ndarray) -> np.ndarray:
        """Return the columns of images (n, G C, *image)."""
        geometry, axes = self.geometry, self.geometry.axes
        padded = np.zeros((len(images), geometry.groups, self.channels, *self._padded), images.dtype)
        padded[self._inside] = images.reshape(len(images), geometry.groups, self.channels, *self.image)
        windows = sliding_window_view(padded, geometry.extents(self.kernel), axis=tuple(range(3, 3 + axes)))
        windows = windows[_every((*geometry.stride, *geometry.dilation))]
        place, element = range(3, 3 + axes), range(3 + axes, 3 + 2 * axes)
        order = (1, *place, 2, *element, 0) if geometry.unshared else (1, 2, *element, 0, *place)
        return windows.transpose(order).reshape(self._columns_shape(len(images)))

    def images(self, columns: np.ndarray, count: int) -> np.ndarray:
        """Return images (n, G C, *image), each element the sum over the columns that hold it."""
        geometry, axes = self.geometry, self.geometry.axes
        groups, channels = geometry.groups, self.channels
        if geometry.unshared:
            columns = columns.reshape(groups, prod(self.outputs), -1, count).transpose(0, 2, 3, 1)
        spread = columns.reshape(groups, channels, *self.kernel, count, *self.outputs)
        padded = np.zeros((groups, channels, count, *self._padded), columns.dtype)
        for element in np.ndindex(*self.kernel):
            places = zip(element, geometry.dilation, self.outputs, geometry.stride, strict=True)
            covered: Index = (
                ...,
                *(slice(k * gap, k * gap + (size - 1) * step + 1, step) for k, gap, size, step in places),
            )
            padded[covered] += spread[(slice(None), slice(None), *element)]
        inside = padded[self._inside].transpose(2, 0, 1, *range(3, 3 + axes))
        return inside.reshape(count, groups * channels, *self.image)

    def weights(self, filters: np.ndarray) -> np.ndarray:
        """Return the weights of filters."""
        grouped = filters[self._flipped].reshape(self.geometry.groups, self.filters, *self._places, -1)
        return grouped.swapaxes(1, 2) if self.geometry.unshared else grouped

    def filters_of(self, weights: np.ndarray) -> np.ndarray:
        """Return the filters of weights."""
        grouped = weights.swapaxes(1, 2) if self.geometry.unshared else weights
        places = self.outputs if self.geometry.unshared else ()
        filters = grouped.reshape(self.geometry.groups * self.filters, *places, self.channels, *self.kernel)
        return np.ascontiguousarray(filters[self._flipped])

    def rows(self, outputs: np.ndarray) -> np.ndarray:
        """Return outputs (n, F, *outputs) as a matrix."""
        grouped = outputs.reshape(len(outputs), self.geometry.groups, self.filters, -1)
        order = (1, 3, 2, 0) if self.geometry.unshared else (1, 2, 0, 3)
        arranged = grouped.transpose(order)
        return arranged if self.geometry.unshared else arranged.reshape(*arranged.shape[:2], -1)

    def outputs_of(self, rows: np.ndarray, count: int) -> np.ndarray:
        """Return the outputs (n, F, *outputs) of a matrix."""
        groups = self.geometry.groups
        if self.geometry.unshared:
            arranged = rows.transpose(3, 0, 2, 1)
        else:
            arranged = rows.reshape(groups, self.filters, count, -1).transpose(2, 0, 1, 3)
        return arranged.reshape(count, groups * self.filters, *self.outputs)

    @cached_property
    def _padded(self) -> tuple[int, ...]:
        widths = self.geometry.widths(self.kernel)
        return tuple(size + sum(width) for size, width in zip(self.image, widths, strict=True))

    @cached_property
    def _inside(self) -> Index:
        sizes = zip(self.image, self.geometry.widths(self.kernel), strict=True)
        return (..., *(slice(before, before + size) for size, (before, _) in sizes))

    @property
    def _flipped(self) -> Index:
        return _every((-1 if self.geometry.flip else 1,) * self.geometry.axes)

    @property
    def _places(self) -> tuple[int, ...]:
        return (prod(self.outputs),) if self.geometry.unshared else ()

    def _columns_shape(self, count: int) -> tuple[int, ...]:
        groups, covered, places = self.geometry.groups, self.channels * prod(self.kernel), prod(self.outputs)
        return (groups, places, covered, count) if self.geometry.unshared else (groups, covered, count * places)


def _every(steps: tuple[int, ...]) -> Index:
    return (..., *(slice(None, None, step) for step in steps))
