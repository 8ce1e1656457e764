"""The logarithm of probabilities that are chosen from those of a softmax.

Scripts write ``T.log(T.nnet.softmax(x))[T.arange(n), y]``, or choose first and take the logarithm then. In the first
form PyTensor replaces logarithm and softmax, and the product of their gradients, by what does not round: a probability
too small for a float would give an infinite loss, and a gradient that is no number. Theano did so for both, therefore
the second form is built as the first here.
"""

from typing import Any

import pytensor.tensor as pt
from pytensor.compile.mode import optdb
from pytensor.graph.basic import Variable
from pytensor.graph.rewriting.basic import in2out
from pytensor.tensor.elemwise import DimShuffle
from pytensor.tensor.rewriting.special import local_logsoftmax
from pytensor.tensor.shape import Reshape
from pytensor.tensor.special import Softmax
from pytensor.tensor.subtensor import AdvancedSubtensor, Subtensor

# PyTensor's own is tried after others, by which the two may have been parted.
LOG_SOFTMAX = "lstm_log_softmax"
optdb.register(LOG_SOFTMAX, in2out(local_logsoftmax), position=0.5)

# They choose and arrange elements and compute nothing.
_ARRANGING = (AdvancedSubtensor, DimShuffle, Reshape, Subtensor)


def log(x: Any) -> Variable:
    """Return the natural logarithm of x, element by element."""
    return _log(pt.as_tensor_variable(x))


def _log(x: Variable) -> Variable:
    node = x.owner
    if node is not None and isinstance(node.op, _ARRANGING) and _from_softmax(node.inputs[0]):
        return node.op(_log(node.inputs[0]), *node.inputs[1:])
    return pt.log(x)


def _from_softmax(x: Variable) -> bool:
    node = x.owner
    if node is not None and isinstance(node.op, _ARRANGING):
        return _from_softmax(node.inputs[0])
    return node is not None and isinstance(node.op, Softmax)
