"""The gated recurrent unit, in theano-lstm's form and in that of cuDNN."""

from typing import ClassVar

import pytensor.tensor as pt
from pytensor.graph.basic import Variable

from lstm_cli.ops.activations import Activation
from lstm_cli.theano_lstm.dense import Layer, clip_backwards, create_shared
from lstm_cli.theano_lstm.fusing import fused_name
from lstm_cli.theano_lstm.loops import gru_loop
from lstm_cli.theano_lstm.loops.recording import activated
from lstm_cli.theano_lstm.recurrent import RNN, GatedLayer, as_rows, join, masked


class GRU(GatedLayer):
    """A gated recurrent unit.

    ::

        r, u = sigmoid(W_r [x, h] + b_r), …

        n = tanh(W_n [x, r h] + b_n)                  h' = (1 - u) h + u n          as in theano-lstm
        n = a(W_n x + b_n + r (U_n h + b_m))          h' = u h + (1 - u) n          reset_after

    Parameters
    ----------
    input_size : int
        I.
    hidden_size : int
        H.
    activation : callable
        a, of the candidate n with `reset_after`. Without it the candidate is tanh whatever is passed, as in
        theano-lstm; to replace it, assign to `memory_to_memory_layer.activation`.
    clip_gradients : float or False
        Bound for each element of the gradient that flows back from each gate into [x, h].
    reset_after : bool
        Apply r after the matrix product, and let u weight the old state instead of the new, as cuDNN, PyTorch and the
        Op for whole sequences do.

    Attributes
    ----------
    reset_layer : RNN
        r. It and the other gates have an `activation` that can be replaced.
    memory_interpolation_layer : RNN
        u.
    memory_to_memory_layer : RNN
        n.
    hidden_bias : b_m (H,)
        With `reset_after` only, and then the last of `params`.
    initial_hidden_state : (H,)
        The state before the first step. Not among `params`; learned where a script adds it to what it optimizes.

    References
    ----------
    Cho et al., Learning phrase representations using RNN encoder-decoder, 2014.
    """

    cell: ClassVar[str] = "gru"

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        activation: Activation = pt.tanh,
        clip_gradients: float | bool = False,
        *,
        reset_after: bool = False,
    ) -> None:
        self.reset_after = reset_after
        super().__init__(input_size, hidden_size, activation, clip_gradients)

    def create_variables(self) -> None:
        """Create the gates and the initial state."""
        self.reset_layer = self._gate(pt.sigmoid)
        self.memory_interpolation_layer = self._gate(pt.sigmoid)
        self.memory_to_memory_layer = self._gate(self.activation if self.reset_after else pt.tanh)
        self.internal_layers = [self.reset_layer, self.memory_interpolation_layer, self.memory_to_memory_layer]
        if self.reset_after:
            self.hidden_bias = create_shared(self.hidden_size, name="GRU.hidden_bias")
            self.further_params = (self.hidden_bias,)
        self.initial_hidden_state = create_shared(self.hidden_size, name="GRU.initial_hidden_state")

    def _gate(self, activation: Activation) -> RNN:
        """Return a recurrent layer, as in theano-lstm; its initial state keeps the order of the random numbers."""
        return RNN(self.input_size, self.hidden_size, activation, self.clip_gradients)

    def _gates(self) -> list[Layer]:
        return [self.reset_layer, self.memory_interpolation_layer, self.memory_to_memory_layer]

    def _joined_weights(self) -> tuple[Variable, Variable]:
        gates = self._gates()
        biases = [*(gate.bias_matrix for gate in gates), *self.further_params]
        return pt.concatenate([gate.linear_matrix for gate in gates]), pt.concatenate(biases)

    def activate(self, x: Variable, h: Variable, mask: Variable | None = None) -> Variable:
        """Take one step; arguments and result as in `RNN.activate`."""
        previous, h = h, as_rows(h, x)
        entering = masked(h, mask)
        r, u = self.reset_layer.activate(x, entering), self.memory_interpolation_layer.activate(x, entering)
        if self.reset_after:
            n = self._candidate_reset_after(join(x, entering), r)
            return self._recorded(u * h + (1 - u) * n, x, previous, mask)
        n = self.memory_to_memory_layer.activate(x, r * entering)
        return self._recorded((1 - u) * h + u * n, x, previous, mask)

    def _candidate_reset_after(self, joined: Variable, r: Variable) -> Variable:
        """Return n (H,) or (B, H): with the reset gate applied to the matrix product of h."""
        gate = self.memory_to_memory_layer
        W_x, W_h = gate.linear_matrix[:, : self.input_size], gate.linear_matrix[:, self.input_size :]
        joined = clip_backwards(joined, self.clip_gradients)
        from_x = pt.dot(joined[..., : self.input_size], W_x.T) + gate.bias_matrix
        from_h = pt.dot(joined[..., self.input_size :], W_h.T) + self.hidden_bias
        return activated(gate.activation, (from_x + r * from_h).T).T

    def _fused_activation(self) -> str:
        self._check_fusable()
        if not self.reset_after:
            raise NotImplementedError(
                "GRU.sequence: the Op for whole sequences applies the reset gate after the matrix product; "
                "construct the layer with reset_after=True, or use activate in a scan"
            )
        return self._activations()

    def _loop_kind(self) -> tuple[str, str]:
        self._check_fusable()
        return (self.cell if self.reset_after else gru_loop.CELL), self._activations()

    def _activations(self) -> str:
        """Return the name of the candidate's activation, or raise an error if no Op has those of the gates."""
        fused_name(self, "reset_layer.activation", self.reset_layer.activation, "sigmoid")
        interpolation = self.memory_interpolation_layer.activation
        fused_name(self, "memory_interpolation_layer.activation", interpolation, "sigmoid")
        return fused_name(self, "memory_to_memory_layer.activation", self.memory_to_memory_layer.activation)
