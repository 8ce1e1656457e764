"""How filters lie on images: strides, borders, dilation, groups; which sizes fit together."""

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pytensor.graph.basic import Constant, Variable

Pair = tuple[int, int]
Size = int | None  # of one axis; None where it is unknown until the graph runs
BORDERS = ("valid", "full", "half")


@dataclass(frozen=True)
class Geometry:
    """The options of a convolution over images of ``len(stride)`` axes.

    Attributes
    ----------
    border : {"valid", "full", "half"} or a pair of widths per axis
        Of the zeros around the image.
    stride, dilation : a number per axis
        Steps between outputs; between the elements of a filter.
    flip : bool
        Mirror the filters (convolution), or not (correlation).
    groups : int
        Groups of channels that do not see each other.
    unshared : bool
        A filter of its own for each place: filters (F, *outputs, C, *filter) in place of (F, C, *filter).
    """

    border: str | tuple[Pair, ...]
    stride: tuple[int, ...]
    dilation: tuple[int, ...]
    flip: bool = True
    groups: int = 1
    unshared: bool = False

    @property
    def axes(self) -> int:
        """The number of axes of an image."""
        return len(self.stride)

    @property
    def name(self) -> str:
        """The function of Theano's that this is, for messages."""
        return f"conv{self.axes}d"

    def widths(self, kernel: Sequence[Any]) -> list[tuple[Any, Any]]:
        """Return the zeros before and after each axis of an image, for filters of this size."""
        if isinstance(self.border, tuple):
            return list(self.border)
        named = {"valid": [0] * self.axes, "full": [extent - 1 for extent in self.extents(kernel)]}
        widths = named.get(self.border, [extent // 2 for extent in self.extents(kernel)])
        return [(width, width) for width in widths]

    def extents(self, kernel: Sequence[Any]) -> list[Any]:
        """Return what a filter of this size covers of an image, along each axis."""
        return [(size - 1) * step + 1 for size, step in zip(kernel, self.dilation, strict=True)]

    def outputs(self, image: Sequence[Any], kernel: Sequence[Any]) -> list[Any]:
        """Return the size of the output, from sizes that are all known or all variables."""
        covered = zip(image, self.widths(kernel), self.extents(kernel), self.stride, strict=True)
        return [(size + before + after - extent) // step + 1 for size, (before, after), extent, step in covered]

    def known_outputs(self, image: Sequence[Size], kernel: Sequence[Size]) -> list[Size]:
        """Return the size of the output along each axis, None where it is unknown."""
        known = [size is not None and length is not None for size, length in zip(image, kernel, strict=True)]
        filled = self.outputs(_or_one(image), _or_one(kernel))
        return [size if fact else None for size, fact in zip(filled, known, strict=True)]

    def check(self, images: Sequence[Size], filters: Sequence[Size]) -> tuple[Size, ...]:
        """Return the shape (N, F, *outputs) of images (N, C, *image) under filters; sizes may be unknown.

        Raises
        ------
        ValueError
            If channels, groups or sizes do not fit together.
        """
        kernel, channels = filters[-self.axes :], filters[-self.axes - 1]
        self._check_channels(images[1], channels, filters[0])
        outputs = self.known_outputs(images[2:], kernel)
        for axis, size in enumerate(outputs):
            if size is not None and size < 1:
                before, after = self.widths(_or_one(kernel))[axis]
                raise ValueError(
                    f"{self.name}: a filter of length {kernel[axis]} (dilated: {self.extents(kernel)[axis]}) does not "
                    f"fit into an image of length {images[2 + axis]} with {before} + {after} zeros around it, on "
                    f"axis {axis} of the image: use a smaller filter, or another border_mode"
                )
        if self.unshared and not fits(filters[1 : 1 + self.axes], outputs):
            raise ValueError(
                f"{self.name}: expected unshared filters for outputs of size {listed(outputs)}, got some for "
                f"{listed(filters[1 : 1 + self.axes])}"
            )
        return (images[0], filters[0], *outputs)

    def _check_channels(self, channels: Size, of_filters: Size, filters: Size) -> None:
        for what, count in (("channels of the images", channels), ("filters", filters)):
            if count is not None and count % self.groups:
                raise ValueError(f"{self.name}: {count} {what} cannot be divided into num_groups={self.groups}")
        if channels is not None and of_filters is not None and channels != of_filters * self.groups:
            share = f" in {self.groups} groups" if self.groups > 1 else ""
            raise ValueError(
                f"{self.name}: expected filters of {channels // self.groups} channels, as the images have "
                f"{channels}{share}; got filters of {of_filters}"
            )


def geometry(
    axes: int,
    border_mode: Any = "valid",
    subsample: Sequence[int] | None = None,
    filter_flip: bool = True,
    filter_dilation: Sequence[int] | None = None,
    num_groups: int = 1,
    unshared: bool = False,
) -> Geometry:
    """Return the options of a convolution, checked.

    Raises
    ------
    ValueError
        If one of them is none that Theano accepts.
    """
    stride = _steps(axes, "subsample", subsample)
    dilation = _steps(axes, "filter_dilation", filter_dilation)
    if num_groups < 1:
        raise ValueError(f"conv{axes}d: num_groups: expected 1 or more, got {num_groups}")
    border = _border(axes, border_mode)
    return Geometry(border, stride, dilation, bool(filter_flip), int(num_groups), bool(unshared))


def fits(expected: Sequence[Size], found: Sequence[Size]) -> bool:
    """Whether sizes agree where both are known."""
    return all(a == b or a is None or b is None for a, b in zip(expected, found, strict=True))


def listed(sizes: Sequence[Size]) -> str:
    """Return sizes for a message: ``3 x ?``."""
    return " x ".join("?" if size is None else str(size) for size in sizes)


def known_size(size: Any) -> Size:
    """Return a size as a number, None where it is a variable or None."""
    if isinstance(size, Constant):
        size = np.asarray(size.data).item()
    return None if size is None or isinstance(size, Variable) else operator.index(size)


def sizes_of(array: Variable, axes: int) -> list[Any]:
    """Return the sizes of the last axes: numbers where they are known."""
    known = list(enumerate(array.type.shape))[array.type.ndim - axes :]
    return [array.shape[axis] if size is None else size for axis, size in known]


def _or_one(sizes: Sequence[Size]) -> list[int]:
    return [1 if size is None else size for size in sizes]


def _steps(axes: int, name: str, steps: Sequence[int] | None) -> tuple[int, ...]:
    if steps is None:
        return (1,) * axes
    try:
        numbers = tuple(operator.index(step) for step in steps)
    except TypeError:  # one number for all axes, or no number
        numbers = ()
    if len(numbers) != axes or min(numbers) < 1:
        raise ValueError(f"conv{axes}d: {name}: expected {axes} numbers of 1 or more, got {steps!r}")
    return numbers


def _border(axes: int, mode: Any) -> str | tuple[Pair, ...]:
    if isinstance(mode, str) and mode in BORDERS:
        return mode
    try:
        sides = mode if isinstance(mode, tuple | list) else (operator.index(mode),) * axes
        pairs = [side if isinstance(side, tuple | list) else (side, side) for side in sides]
        border = tuple((operator.index(before), operator.index(after)) for before, after in pairs)
        if len(border) == axes and min(map(min, border)) >= 0:
            return border
    except (TypeError, ValueError):
        pass
    raise ValueError(
        f"conv{axes}d: border_mode: expected 'valid', 'full', 'half', a width of 0 or more, or {axes} widths or pairs "
        f"of widths; got {mode!r}"
    )
