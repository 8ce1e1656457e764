"""Which axes of a variable are known to have length 1, so that they are repeated where another's is longer.

Theano called such axes broadcastable. PyTensor knows the length 1 of an axis, and checks that the others agree when a
function runs.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.gradient import disconnected_type
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.op import Op

from lstm_cli.ops.contract import Storage, infers_shape, is_disconnected


class Unbroadcast(Op):
    """``x (…) -> x``, of a type that knows nothing about the lengths of `axes`."""

    __props__ = ("axes",)
    view_map = {0: [0]}  # noqa: RUF012  (PyTensor's protocol)

    def __init__(self, *axes: int) -> None:
        self.axes = axes

    def make_node(self, x: Variable) -> Apply:
        shape = tuple(None if axis in self.axes else length for axis, length in enumerate(x.type.shape))
        return Apply(self, [x], [pt.tensor(dtype=x.type.dtype, shape=shape)])

    @infers_shape
    def infer_shape(self, node: Apply, shapes: list[Any]) -> list[Any]:
        return shapes

    def perform(self, node: Apply, inputs: Sequence[np.ndarray], outputs: Storage) -> None:
        outputs[0][0] = inputs[0]

    def pullback(
        self, inputs: Sequence[Variable], outputs: Sequence[Variable], cotangents: Sequence[Variable]
    ) -> list[Variable]:
        (x,), (cotangent,) = inputs, cotangents
        return [disconnected_type() if is_disconnected(cotangent) else addbroadcast(cotangent, *_known(x, self.axes))]

    def pushforward(
        self, inputs: Sequence[Variable], outputs: Sequence[Variable], tangents: Sequence[Variable]
    ) -> list[Variable]:
        return [t if is_disconnected(t) else self(t) for t in tangents]


class Rebroadcast:
    """``Rebroadcast((0, True), (1, False))(x)``: x with axis 0 broadcastable and axis 1 not.

    Raises
    ------
    TypeError
        An axis is not an integer, or its flag no bool.
    """

    def __init__(self, *axes: tuple[int, bool]) -> None:
        for axis, flag in axes:
            if not isinstance(axis, int | np.integer) or not isinstance(flag, bool | np.bool_):
                raise TypeError(f"Rebroadcast: expected pairs (axis, True or False), got ({axis!r}, {flag!r})")
        self.axis = dict(sorted(axes))

    def __call__(self, x: Any) -> Variable:
        """Return x (…), marked."""
        marked = addbroadcast(x, *(axis for axis, flag in self.axis.items() if flag))
        return unbroadcast(marked, *(axis for axis, flag in self.axis.items() if not flag))


def addbroadcast(x: Any, *axes: int) -> Variable:
    """Return x with these axes broadcastable; when a function runs, their lengths must be 1."""
    x = pt.as_tensor_variable(x)
    unknown = [axis for axis in _checked(x, axes) if not x.type.broadcastable[axis]]
    return pt.specify_broadcastable(x, *unknown) if unknown else x


def unbroadcast(x: Any, *axes: int) -> Variable:
    """Return x with these axes no longer broadcastable: nothing is known about their lengths."""
    x = pt.as_tensor_variable(x)
    known = _known(x, _checked(x, axes))
    return Unbroadcast(*known)(x) if known else x


def patternbroadcast(x: Any, broadcastable: Sequence[bool]) -> Variable:
    """Return x with the marked axes broadcastable, and the others not."""
    return Rebroadcast(*((axis, bool(flag)) for axis, flag in enumerate(broadcastable)))(x)


def known_to_be_one(x: Variable) -> tuple[int, ...]:
    """Return the axes of a variable that are broadcastable."""
    return tuple(axis for axis, flag in enumerate(getattr(x.type, "broadcastable", ())) if flag)


def _known(x: Variable, axes: Sequence[int]) -> tuple[int, ...]:
    return tuple(axis for axis in sorted(set(axes)) if x.type.broadcastable[axis])


def _checked(x: Variable, axes: Sequence[int]) -> list[int]:
    """Return the axes, counted from the front."""
    for axis in axes:
        if not -x.type.ndim <= axis < x.type.ndim:
            raise ValueError(f"Trying to rebroadcast non-existent dimension: axis {axis} of {x.type.ndim}")
    return [int(axis) % x.type.ndim for axis in axes]
