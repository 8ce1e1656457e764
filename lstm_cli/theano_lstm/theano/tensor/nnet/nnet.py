"""``theano.tensor.nnet.nnet``: activations, and losses of classes. Legend: N rows, K classes."""

from typing import Any

import pytensor.tensor as pt
from pytensor.graph.basic import Variable
from pytensor.raise_op import CheckAndRaise
from pytensor.tensor import special
from pytensor.tensor.math import sigmoid, softplus

from lstm_cli.ops.activations import softsign
from lstm_cli.theano_lstm.theano.tensor.nnet.sigm import as_floats

__all__ = [
    "binary_crossentropy",
    "categorical_crossentropy",
    "confusion_matrix",
    "crossentropy_categorical_1hot",
    "crossentropy_softmax_1hot",
    "crossentropy_softmax_1hot_with_bias",
    "crossentropy_softmax_argmax_1hot_with_bias",
    "crossentropy_softmax_max_and_argmax_1hot",
    "crossentropy_softmax_max_and_argmax_1hot_with_bias",
    "elu",
    "h_softmax",
    "logsoftmax",
    "logsoftmax_op",
    "prepend_0_to_each_row",
    "prepend_1_to_each_row",
    "prepend_scalar_to_each_row",
    "relu",
    "selu",
    "sigmoid",
    "sigmoid_binary_crossentropy",
    "softmax",
    "softmax_graph",
    "softmax_op",
    "softmax_with_bias",
    "softplus",
    "softsign",
]

_classes_fit = CheckAndRaise(ValueError, "crossentropy: a class is negative; expected 0 to K - 1")


def softmax(x: Variable) -> Variable:
    """Return exp(x) / sum exp(x) along the last axis; as in Theano, a vector (K,) gives a matrix (1, K)."""
    return special.Softmax(axis=-1)(_at_least_a_row(x))


def logsoftmax(x: Variable) -> Variable:
    """Return the logarithm of `softmax`."""
    return special.LogSoftmax(axis=-1)(_at_least_a_row(x))


softmax_op, logsoftmax_op = softmax, logsoftmax


def softmax_graph(x: Variable) -> Variable:
    """Return exp(x) / sum exp(x) along the last axis; a vector gives a vector."""
    return special.Softmax(axis=-1)(x)


def softmax_with_bias(x: Variable, b: Variable) -> Variable:
    """Return softmax(x + b) (N, K) of x (N, K) and b (K,)."""
    return softmax(pt.as_tensor_variable(x) + b)


def relu(x: Variable, alpha: float | Variable = 0) -> Variable:
    """Return x where it is positive, else alpha x."""
    leak = 0 if isinstance(alpha, int | float) and alpha == 0 else alpha * x
    return pt.switch(x > 0, x, leak)


def elu(x: Variable, alpha: float = 1) -> Variable:
    """Return x where it is positive, else alpha (exp(x) - 1)."""
    return pt.switch(x > 0, x, alpha * pt.expm1(pt.minimum(x, 0)))


def selu(x: Variable) -> Variable:
    """Return `elu` scaled so that layers keep mean 0 and variance 1.

    References
    ----------
    Klambauer et al., Self-normalizing neural networks, 2017.
    """
    scale, alpha = 1.0507009873554805, 1.6732632423543772
    x = as_floats(x)
    negative = pt.constant(scale * alpha, dtype=x.type.dtype) * pt.expm1(pt.minimum(x, 0))
    return pt.switch(x > 0, pt.constant(scale, dtype=x.type.dtype) * x, negative)


def categorical_crossentropy(coding_dist: Variable, true_dist: Any) -> Variable:
    """Return each row's -sum true log(coding) (N,).

    Parameters
    ----------
    coding_dist : (N, K)
        Probabilities.
    true_dist : (N, K) or (N,)
        Probabilities, or class numbers.
    """
    coding_dist, true_dist = pt.as_tensor_variable(coding_dist), pt.as_tensor_variable(true_dist)
    if true_dist.ndim == coding_dist.ndim:
        return -(true_dist * pt.log(coding_dist)).sum(axis=-1)
    if true_dist.ndim == coding_dist.ndim - 1 == 1:
        return _of_classes(pt.log(coding_dist), true_dist)
    raise TypeError(
        f"categorical_crossentropy: expected true_dist of {coding_dist.ndim} axes like coding_dist, or a vector of "
        f"classes for a matrix; got {true_dist.ndim}"
    )


def crossentropy_categorical_1hot(coding_dist: Variable, true_one_of_n: Any) -> Variable:
    """Return each row's -log coding[class] (N,), of probabilities (N, K) and class numbers (N,)."""
    coding_dist, classes = pt.as_tensor_variable(coding_dist), pt.as_tensor_variable(true_one_of_n)
    if coding_dist.ndim != 2 or classes.ndim != 1:
        raise TypeError(
            "crossentropy_categorical_1hot: expected a matrix of probabilities and a vector of classes, got "
            f"{coding_dist.type} and {classes.type}"
        )
    return _of_classes(pt.log(coding_dist), classes)


def crossentropy_softmax_argmax_1hot_with_bias(
    x: Variable, b: Variable, y_idx: Any
) -> tuple[Variable, Variable, Variable]:
    """Return the losses (N,), the probabilities softmax(x + b) (N, K) and the likeliest class (N,)."""
    scores = pt.as_tensor_variable(x) + b
    losses = _of_classes(logsoftmax(scores), pt.as_tensor_variable(y_idx))
    return losses, softmax(scores), pt.argmax(scores, axis=-1)


def crossentropy_softmax_1hot_with_bias(x: Variable, b: Variable, y_idx: Any) -> tuple[Variable, Variable]:
    """Return the losses (N,) and the probabilities softmax(x + b) (N, K)."""
    return crossentropy_softmax_argmax_1hot_with_bias(x, b, y_idx)[:2]


