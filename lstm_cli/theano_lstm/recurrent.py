"""The recurrent layers: one step, `activate`, for loops, and `sequence`, one Op for a whole batch of sequences.

Legend: T time, B batch, I input, H units. Weights are (out, in) and act on [x, h], x and h joined.
"""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Self

import pytensor.tensor as pt
from pytensor.graph.basic import Variable

from lstm_cli.ops.recurrent import recurrent, recurrent_tokens
from lstm_cli.theano_lstm.activations import ACTIVATIONS, Activation, name_of
from lstm_cli.theano_lstm.dense import Layer, clip_backwards, create_shared, shape_of, take_over

Finals = tuple[Variable, ...]


class RNN(Layer):
    """The plain recurrent layer: ``h' = f(W [x, h] + b)``. The other recurrent layers are built on it.

    Parameters
    ----------
    input_size, hidden_size : int
        I and H.
    activation : callable
        f.
    clip_gradients : float or False
        Bound for each element of the gradient that flows back into [x, h].

    Attributes
    ----------
    linear_matrix : W (H, I + H)
    bias_matrix : b (H,)
    initial_hidden_state : (H,)
        The state before the first step. Not among `params`; learned where a script adds it to what it optimizes.
    params : list of W and b; setting it takes over the values.
    """

    is_recursive = True
    cell: ClassVar[str] = "rnn"
    states: ClassVar[int] = 1
    biases: ClassVar[int] = 1
    _joined: tuple[Variable, Variable] | None = None

    def __init__(
        self, input_size: int, hidden_size: int, activation: Activation = pt.tanh, clip_gradients: float | bool = False
    ) -> None:
        super().__init__(input_size, hidden_size, activation, clip_gradients)

    def create_variables(self) -> None:
        """Create W, b and the initial state; subclasses create their gates."""
        width = self.input_size + self.hidden_size
        self.linear_matrix = create_shared(self.hidden_size, width, name="RNN.linear_matrix")
        self.bias_matrix = create_shared(self.hidden_size, name="RNN.bias_matrix")
        self.initial_hidden_state = create_shared(self.hidden_size, name="RNN.initial_hidden_state")

    @classmethod
    def from_parameters(
        cls, W: Variable, b: Variable, initial: Variable | None = None, *, activation: str = "tanh"
    ) -> Self:
        """Build the layer on weights that exist, laid out as `lstm_cli.ops.recurrent.recurrent` takes them.

        Parameters
        ----------
        W : (G H, I + H)
            One block of H rows a gate: i, f, o, z (LSTM), r, u, n (GRU), one (RNN).
        b : (G H,), for a GRU (4 H,)
        initial : (H,), for an LSTM (2 H,) [c, h]
            The state before the first step; zeros if None.
        activation : {"tanh", "linear", "relu", "sigmoid", "softsign"}
        """
        layer = cls.__new__(cls)
        layer.hidden_size = shape_of(b)[0] // cls.biases
        layer.input_size = shape_of(W)[1] - layer.hidden_size
        layer.activation, layer.clip_gradients = ACTIVATIONS[activation], False
        layer._joined = (W, b)
        layer._take_views(W, b)
        zeros = pt.zeros(cls.states * layer.hidden_size, dtype=W.type.dtype)
        layer.initial_hidden_state = zeros if initial is None else initial
        return layer

    def _take_views(self, W: Variable, b: Variable) -> None:
        """Make the gates out of joined weights."""
        self.linear_matrix, self.bias_matrix = W, b

    def _join_gates(self) -> tuple[Variable, Variable]:
        """Return all gates' W (G H, I + H) and b, as the Op takes them."""
        return self.linear_matrix, self.bias_matrix

    def activate(self, x: Variable, h: Variable, mask: Variable | None = None) -> Variable:
        """Take one step.

        Parameters
        ----------
        x : (I,) or (B, I)
        h : (H,) or (B, H)
            The state before; a vector serves every row of a batch.
        mask : optional
            Multiplies h where it enters the matrix product (recurrent dropout).

        Returns
        -------
        h : like h
        """
        h = as_rows(h, x)
        joined = clip_backwards(join(x, dropped(h, mask)), self.clip_gradients)
        if x.ndim > 1:
            return self.activation(pt.dot(self.linear_matrix, joined.T) + self.bias_matrix[:, None]).T
        return self.activation(pt.dot(self.linear_matrix, joined) + self.bias_matrix)

    def sequence(
        self,
        x: Variable,
        lengths: Variable,
        *,
        table: Variable | None = None,
        initial: Finals | None = None,
        mask: Variable | None = None,
        reverse: bool = False,
    ) -> tuple[Variable, Finals]:
        """Run over whole sequences, padded at the end to a batch: the same as steps in a loop, in one Op.

        Parameters
        ----------
        x : (T, B, I), with a table (T, B) int32
        lengths : (B,) int64
            Real steps of each sequence.
        table : (V, I), optional
            Vectors of V tokens, in which x are the rows: faster than ``table[x]`` where V is less than T B.
        initial : tuple of (B, H), optional
            The state before the first step, h or, for an LSTM, (h, c); by default `initial_hidden_state` in every row.
        mask : (B, H), optional
            As in `activate`, the same at every step.
        reverse : bool
            Run from each sequence's last real step to its first.

        Returns
        -------
        h : (T, B, H), zeros at padding
        finals : tuple of (B, H), ordered as `initial`
        """
        options = {"cell": self.cell, "activation": self._fused_activation(), "reverse": reverse, "mask": mask}
        W, b = self._joined or self._join_gates()
        if initial is None:
            initial = self._split_state(pt.repeat(self.initial_hidden_state[None, :], x.shape[1], axis=0))
        if table is None:
            return recurrent(x, lengths, W, b, initial, **options)
        return recurrent_tokens(x, lengths, table, W, b, initial, **options)

    def _split_state(self, state: Variable) -> Finals:
        """Return the parts of a state (B, S) in the order of `sequence`."""
        return (state,)

    def _fused_activation(self) -> str:
        """Return the name of the activation, or say why there is no Op for this layer."""
        if self.clip_gradients is not False:
            raise NotImplementedError(
                f"{type(self).__name__}.sequence: clip_gradients acts inside each step; use activate in a scan"
            )
        return fused_name(self, "activation", self.activation)


