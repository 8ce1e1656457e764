"""``theano.tensor.nnet``: activations and losses. Legend: N rows, K classes."""

from typing import Any

import pytensor.tensor as pt
from pytensor.graph.basic import Variable
from pytensor.tensor.math import sigmoid, softplus
from pytensor.tensor.special import LogSoftmax, Softmax

from lstm_cli.ops.activations import softsign

__all__ = ["sigmoid", "softplus", "softsign"]

ultra_fast_sigmoid = sigmoid


def softmax(x: Variable) -> Variable:
    """Return exp(x) / sum exp(x) along the last axis; as in Theano, a vector (K,) gives a matrix (1, K)."""
    return Softmax(axis=-1)(_at_least_a_row(x))


def logsoftmax(x: Variable) -> Variable:
    """Return the logarithm of `softmax`."""
    return LogSoftmax(axis=-1)(_at_least_a_row(x))


def hard_sigmoid(x: Variable) -> Variable:
    """Return 0.2 x + 0.5 clipped to [0, 1]."""
    return pt.clip(0.2 * x + 0.5, 0.0, 1.0)


def relu(x: Variable, alpha: float | Variable = 0) -> Variable:
    """Return x where it is positive, else alpha x."""
    leak = 0 if isinstance(alpha, int | float) and alpha == 0 else alpha * x
    return pt.switch(x > 0, x, leak)


def elu(x: Variable, alpha: float = 1) -> Variable:
    """Return x where it is positive, else alpha (exp(x) - 1)."""
    return pt.switch(x > 0, x, alpha * pt.expm1(pt.minimum(x, 0)))


def categorical_crossentropy(coding_dist: Variable, true_dist: Any) -> Variable:
    """Return each row's -sum true log(coding) (N,).

    Parameters
    ----------
    coding_dist : (N, K)
        Probabilities.
    true_dist : (N, K) or (N,)
        Probabilities, or class numbers.
    """
    true_dist, logarithms = pt.as_tensor_variable(true_dist), _log(coding_dist)
    if true_dist.ndim == coding_dist.ndim:
        return -(true_dist * logarithms).sum(axis=-1)
    if true_dist.ndim == coding_dist.ndim - 1 == 1:
        return -logarithms[pt.arange(true_dist.shape[0]), true_dist]
    raise TypeError(
        f"categorical_crossentropy: expected true_dist of {coding_dist.ndim} axes like coding_dist, or a vector of "
        f"classes for a matrix; got {true_dist.ndim}"
    )


def binary_crossentropy(output: Variable, target: Any) -> Variable:
    """Return -(t log(o) + (1 - t) log(1 - o)), element by element."""
    return -(target * pt.log(output) + (1 - pt.as_tensor_variable(target)) * pt.log1p(-output))


def sigmoid_binary_crossentropy(output: Variable, target: Any) -> Variable:
    """Return `binary_crossentropy` of sigmoid(output), without overflow."""
    return softplus(-abs(output)) + output * (pt.gt(output, 0) - target)


def _at_least_a_row(x: Any) -> Variable:
    x = pt.as_tensor_variable(x)
    return x[None, :] if x.ndim == 1 else x


def _log(probabilities: Variable) -> Variable:
    """Return the logarithm, straight from the scores where these are probabilities of a softmax."""
    node = probabilities.owner
    if node is not None and isinstance(node.op, Softmax):
        return LogSoftmax(axis=node.op.axis)(node.inputs[0])
    return pt.log(probabilities)
