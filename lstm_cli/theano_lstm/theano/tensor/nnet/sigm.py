"""``theano.tensor.nnet.sigm``: functions from all numbers to those from 0 to 1, and `softplus`."""

import pytensor.tensor as pt
from pytensor.graph.basic import Variable
from pytensor.scalar.math import sigmoid as scalar_sigmoid
from pytensor.scalar.math import softplus as scalar_softplus
from pytensor.tensor.math import sigmoid, softplus

__all__ = ["hard_sigmoid", "scalar_sigmoid", "scalar_softplus", "sigmoid", "softplus", "ultra_fast_sigmoid"]

# Theano's was faster and less exact.
ultra_fast_sigmoid = sigmoid


def hard_sigmoid(x: Variable) -> Variable:
    """Return 0.2 x + 0.5 clipped to [0, 1]."""
    return pt.clip(0.2 * x + 0.5, 0.0, 1.0)
