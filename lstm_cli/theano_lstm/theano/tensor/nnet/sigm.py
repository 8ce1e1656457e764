"""``theano.tensor.nnet.sigm``: functions from all numbers to those from 0 to 1, and `softplus`."""

from typing import Any

import pytensor
import pytensor.tensor as pt
from pytensor.graph.basic import Variable
from pytensor.scalar.math import sigmoid as scalar_sigmoid
from pytensor.scalar.math import softplus as scalar_softplus
from pytensor.tensor.math import sigmoid, softplus

__all__ = [
    "hard_sigmoid",
    "scalar_sigmoid",
    "scalar_softplus",
    "sigmoid",
    "sigmoid_inplace",
    "softplus",
    "ultra_fast_sigmoid",
]

# Theano's was faster and less exact; what works in place is decided when a function is compiled.
ultra_fast_sigmoid = sigmoid_inplace = sigmoid


def hard_sigmoid(x: Variable) -> Variable:
    """Return 0.2 x + 0.5 clipped to [0, 1], of the dtype of x."""
    x = as_floats(x)
    slope, shift = (pt.constant(number, dtype=x.type.dtype) for number in (0.2, 0.5))
    return pt.clip(slope * x + shift, 0, 1)


def as_floats(x: Any) -> Variable:
    """Return x as a variable of floats: of its own dtype where that is one, else of ``floatX``."""
    x = pt.as_tensor_variable(x)
    return x if "float" in x.type.dtype else x.astype(pytensor.config.floatX)