class GatedLayer(RNN):
    """A recurrent layer made of gates, each a dense `Layer` on [x, h] whose activation can be replaced.

    Attributes
    ----------
    internal_layers : list of Layer
    params : list of each gate's W and b, gate after gate; setting it takes over the values.
    """

    internal_layers: list[Layer]
    further_params: tuple[Variable, ...] = ()

    def _gate(self, activation: Activation) -> Layer:
        return Layer(self.input_size + self.hidden_size, self.hidden_size, activation, self.clip_gradients)

    def _gates_on(self, W: Variable, b: Variable, activations: Sequence[Activation]) -> list[Layer]:
        """Return a gate on each block of H rows of joined weights."""
        shape = (self.hidden_size, self.input_size + self.hidden_size)
        blocks = [slice(k * self.hidden_size, (k + 1) * self.hidden_size) for k in range(len(activations))]
        return [Layer._on(W[k], b[k], shape, a, False) for k, a in zip(blocks, activations, strict=True)]

    @property
    def params(self) -> list[Variable]:
        """The gates' weights, in theano-lstm's order."""
        return [param for layer in self.internal_layers for param in layer.params] + list(self.further_params)

    @params.setter
    def params(self, values: Sequence[Any]) -> None:
        take_over(type(self).__name__, self.params, values)


def join(x: Variable, h: Variable) -> Variable:
    """Return [x, h] along the last axis."""
    return pt.concatenate([x, h], axis=-1)


def as_rows(state: Variable, x: Variable) -> Variable:
    """Return a state, repeated for every row of x where that is a batch and the state a vector."""
    return pt.repeat(state[None, :], x.shape[0], axis=0) if state.ndim < x.ndim else state


def dropped(h: Variable, mask: Variable | None) -> Variable:
    """Return h times the mask, if there is one."""
    return h if mask is None else h * mask


def fused_name(layer: Layer, attribute: str, activation: Callable[..., Variable], expected: str | None = None) -> str:
    """Return the name under which the Op knows an activation."""
    name = name_of(activation)
    if name is None or expected not in (None, name):
        known = expected or ", ".join(ACTIVATIONS)
        raise NotImplementedError(
            f"{type(layer).__name__}.sequence: the Op for whole sequences has only {known} for {attribute}, "
            f"which was replaced by {activation}; use activate in a scan"
        )
    return name
