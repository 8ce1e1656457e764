"""The recurrent layers: `activate`, one step for a scan, and `sequence`, one Op for a whole batch of sequences.

Legend: T time, B batch, I input, H units. Weights are (out, in) and act on [x, h], x and h joined.
"""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any, ClassVar

import pytensor.tensor as pt
from pytensor.graph.basic import Variable

from lstm_cli.ops.activations import Activation
from lstm_cli.ops.recurrent import recurrent
from lstm_cli.theano_lstm.dense import Layer, clip_backwards, copy_values, create_shared
from lstm_cli.theano_lstm.fusing import fused_name
from lstm_cli.theano_lstm.loops.recording import Step, activated, current_notes

States = tuple[Variable, ...]


class RNN(Layer):
    """The plain recurrent layer: ``h' = f(W [x, h] + b)``. The other recurrent layers are built on it.

    Parameters
    ----------
    input_size : int
        I.
    hidden_size : int
        H.
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
    params : list of W and b; assigning to it copies the values.

    References
    ----------
    Elman, Finding structure in time, 1990.
    """

    is_recursive = True
    cell: ClassVar[str] = "rnn"

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

    def activate(self, x: Variable, h: Variable, mask: Variable | None = None) -> Variable:
        """Take one step.

        Parameters
        ----------
        x : (I,) or (B, I)
        h : (H,) or (B, H)
            The previous state; a vector serves every row of a batch.
        mask : optional
            Multiplies h where it enters the matrix product (recurrent dropout).

        Returns
        -------
        h : like h
        """
        previous, h = h, as_rows(h, x)
        joined = clip_backwards(join(x, masked(h, mask)), self.clip_gradients)
        if x.ndim > 1:
            h = activated(self.activation, pt.dot(self.linear_matrix, joined.T) + self.bias_matrix[:, None]).T
        else:
            h = activated(self.activation, pt.dot(self.linear_matrix, joined) + self.bias_matrix)
        return self._recorded(h, x, previous, mask)

    def sequence(
        self,
        x: Variable,
        lengths: Variable,
        *,
        initial: States | None = None,
        mask: Variable | None = None,
        reverse: bool = False,
    ) -> tuple[Variable, States]:
        """Run over whole sequences, padded at the end to a batch: the same as steps in a scan, in one Op.

        Parameters
        ----------
        x : (T, B, I)
        lengths : (B,) int64
            Real steps of each sequence.
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

        Raises
        ------
        NotImplementedError
            An activation was replaced by one that the Op does not support, or gradients are clipped inside each step.
        """
        activation = self._fused_activation()
        if initial is None:
            initial = self._split_state(pt.repeat(self.initial_hidden_state[None, :], x.shape[1], axis=0))
        W, b = self._joined_weights()
        return recurrent(x, lengths, W, b, initial, cell=self.cell, activation=activation, reverse=reverse, mask=mask)

    def _recorded(self, state: Variable, x: Variable, previous: Variable, mask: Variable | None) -> Variable:
        """Return the new state. If a loop is being built and one Op can take this step, it is noted for the loop."""
        notes = current_notes()
        if notes is not None and mask is None:
            with suppress(NotImplementedError):
                cell, activation = self._loop_kind()
                W, b = self._joined_weights()
                notes.steps[state] = Step(x, previous, cell, activation, W, b, self.hidden_size)
        return state

    def _loop_kind(self) -> tuple[str, str]:
        """Return the cell and the activation of the Op that can run a loop over this layer, as `_fused_activation`."""
        return self.cell, self._fused_activation()

    def _joined_weights(self) -> tuple[Variable, Variable]:
        """Return W (G H, I + H) and b of all G gates, in the Op's order."""
        return pt.as_tensor_variable(self.linear_matrix), pt.as_tensor_variable(self.bias_matrix)

    def _gates(self) -> list[Layer]:
        """Return the layers whose weights a step uses, in the Op's order."""
        return [self]

    def _split_state(self, state: Variable) -> States:
        """Return the parts of a state (B, S) in the order of `sequence`."""
        return (state,)

    def _fused_activation(self) -> str:
        """Return the name of the activation, or raise an error if this layer cannot run as one Op."""
        self._check_fusable()
        return fused_name(self, "activation", self.activation)

    def _check_fusable(self) -> None:
        """Raise an error if gradients are clipped inside each step, or weights are not what the Op takes."""
        if self.clip_gradients is not False:
            raise NotImplementedError(
                f"{type(self).__name__}.sequence: clip_gradients acts inside each step; use activate in a scan"
            )
        for gate in self._gates():
            W, b = pt.as_tensor_variable(gate.linear_matrix), pt.as_tensor_variable(gate.bias_matrix)
            if (W.type.ndim, b.type.ndim) != (2, 1) or W.type.broadcastable[0] != b.type.broadcastable[0]:
                raise NotImplementedError(
                    f"{type(self).__name__}.sequence: expected a matrix of weights and as many biases, got {W.type} "
                    f"and {b.type}; use activate in a scan"
                )


class GatedLayer(RNN):
    """A recurrent layer made of gates, each a dense `Layer` on [x, h] whose activation can be replaced.

    Attributes
    ----------
    internal_layers : list of Layer
    params : list of each gate's W and b, gate by gate; assigning to it copies the values.
    """

    internal_layers: list[Layer]
    further_params: tuple[Variable, ...] = ()

    def _check_fusable(self) -> None:
        super()._check_fusable()
        for gate in self._gates():
            if type(gate) not in (Layer, RNN) or "activate" in vars(gate) or gate.clip_gradients is not False:
                raise NotImplementedError(
                    f"{type(self).__name__}.sequence: its gates must be dense layers that clip no gradients, and one "
                    f"is a {type(gate).__name__} that was changed; use activate in a scan"
                )

    def _gate(self, activation: Activation) -> Layer:
        return Layer(self.input_size + self.hidden_size, self.hidden_size, activation, self.clip_gradients)

    @property
    def params(self) -> list[Variable]:
        """The gates' weights, in theano-lstm's order."""
        return [param for layer in self.internal_layers for param in layer.params] + list(self.further_params)

    @params.setter
    def params(self, values: Sequence[Any]) -> None:
        copy_values(type(self).__name__, self.params, values)


def join(x: Variable, h: Variable) -> Variable:
    """Return [x, h] along the last axis."""
    return pt.concatenate([x, h], axis=-1)


def as_rows(state: Variable, x: Variable) -> Variable:
    """Return a state, repeated for every row of x where that is a batch and the state a vector."""
    return pt.repeat(state[None, :], x.shape[0], axis=0) if state.ndim < x.ndim else state


def masked(h: Variable, mask: Variable | None) -> Variable:
    """Return h times the mask, if there is one."""
    return h if mask is None else h * mask
