"""Pooling: the maximum, sum or mean over windows of the last axes, with the gradients, which are Ops too.

Every element that equals the maximum of its window receives the window's gradient, as in Theano.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.gradient import disconnected_type
from pytensor.graph.basic import Apply, Constant, Variable
from pytensor.graph.op import Op
from pytensor.tensor.type import TensorType

from lstm_cli.ops.contract import Storage
from lstm_cli.theano_lstm.images.geometry import known_size, sizes_of
from lstm_cli.theano_lstm.images.windows import Windows, check_windows, window_count

MODES = ("max", "sum", "average_inc_pad", "average_exc_pad")


class _Pooling(Op):
    """What the Ops share; the last three inputs of each say where the windows lie (`place`)."""

    __props__ = ("axes", "ignore_border", "mode")

    def __init__(self, axes: int, ignore_border: bool, mode: str = "max") -> None:
        if mode not in MODES:
            raise ValueError(f"pool_{axes}d: mode: expected one of {', '.join(MODES)}; got {mode!r}")
        self.axes, self.ignore_border, self.mode = axes, ignore_border, mode

    def windows(self, image: Sequence[int], place: Sequence[np.ndarray]) -> Windows:
        """Return the windows on images of this shape, checked."""
        image = tuple(image[len(image) - self.axes :])
        size, stride, padding = (tuple(int(number) for number in numbers) for numbers in place)
        check_windows(f"pool_{self.axes}d", size, stride, padding, self.ignore_border)
        if not self.ignore_border and 0 in image:
            raise ValueError(f"pool_{self.axes}d: an image of size {image} has nothing to pool")
        return Windows(image, size, stride, padding, self.ignore_border)

    def divisor(self, windows: Windows, dtype: Any) -> np.ndarray | int:
        """Return what the sum over each window is divided by."""
        return 1 if self.mode == "sum" else windows.counts(self.mode == "average_inc_pad").astype(dtype)

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        places = len(node.inputs) - self.arrays
        return [[True]] * self.arrays + [[False]] * places

    arrays = 1  # inputs before those that say where the windows lie


class Pool(_Pooling):
    """``(images (…, *image), window, stride, padding) -> (…, *windows)``; the last three one number per axis.

    Its arguments are those of Theano's Op of this name; `openmp` has no effect.
    """

    def __init__(
        self, ignore_border: bool = False, mode: str = "max", ndim: int = 2, openmp: bool | None = None
    ) -> None:
        super().__init__(ndim, bool(ignore_border), mode)

    def make_node(self, x: Any, ws: Any, stride: Any = None, pad: Any = None) -> Apply:
        images = pt.as_tensor_variable(x)
        given = (ws, ws if stride is None else stride, (0,) * self.axes if pad is None else pad)
        place: list[Variable] = [pt.as_tensor_variable(numbers) for numbers in given]
        if images.type.ndim < self.axes:
            raise NotImplementedError(
                f"pool_{self.axes}d: expected images of {self.axes} axes or more, got {images.type.ndim}"
            )
        for numbers in place:
            if numbers.type.ndim != 1 or "int" not in numbers.type.dtype:
                raise TypeError(
                    f"pool_{self.axes}d: expected window, stride and padding as {self.axes} integers each, got "
                    f"{numbers.type}"
                )
            if numbers.type.shape[0] not in (None, self.axes):
                raise ValueError(
                    f"pool_{self.axes}d: expected a number for each of {self.axes} axes, got {numbers.type.shape[0]}"
                )
        lead = images.type.ndim - self.axes
        shape = (*images.type.shape[:lead], *self._known_outputs(images.type.shape[lead:], place))
        return Apply(self, [images, *place], [TensorType(images.type.dtype, shape)()])

    def perform(self, node: Apply, inputs: Sequence[np.ndarray], outputs: Storage) -> None:
        images, *place = inputs
        windows = self.windows(images.shape, place)
        largest = self.mode == "max"
        covered = windows.extended(images, _lowest(images.dtype) if largest else 0)
        combine = np.maximum if largest else np.add
        first, *others = windows.elements()
        pooled = covered[first].copy()
        for element in others:
            combine(pooled, covered[element], out=pooled)
        outputs[0][0] = pooled if largest else (pooled / self.divisor(windows, pooled.dtype)).astype(images.dtype)

    def pullback(
        self, inputs: Sequence[Variable], outputs: Sequence[Variable], cotangents: Sequence[Variable]
    ) -> list[Variable]:
        images, *place = inputs
        if self.mode == "max":
            to_images = SpreadToMaxima(self.axes, self.ignore_border)(images, outputs[0], cotangents[0], *place)
        else:
            sizes = sizes_of(images, self.axes)
            to_images = Spread(self.axes, self.ignore_border, self.mode)(cotangents[0], *sizes, *place)
        return [to_images, *(disconnected_type() for _ in place)]

    def _known_outputs(self, image: Sequence[int | None], place: Sequence[Variable]) -> list[int | None]:
        if not all(isinstance(numbers, Constant) for numbers in place):
            return [None] * self.axes
        size, stride, padding = ([int(number) for number in numbers.data] for numbers in place)
        check_windows(f"pool_{self.axes}d", size, stride, padding, self.ignore_border)
        return [
            None if length is None else window_count(length + 2 * pad, extent, step, self.ignore_border)
            for length, extent, step, pad in zip(image, size, stride, padding, strict=True)
        ]


class Spread(_Pooling):
    """``(above (…, *windows), sizes of *image, window, stride, padding) -> (…, *image)``: of a sum or mean, in x."""

    def make_node(self, above: Any, *where: Any) -> Apply:
        above = pt.as_tensor_variable(above)
        shape = (*above.type.shape[: above.type.ndim - self.axes], *map(known_size, where[: self.axes]))
        sizes = [pt.as_tensor_variable(size).astype("int64") for size in where[: self.axes]]
        return Apply(self, [above, *sizes, *where[self.axes :]], [TensorType(above.type.dtype, shape)()])

    def perform(self, node: Apply, inputs: Sequence[np.ndarray], outputs: Storage) -> None:
        above, *image = inputs[: 1 + self.axes]
        windows = self.windows([int(size) for size in image], inputs[1 + self.axes :])
        covered = windows.extended(np.zeros((*above.shape[: above.ndim - self.axes], *windows.image), above.dtype), 0)
        share = (above / self.divisor(windows, above.dtype)).astype(above.dtype)
        for element in windows.elements():
            covered[element] += share
        outputs[0][0] = windows.cropped(covered)

    def pullback(
        self, inputs: Sequence[Variable], outputs: Sequence[Variable], cotangents: Sequence[Variable]
    ) -> list[Variable]:
        above = Pool(self.ignore_border, self.mode, self.axes)(cotangents[0], *inputs[1 + self.axes :])
        return [above, *(disconnected_type() for _ in inputs[1:])]


class SpreadToMaxima(_Pooling):
    """``(x (…, *image), maxima (…, *windows), above, window, stride, padding) -> (…, *image)``.

    Each element of x that is its window's maximum gets what is above the window.
    """

    arrays = 3

    def make_node(self, *inputs: Any) -> Apply:
        x, maxima, above, *place = map(pt.as_tensor_variable, inputs)
        return Apply(self, [x, maxima, above, *place], [TensorType(above.type.dtype, x.type.shape)()])

    def perform(self, node: Apply, inputs: Sequence[np.ndarray], outputs: Storage) -> None:
        x, maxima, above, *place = inputs
        windows = self.windows(x.shape, place)
        covered = windows.extended(x, _lowest(x.dtype))
        spread = np.zeros(covered.shape, above.dtype)
        for element in windows.elements():
            spread[element] += np.where(covered[element] == maxima, above, 0)
        outputs[0][0] = windows.cropped(spread)

    def pullback(
        self, inputs: Sequence[Variable], outputs: Sequence[Variable], cotangents: Sequence[Variable]
    ) -> list[Variable]:
        x, maxima, _, *place = inputs
        above = SumAtMaxima(self.axes, self.ignore_border)(x, maxima, cotangents[0], *place)
        return [x.zeros_like(), maxima.zeros_like(), above, *(disconnected_type() for _ in place)]


class SumAtMaxima(_Pooling):
    """``(x (…, *image), maxima (…, *windows), v (…, *image), window, stride, padding) -> (…, *windows)``.

    The sum of v over each window where x is the maximum.
    """

    arrays = 3

    def make_node(self, *inputs: Any) -> Apply:
        x, maxima, v, *place = map(pt.as_tensor_variable, inputs)
        return Apply(self, [x, maxima, v, *place], [TensorType(v.type.dtype, maxima.type.shape)()])

    def perform(self, node: Apply, inputs: Sequence[np.ndarray], outputs: Storage) -> None:
        x, maxima, v, *place = inputs
        windows = self.windows(x.shape, place)
        covered, values = windows.extended(x, _lowest(x.dtype)), windows.extended(v, 0)
        outputs[0][0] = total = np.zeros(maxima.shape, v.dtype)
        for element in windows.elements():
            total += np.where(covered[element] == maxima, values[element], 0)

    def pullback(
        self, inputs: Sequence[Variable], outputs: Sequence[Variable], cotangents: Sequence[Variable]
    ) -> list[Variable]:
        x, maxima, _, *place = inputs
        to_v = SpreadToMaxima(self.axes, self.ignore_border)(x, maxima, cotangents[0], *place)
        return [x.zeros_like(), maxima.zeros_like(), to_v, *(disconnected_type() for _ in place)]


def _lowest(dtype: np.dtype[Any]) -> Any:
    return -np.inf if dtype.kind == "f" else np.iinfo(dtype).min
