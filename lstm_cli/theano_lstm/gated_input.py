"""A gate on the input: one number between 0 and 1 that scales all of x."""

from collections.abc import Sequence
from typing import Any

import pytensor.tensor as pt
from pytensor.graph.basic import Variable

from lstm_cli.theano_lstm.dense import Layer
from lstm_cli.theano_lstm.recurrent import as_rows, join


class GatedInput(Layer):
    """Scales its input by a gate: ``g = sigmoid(w [x, h] + b)``, ``y = g x``.

    Parameters
    ----------
    input_size : int
        Of x.
    hidden_size : int
        Of the state h: usually the previous one of a recurrent layer above.
    activation : callable
        Unused; `StackedCells` passes it to every layer.
    clip_gradients : float or False
        Bound for each element of the gradient that flows back from the gate into [x, h].

    Attributes
    ----------
    in_gate : Layer
        g; its `activation` can be replaced.
    params : list of the gate's W (1, I + H) and b (1,); assigning to it copies the values.
    """

    is_recursive = True

    def create_variables(self) -> None:
        """Create the gate. The state is another layer's, so none is created here."""
        self.in_gate = Layer(self.input_size + self.hidden_size, 1, pt.sigmoid, self.clip_gradients)
        self.internal_layers = [self.in_gate]

    def activate(self, x: Variable, h: Variable) -> Variable:
        """Return the gate: a number for vectors x (I,) and h (H,), (B, 1) for batches."""
        gate = self.in_gate.activate(join(x, as_rows(h, x)))
        return gate[:, 0][:, None] if x.ndim > 1 else gate[0]

    def postprocess_activation(self, gate: Variable, x: Variable, *_: Variable) -> Variable:
        """Return the scaled input, which the layer above sees."""
        return gate * x

    @property
    def params(self) -> list[Variable]:
        """The gate's weights."""
        return self.in_gate.params

    @params.setter
    def params(self, values: Sequence[Any]) -> None:
        self.in_gate.params = values
