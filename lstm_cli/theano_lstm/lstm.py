"""The LSTM."""

from typing import ClassVar

import pytensor.tensor as pt
from pytensor.graph.basic import Variable

from lstm_cli.kernels.cells import CELLS
from lstm_cli.theano_lstm.dense import Layer, create_shared
from lstm_cli.theano_lstm.fusing import fused_name
from lstm_cli.theano_lstm.recurrent import GatedLayer, States, as_rows, join, masked


class LSTM(GatedLayer):
    """Long short-term memory without peepholes (Graves 2013).

    ::

        i, f, o = sigmoid(W_i [x, h] + b_i), …      z = a(W_z [x, h] + b_z)
        c' = f c + i z                              h' = o tanh(c')

    Parameters
    ----------
    input_size : int
        I.
    hidden_size : int
        H.
    activation : callable
        a, of the input modulation z.
    clip_gradients : float or False
        Bound for each element of the gradient that flows back from each gate into [x, h].

    Attributes
    ----------
    in_gate : Layer
        i. It and the other gates have an `activation` that can be replaced.
    forget_gate : Layer
        f.
    in_gate2 : Layer
        z.
    out_gate : Layer
        o.
    initial_hidden_state : (2 H,) [c, h]
        The state before the first step. Not among `params`; learned where a script adds it to what it optimizes.

    References
    ----------
    Hochreiter and Schmidhuber, Long short-term memory, 1997. Graves, Generating sequences with RNNs, 2013.
    """

    cell: ClassVar[str] = "lstm"

    def create_variables(self) -> None:
        """Create the gates and the initial state."""
        self.in_gate = self._gate(pt.sigmoid)
        self.forget_gate = self._gate(pt.sigmoid)
        self.in_gate2 = self._gate(self.activation)
        self.out_gate = self._gate(pt.sigmoid)
        self.internal_layers = [self.in_gate, self.forget_gate, self.in_gate2, self.out_gate]
        self.initial_hidden_state = create_shared(2 * self.hidden_size, name="LSTM.initial_hidden_state")

    def activate(self, x: Variable, h: Variable, mask: Variable | None = None) -> Variable:
        """Take one step.

        Parameters
        ----------
        x : (I,) or (B, I)
        h : (2 H,) or (B, 2 H) [c, h]
            The previous state; a vector serves every row of a batch.
        mask : (H,) or (B, H), optional
            Multiplies h where it enters the gates (recurrent dropout).

        Returns
        -------
        state : like h
        """
        previous, state = h, as_rows(h, x)
        c, h = state[..., : self.hidden_size], state[..., self.hidden_size :]
        joined = join(x, masked(h, mask))
        c = self.forget_gate.activate(joined) * c + self.in_gate2.activate(joined) * self.in_gate.activate(joined)
        new = join(c, self.out_gate.activate(joined) * pt.tanh(c))
        return self._recorded(new, x, previous, mask)

    def postprocess_activation(self, x: Variable, *_: Variable) -> Variable:
        """Return h, the part of a state [c, h] that the layer above sees."""
        return x[..., self.hidden_size :]

    def _gates(self) -> list[Layer]:
        return [getattr(self, name) for name in CELLS[self.cell].gates]

    def _joined_weights(self) -> tuple[Variable, Variable]:
        gates = self._gates()
        return pt.concatenate([g.linear_matrix for g in gates]), pt.concatenate([g.bias_matrix for g in gates])

    def _split_state(self, state: Variable) -> States:
        return state[:, self.hidden_size :], state[:, : self.hidden_size]

    def _fused_activation(self) -> str:
        self._check_fusable()
        for gate in ("in_gate", "forget_gate", "out_gate"):
            fused_name(self, f"{gate}.activation", getattr(self, gate).activation, "sigmoid")
        return fused_name(self, "in_gate2.activation", self.in_gate2.activation)
