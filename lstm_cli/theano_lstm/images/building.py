"""From the arguments of Theano's functions to the Ops of convolution."""

from collections.abc import Sequence
from typing import Any

import pytensor.tensor as pt
from pytensor.graph.basic import Variable

from lstm_cli.theano_lstm.images.convolution import Convolve, FilterGradient, ImageGradient
from lstm_cli.theano_lstm.images.geometry import Geometry, fits, known_size, listed

Shape = Sequence[Any] | None


def convolve(input: Any, filters: Any, input_shape: Shape, filter_shape: Shape, geometry: Geometry) -> Variable:
    """Return the convolution of images.

    What a script states about shapes is compared with what is known of the variables, and with the options. Nothing
    else depends on it: images of another number run too.
    """
    input, filters = pt.as_tensor_variable(input), pt.as_tensor_variable(filters)
    result: Variable = Convolve(geometry)(input, filters)  # first: it says what is wrong with numbers of axes
    geometry.check(
        stated_shape(geometry, "input_shape", input, input_shape),
        stated_shape(geometry, "filter_shape", filters, filter_shape),
    )
    return result


def image_gradient(
    output_grad: Any, filters: Any, input_shape: Sequence[Any], filter_shape: Shape, geometry: Geometry
) -> Variable:
    """Return the gradient in the images; `input_shape` says how large they are."""
    output_grad, filters = pt.as_tensor_variable(output_grad), pt.as_tensor_variable(filters)
    _check_length(geometry, "input_shape", input_shape, 2 + geometry.axes)
    result: Variable = ImageGradient(geometry)(filters, output_grad, *_sizes(geometry, "input_shape", input_shape))
    stated_shape(geometry, "input_shape", result, input_shape)
    stated_shape(geometry, "filter_shape", filters, filter_shape)
    return result


def filter_gradient(
    input: Any, output_grad: Any, filter_shape: Sequence[Any], input_shape: Shape, geometry: Geometry
) -> Variable:
    """Return the gradient in the filters; `filter_shape` says how large they are."""
    input, output_grad = pt.as_tensor_variable(input), pt.as_tensor_variable(output_grad)
    _check_length(geometry, "filter_shape", filter_shape, (4 if geometry.unshared else 2) + geometry.axes)
    result: Variable = FilterGradient(geometry)(input, output_grad, *_sizes(geometry, "filter_shape", filter_shape))
    stated_shape(geometry, "filter_shape", result, filter_shape)
    stated_shape(geometry, "input_shape", input, input_shape)
    return result


def stated_shape(geometry: Geometry, name: str, variable: Variable, stated: Shape) -> tuple[int | None, ...]:
    """Return what is known of a variable's shape: by its type, and by what the script states.

    Raises
    ------
    ValueError
        If the two contradict each other.
    """
    known: tuple[int | None, ...] = variable.type.shape
    if stated is None:
        return known
    _check_length(geometry, name, stated, len(known))
    sizes = [known_size(size) for size in stated]
    if not fits(known, sizes):
        raise ValueError(
            f"{geometry.name}: {name}={tuple(stated)} contradicts the variable, whose shape is {listed(known)}"
        )
    return tuple(size if fact is None else fact for size, fact in zip(sizes, known, strict=True))


def _check_length(geometry: Geometry, name: str, shape: Sequence[Any], length: int) -> None:
    if len(shape) != length:
        raise ValueError(f"{geometry.name}: {name}: expected {length} sizes, got {len(shape)}")


def _sizes(geometry: Geometry, name: str, shape: Sequence[Any]) -> Sequence[Any]:
    """Return the sizes of the axes of an image or a filter."""
    sizes = shape[len(shape) - geometry.axes :]
    if any(size is None for size in sizes):
        raise ValueError(f"{geometry.name}: {name}: the last {geometry.axes} sizes must be given, got {tuple(shape)}")
    return sizes
