"""Convolution over images of any number of axes, and its two gradients: a bilinear map and its partners.

With y = x * w, each of x, w and y is linear in the two others, and the gradient of each map consists of the other two.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.gradient import disconnected_type
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.op import Op
from pytensor.tensor.type import TensorType

from lstm_cli.ops.contract import Storage, infers_shape
from lstm_cli.theano_lstm.images.geometry import Geometry, fits, known_size, listed, sizes_of
from lstm_cli.theano_lstm.images.layout import Layout

Known = tuple[int | None, ...]


class _Convolution(Op):
    """What the three maps share."""

    __props__ = ("geometry",)

    def __init__(self, geometry: Geometry) -> None:
        self.geometry = geometry

    @property
    def filter_axes(self) -> int:
        """The number of axes of the filters."""
        return (2 + self.geometry.axes) + (self.geometry.axes if self.geometry.unshared else 0)

    def _variables(self, *named: tuple[str, Any, int]) -> list[Variable]:
        """Return two arrays of numbers as variables of one dtype, each with its number of axes."""
        variables = [pt.as_tensor_variable(given) for _, given, _ in named]
        for (name, _, axes), variable in zip(named, variables, strict=True):
            if variable.type.ndim != axes:
                raise TypeError(
                    f"{self.geometry.name}: {name}: expected a variable of {axes} axes, got one of "
                    f"{variable.type.ndim} ({variable.type})"
                )
        dtype = np.result_type(*(variable.type.dtype for variable in variables)).name
        return [variable.astype(dtype) for variable in variables]

    def _check_outputs(self, outputs: Sequence[int | None], expected: Sequence[int | None]) -> None:
        if not fits(outputs, expected):
            raise ValueError(
                f"{self.geometry.name}: gradient: expected outputs (N, F, …) of {listed(expected)} for these images "
                f"and filters, got {listed(outputs)}"
            )


class Convolve(_Convolution):
    """``(images (N, G C, *image), filters (F, C, *filter)) -> outputs (N, F, *outputs)``."""

    def make_node(self, images: Any, filters: Any) -> Apply:
        images, filters = self._variables(
            ("images", images, 2 + self.geometry.axes), ("filters", filters, self.filter_axes)
        )
        shape = self.geometry.check(images.type.shape, filters.type.shape)
        return Apply(self, [images, filters], [TensorType(images.type.dtype, shape)()])

    @infers_shape
    def infer_shape(self, node: Apply, shapes: list[Any]) -> list[Any]:
        images, filters = shapes
        outputs = self.geometry.outputs(images[2:], filters[-self.geometry.axes :])
        return [(images[0], filters[0], *outputs)]

    def perform(self, node: Apply, inputs: Sequence[np.ndarray], outputs: Storage) -> None:
        images, filters = inputs
        layout = Layout.of(self.geometry, images.shape, filters.shape)
        weights = layout.weights(filters)
        result = np.empty((len(images), len(filters), *layout.outputs), images.dtype)
        for part in layout.parts():
            rows = weights @ layout.columns(images[part])
            result[part] = layout.outputs_of(rows, len(images[part]))
        outputs[0][0] = result

    def pullback(
        self, inputs: Sequence[Variable], outputs: Sequence[Variable], cotangents: Sequence[Variable]
    ) -> list[Variable]:
        images, filters = inputs
        axes = self.geometry.axes
        to_images = ImageGradient(self.geometry)(filters, cotangents[0], *sizes_of(images, axes))
        return [to_images, FilterGradient(self.geometry)(images, cotangents[0], *sizes_of(filters, axes))]


class ImageGradient(_Convolution):
    """``(filters, outputs (N, F, *outputs), sizes of *image) -> images (N, G C, *image)``: of y = x * w in x."""

    def make_node(self, filters: Any, outputs: Any, *image: Any) -> Apply:
        filters, outputs = self._variables(
            ("filters", filters, self.filter_axes), ("outputs", outputs, 2 + self.geometry.axes)
        )
        known = map(known_size, image)
        channels = filters.type.shape[-self.geometry.axes - 1]
        shape = (outputs.type.shape[0], channels and channels * self.geometry.groups, *known)
        self._check_outputs(outputs.type.shape, self.geometry.check(shape, filters.type.shape))
        return Apply(self, [filters, outputs, *_as_int64(image)], [TensorType(filters.type.dtype, shape)()])

    @infers_shape
    def infer_shape(self, node: Apply, shapes: list[Any]) -> list[Any]:
        channels = shapes[0][-self.geometry.axes - 1] * self.geometry.groups
        return [(shapes[1][0], channels, *node.inputs[2:])]

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        return [[k < 2] for k in range(len(node.inputs))]

    def perform(self, node: Apply, inputs: Sequence[np.ndarray], storage: Storage) -> None:
        filters, outputs, *image = inputs
        shape = (len(outputs), filters.shape[-self.geometry.axes - 1] * self.geometry.groups, *map(int, image))
        layout = Layout.of(self.geometry, shape, filters.shape)
        self._check_outputs(outputs.shape, (len(outputs), len(filters), *layout.outputs))
        weights = layout.weights(filters).swapaxes(-1, -2)
        result = np.empty(shape, filters.dtype)
        for part in layout.parts():
            columns = weights @ layout.rows(outputs[part])
            result[part] = layout.images(columns, len(outputs[part]))
        storage[0][0] = result

    def pullback(
        self, inputs: Sequence[Variable], outputs: Sequence[Variable], cotangents: Sequence[Variable]
    ) -> list[Variable]:
        filters, above, *image = inputs
        to_filters = FilterGradient(self.geometry)(cotangents[0], above, *sizes_of(filters, self.geometry.axes))
        to_outputs = Convolve(self.geometry)(cotangents[0], filters)
        return [to_filters, to_outputs, *(disconnected_type() for _ in image)]


class FilterGradient(_Convolution):
    """``(images (N, G C, *image), outputs (N, F, *outputs), sizes of *filter) -> filters``: of y = x * w in w."""

    def make_node(self, images: Any, outputs: Any, *kernel: Any) -> Apply:
        axes = self.geometry.axes
        images, outputs = self._variables(("images", images, 2 + axes), ("outputs", outputs, 2 + axes))
        known = [known_size(size) for size in kernel]
        shape = self._filter_shape(images.type.shape, outputs.type.shape, known)
        self._check_outputs(outputs.type.shape, self.geometry.check(images.type.shape, shape))
        return Apply(self, [images, outputs, *_as_int64(kernel)], [TensorType(images.type.dtype, shape)()])

    @infers_shape
    def infer_shape(self, node: Apply, shapes: list[Any]) -> list[Any]:
        return [self._filter_shape(shapes[0], shapes[1], node.inputs[2:])]

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        return [[k < 2] for k in range(len(node.inputs))]

    def perform(self, node: Apply, inputs: Sequence[np.ndarray], storage: Storage) -> None:
        images, outputs, *kernel = inputs
        layout = Layout.of(
            self.geometry, images.shape, self._filter_shape(images.shape, outputs.shape, [*map(int, kernel)])
        )
        self._check_outputs(outputs.shape, (len(images), outputs.shape[1], *layout.outputs))
        places = (int(np.prod(layout.outputs)),) if self.geometry.unshared else ()
        columns = layout.channels * int(np.prod(layout.kernel))
        weights = np.zeros((self.geometry.groups, *places, layout.filters, columns), images.dtype)
        for part in layout.parts():
            weights += layout.rows(outputs[part]) @ layout.columns(images[part]).swapaxes(-1, -2)
        storage[0][0] = layout.filters_of(weights)

    def pullback(
        self, inputs: Sequence[Variable], outputs: Sequence[Variable], cotangents: Sequence[Variable]
    ) -> list[Variable]:
        images, above, *kernel = inputs
        to_images = ImageGradient(self.geometry)(cotangents[0], above, *sizes_of(images, self.geometry.axes))
        to_outputs = Convolve(self.geometry)(images, cotangents[0])
        return [to_images, to_outputs, *(disconnected_type() for _ in kernel)]

    def _filter_shape(self, images: Sequence[Any], outputs: Sequence[Any], kernel: Sequence[Any]) -> tuple[Any, ...]:
        channels = None if images[1] is None else images[1] // self.geometry.groups
        places = tuple(outputs[2:]) if self.geometry.unshared else ()
        return (outputs[1], *places, channels, *kernel)


def _as_int64(sizes: Sequence[Any]) -> list[Variable]:
    return [pt.as_tensor_variable(size).astype("int64") for size in sizes]