def crossentropy_softmax_1hot(x: Variable, y_idx: Any) -> tuple[Variable, Variable]:
    """Return the losses (N,) and the probabilities softmax(x) (N, K)."""
    return crossentropy_softmax_1hot_with_bias(x, _no_bias(x), y_idx)


def crossentropy_softmax_max_and_argmax_1hot_with_bias(
    x: Variable, b: Variable, y_idx: Any
) -> tuple[Variable, Variable, Variable, Variable]:
    """Return losses (N,), probabilities (N, K), the largest probability (N,) and its class (N,)."""
    losses, probabilities, likeliest = crossentropy_softmax_argmax_1hot_with_bias(x, b, y_idx)
    return losses, probabilities, probabilities.max(axis=-1), likeliest


def crossentropy_softmax_max_and_argmax_1hot(x: Variable, y_idx: Any) -> tuple[Variable, Variable, Variable, Variable]:
    """Return losses (N,), probabilities (N, K), the largest probability (N,) and its class (N,)."""
    return crossentropy_softmax_max_and_argmax_1hot_with_bias(x, _no_bias(x), y_idx)


def binary_crossentropy(output: Variable, target: Any) -> Variable:
    """Return -(t log(o) + (1 - t) log(1 - o)), element by element; without overflow where o are of a sigmoid."""
    output, target = pt.as_tensor_variable(output), pt.as_tensor_variable(target)
    return -(target * pt.log(output) + (1 - target) * pt.log(1 - output))


def sigmoid_binary_crossentropy(output: Variable, target: Any) -> Variable:
    """Return `binary_crossentropy` of sigmoid(output), without overflow."""
    target = pt.as_tensor_variable(target)
    return target * softplus(-output) + (1 - target) * softplus(output)


def confusion_matrix(actual: Variable, pred: Variable) -> list[Variable]:
    """Return how often each class (of the rows) was predicted as each (of the columns), and the classes, sorted.

    Parameters
    ----------
    actual, pred : (N,)

    Returns
    -------
    counts : (K, K)
    classes : (K,)
        Those that are in either.
    """
    actual, pred = pt.as_tensor_variable(actual), pt.as_tensor_variable(pred)
    for name, classes in (("actual", actual), ("pred", pred)):
        if classes.ndim != 1:
            raise ValueError(f"confusion_matrix: {name}: expected a vector of classes, got {classes.type}")
    order = pt.unique(pt.concatenate([actual, pred]))
    hits = [pt.eq(classes[:, None], order).astype("int64") for classes in (actual, pred)]
    return [pt.dot(hits[0].T, hits[1]), order]


def h_softmax(
    x: Variable,
    batch_size: int | Variable,
    n_outputs: int,
    n_classes: int,
    n_outputs_per_class: int,
    W1: Variable,
    b1: Variable,
    W2: Variable,
    b2: Variable,
    target: Variable | None = None,
) -> Variable:
    """Return probabilities of outputs that are grouped: of the group, times those within it.

    Output k is in group ``k // n_outputs_per_class``.

    Parameters
    ----------
    x : (N, D)
    batch_size : int
        N.
    n_outputs, n_classes, n_outputs_per_class : int
        K, the groups G and the outputs of each, M; K is G M or less.
    W1, b1 : (D, G), (G,)
        From x to the groups.
    W2, b2 : (G, D, M), (G, M)
        From x to the outputs of each group.
    target : (N,) or (N, 1) of integers, optional
        One output for each row.

    Returns
    -------
    probabilities : (N, K), or (N,) of the targets

    References
    ----------
    Goodman, Classes for fast maximum entropy training, 2001.
    """
    x = pt.as_tensor_variable(x)
    of_groups = softmax(pt.dot(x, W1) + b1)
    if target is None:
        within = special.Softmax(axis=-1)(pt.tensordot(x, W2, (1, 1)) + b2)
        every = of_groups[:, :, None] * within
        return every.reshape((x.shape[0], n_classes * n_outputs_per_class))[:, :n_outputs]
    target = pt.as_tensor_variable(target).flatten()
    group, rows = target // n_outputs_per_class, pt.arange(x.shape[0])
    scores = (x[:, :, None] * pt.as_tensor_variable(W2)[group]).sum(axis=1) + pt.as_tensor_variable(b2)[group]
    return of_groups[rows, group] * softmax(scores)[rows, target % n_outputs_per_class]


def prepend_scalar_to_each_row(value: Any, x: Variable) -> Variable:
    """Return x (N, K) with one more column before the others, which holds the value: (N, K + 1)."""
    x = pt.as_tensor_variable(x)
    column = pt.alloc(pt.as_tensor_variable(value).astype(x.type.dtype), x.shape[0], 1)
    return pt.concatenate([column, x], axis=1)


def prepend_0_to_each_row(x: Variable) -> Variable:
    """Return x (N, K) with a column of zeros before the others."""
    return prepend_scalar_to_each_row(0, x)


def prepend_1_to_each_row(x: Variable) -> Variable:
    """Return x (N, K) with a column of ones before the others."""
    return prepend_scalar_to_each_row(1, x)


def _of_classes(logarithms: Variable, classes: Variable) -> Variable:
    """Return the negative logarithm (N,) of each row's class."""
    classes = _classes_fit(classes, pt.all(classes >= 0))
    return -logarithms[pt.arange(classes.shape[0]), classes]


def _no_bias(x: Variable) -> Variable:
    return pt.zeros_like(pt.as_tensor_variable(x)[0])


def _at_least_a_row(x: Any) -> Variable:
    x = pt.as_tensor_variable(x)
    return x[None, :] if x.ndim == 1 else x
