"""Layers one on top of the other."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, TypeAlias

import pytensor.tensor as pt
from pytensor.graph.basic import Variable

from lstm_cli.ops.activations import Activation, linear
from lstm_cli.theano_lstm.dense import Layer, copy_values
from lstm_cli.theano_lstm.dropout import Dropout, apply_dropout
from lstm_cli.theano_lstm.recurrent import RNN, as_rows

Rate: TypeAlias = float | Variable
Mask: TypeAlias = Variable | float | None


class StackedCells:
    """Recurrent layers, one on top of the other: ``h_k' = layer_k(h_{k-1}', h_k)``, with h_0' = x.

    Other layers can be appended to `layers` or inserted.

    Parameters
    ----------
    input_size : int
        I of the first layer.
    celltype : class
        ``RNN``, ``LSTM``, ``GRU``, or one with the same constructor.
    layers : sequence of int
        Units of each layer.
    activation : callable
        Passed to each layer.
    clip_gradients : float or False
        Passed to each layer.

    Attributes
    ----------
    layers : list of layers
    params : list of all layers' parameters; assigning to it copies the values.
    """

    def __init__(
        self,
        input_size: int,
        celltype: Callable[..., Layer] = RNN,
        layers: Sequence[int] | None = None,
        activation: Activation = linear,
        clip_gradients: float | bool = False,
    ) -> None:
        self.input_size = input_size
        self.clip_gradients = clip_gradients
        self.create_layers(layers or [], activation, celltype)

    def create_layers(
        self, layer_sizes: Sequence[int], activation_type: Activation, celltype: Callable[..., Layer]
    ) -> None:
        """Create the layers; the input of each is the output of the one below."""
        sizes = [self.input_size, *layer_sizes]
        self.layers = [
            celltype(inputs, units, activation_type, clip_gradients=self.clip_gradients)
            for inputs, units in pairwise(sizes)
        ]

    @property
    def params(self) -> list[Variable]:
        """All layers' parameters, from the first layer to the last."""
        return [param for layer in self.layers for param in layer.params]

    @params.setter
    def params(self, values: Sequence[Any]) -> None:
        copy_values(type(self).__name__, self.params, values)

    def forward(
        self,
        x: Variable,
        prev_hiddens: Sequence[Variable | None] | None = None,
        dropout: Sequence[Mask] | Rate | None = None,
    ) -> list[Variable]:
        """Take one step through all layers.

        Parameters
        ----------
        x : (I,) or (B, I); integers () or (B,) for an `Embedding`
        prev_hiddens : sequence of variable or None
            The previous state of each layer, None where a layer has none; by default the initial states.
        dropout : sequence of masks, or one rate
            A mask for the input of each layer (None: no dropout there); an empty sequence drops nothing. A rate,
            a number or a variable, draws new masks.

        Returns
        -------
        activations : list with what each layer's `activate` returned
        """
        if prev_hiddens is None:
            prev_hiddens = [getattr(layer, "initial_hidden_state", None) for layer in self.layers]
        x, activations = pt.as_tensor_variable(x), []
        for k, layer in enumerate(self.layers):
            entering = apply_dropout(x, _mask(dropout, k, x))
            step: Callable[..., Variable] = layer.activate
            if layer.is_recursive:
                state = _state(prev_hiddens, k, layer, x)
                activations.append(step(entering, state))
                x = _upwards(layer, activations[-1], x, state)
            else:
                activations.append(step(entering))
                x = _upwards(layer, activations[-1], x)
        return activations


def _mask(dropout: Sequence[Mask] | Rate | None, k: int, x: Variable) -> Mask:
    """Return the mask for the input of layer k."""
    if isinstance(dropout, Sequence):
        return dropout[k] if dropout else None
    if dropout is None or (isinstance(dropout, int | float) and dropout == 0):
        return None
    return Dropout(x.shape, dropout) if x.type.dtype.startswith("float") else None


def _state(prev_hiddens: Sequence[Variable | None], k: int, layer: Layer, x: Variable) -> Variable:
    """Return the previous state of layer k, with as many rows as x."""
    if k >= len(prev_hiddens) or prev_hiddens[k] is None:
        raise ValueError(
            f"forward: prev_hiddens has no state for layer {k}, a {type(layer).__name__}; "
            f"give one entry for each of the layers, None for those without a state"
        )
    return as_rows(prev_hiddens[k], x)


def _upwards(layer: Layer, activation: Variable, *seen: Variable) -> Variable:
    """Return the part of an activation that the layer above sees."""
    return layer.postprocess_activation(activation, *seen) if hasattr(layer, "postprocess_activation") else activation
