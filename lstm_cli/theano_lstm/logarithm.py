"""The logarithm of probabilities, straight from the scores that they were computed from.

Scripts write ``T.log(T.nnet.softmax(x))[T.arange(n), y]`` and the like. Computed as written, a probability that is
rounded to 0 gives an infinite loss and a gradient that is no number. Theano rewrote some of these graphs when it
compiled them; here the graph is built as it should be, so that it and its gradient are right in every mode.
"""

from typing import Any

import pytensor.tensor as pt
from pytensor.graph.basic import Variable
from pytensor.scalar.math import Sigmoid
from pytensor.tensor.elemwise import DimShuffle, Elemwise
from pytensor.tensor.math import softplus
from pytensor.tensor.shape import Reshape
from pytensor.tensor.special import LogSoftmax, Softmax
from pytensor.tensor.subtensor import AdvancedSubtensor, Subtensor

# They choose and arrange elements and compute nothing.
_ARRANGING = (AdvancedSubtensor, DimShuffle, Reshape, Subtensor)


def log(x: Any) -> Variable:
    """Return the natural logarithm of x, exact where x are probabilities of a softmax or sigmoid, or some of them."""
    x = pt.as_tensor_variable(x)
    direct = _from_scores(x)
    return pt.log(x) if direct is None else direct


def _from_scores(x: Variable) -> Variable | None:
    node = x.owner
    if node is None:
        return None
    if isinstance(node.op, Softmax):
        return LogSoftmax(axis=node.op.axis)(node.inputs[0])
    if isinstance(node.op, Elemwise) and isinstance(node.op.scalar_op, Sigmoid):
        return -softplus(-node.inputs[0])
    if isinstance(node.op, _ARRANGING):
        direct = _from_scores(node.inputs[0])
        return None if direct is None else node.op(direct, *node.inputs[1:])
    return None
