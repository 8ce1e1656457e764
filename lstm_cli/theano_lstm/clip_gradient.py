"""The identity with a clipped gradient: ``y = x``, ``dx = clip(dy, -bound, bound)`` (Graves 2013)."""

from collections.abc import Sequence

import pytensor.tensor as pt
from pytensor.compile.ops import ViewOp
from pytensor.graph.basic import Variable


def clip_gradient(x: Variable, bound: float) -> Variable:
    """Return x; its gradient is clipped to [-bound, bound], element by element.

    Parameters
    ----------
    x : (…)
    bound : float
        Not negative.
    """
    return ClipGradient(bound)(x)


class ClipGradient(ViewOp):
    """``x (…) -> x``; dx = clip(dy, -bound, bound). PyTensor removes it once the gradient has been taken."""

    __props__ = ("bound",)

    def __init__(self, bound: float) -> None:
        if not bound >= 0:
            raise ValueError(f"clip_gradients: expected a bound of 0 or more, got {bound}")
        self.bound = float(bound)

    def pullback(
        self, inputs: Sequence[Variable], outputs: Sequence[Variable], cotangents: Sequence[Variable]
    ) -> list[Variable]:
        bound = pt.constant(self.bound, dtype=inputs[0].type.dtype)
        return [pt.clip(cotangents[0], -bound, bound)]
