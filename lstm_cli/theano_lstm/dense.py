"""The dense layer, ``y = f(W x + b)``."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytensor
import pytensor.tensor as pt
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.graph.basic import Variable

from lstm_cli.ops.activations import Activation, linear
from lstm_cli.ops.dense import dense
from lstm_cli.theano_lstm.clip_gradient import clip_gradient
from lstm_cli.theano_lstm.loops.recording import activated

np_rng = np.random.RandomState(1234)  # theano-lstm's generator, seed and scale: a script starts from the same weights


def random_initialization(size: Sequence[int]) -> np.ndarray:
    """Return normally distributed numbers, divided by the length of the first axis."""
    return (np_rng.standard_normal(tuple(size)) / size[0]).astype(pytensor.config.floatX)


def create_shared(out_size: int, in_size: int | None = None, name: str | None = None) -> SharedVariable:
    """Return a shared matrix (out_size, in_size), or a vector (out_size,) where no `in_size` is given."""
    shape = (out_size,) if in_size is None else (out_size, in_size)
    return pytensor.shared(random_initialization(shape), name=name)


class Layer:
    """A dense layer: ``y = f(W x + b)``.

    Parameters
    ----------
    input_size : int
        I.
    hidden_size : int
        K.
    activation : callable
        f, of vectors (K,) and of batches (K, B), units first, as in theano-lstm; it can be replaced later.
    clip_gradients : float or False
        Bound for each element of the gradient that flows back into x.

    Attributes
    ----------
    linear_matrix : W (K, I)
    bias_matrix : b (K,)
    params : list of W and b; assigning to it copies the values.
    """

    is_recursive: bool = False

    def __init__(
        self, input_size: int, hidden_size: int, activation: Activation = linear, clip_gradients: float | bool = False
    ) -> None:
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.activation = activation
        self.clip_gradients = clip_gradients
        self.create_variables()

    def create_variables(self) -> None:
        """Create W and b; subclasses create their own."""
        self.linear_matrix = create_shared(self.hidden_size, self.input_size, name="Layer.linear_matrix")
        self.bias_matrix = create_shared(self.hidden_size, name="Layer.bias_matrix")

    def activate(self, x: Variable) -> Variable:
        """Return y (K,) of a vector x (I,), or (B, K) of a batch (B, I)."""
        x = clip_backwards(x, self.clip_gradients)
        if x.ndim > 1:
            return activated(self.activation, pt.dot(self.linear_matrix, x.T) + self.bias_matrix[:, None]).T
        return activated(self.activation, pt.dot(self.linear_matrix, x) + self.bias_matrix)

    def sequence(self, x: Variable) -> Variable:
        """Return y (…, K) of x (…, I), the product as one Op; f must be element-wise."""
        return self.activation(dense(x, self.linear_matrix, self.bias_matrix))

    @property
    def params(self) -> list[Variable]:
        """The layer's weights, in theano-lstm's order."""
        return [self.linear_matrix, self.bias_matrix]

    @params.setter
    def params(self, values: Sequence[Any]) -> None:
        copy_values(type(self).__name__, self.params, values)


def clip_backwards(x: Variable, bound: float | bool) -> Variable:
    """Return x with its gradient clipped, unless `bound` is False."""
    return x if bound is False else clip_gradient(x, bound)


def copy_values(owner: str, params: Sequence[SharedVariable], values: Sequence[Any]) -> None:
    """Copy values, arrays or shared variables, into a layer's parameters of the same shapes.

    Parameters
    ----------
    owner : str
        The layer's class, for the error.
    params, values : sequence

    Raises
    ------
    ValueError
        There are more or fewer values than parameters, or one has another shape.
    """
    arrays = [v.get_value() if isinstance(v, SharedVariable) else np.asarray(v) for v in values]
    expected = [param.get_value(borrow=True).shape for param in params]
    if [array.shape for array in arrays] != expected:
        raise ValueError(
            f"{owner}.params: expected {len(expected)} values of shapes {expected}, got {[a.shape for a in arrays]}"
        )
    for param, array in zip(params, arrays, strict=True):
        param.set_value(array.astype(param.type.dtype))
