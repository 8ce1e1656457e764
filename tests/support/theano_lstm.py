"""Helpers of the tests of the API of theano-lstm."""

import numpy as np
import pytensor
import pytensor.tensor as pt

from lstm_cli import GRU, LSTM, RNN
from lstm_cli.ops.mode import python_mode

LAYERS = {"lstm": LSTM, "gru": GRU, "rnn": RNN}


def evaluate(outputs, values=None):
    """Return the values of variables, given those of their inputs, without optimizing the graph."""
    values = values or {}
    return pytensor.function(list(values), outputs, mode=python_mode())(*values.values())


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def randomize(params, seed=0):
    """Give parameters values of ordinary size."""
    rng = np.random.default_rng(seed)
    for param in params:
        param.set_value(rng.normal(scale=0.5, size=param.get_value().shape))


def on_joined_weights(cell, W, b, *, units, inputs, activation):
    """Return a layer that steps with weights laid out as the Op takes them, its gates on blocks of H rows."""
    layer = LAYERS[cell](inputs, units, activation, **({"reset_after": True} if cell == "gru" else {}))
    blocks = [slice(k * units, (k + 1) * units) for k in range(4)]
    for gate, block in zip(_gates(layer), blocks, strict=False):
        gate.linear_matrix, gate.bias_matrix = W[block], b[block]
    if cell == "gru":
        layer.hidden_bias = b[blocks[3]]
    return layer


def _gates(layer):
    """Return the parts of a layer in the order of the Op's blocks: i, f, o, z; r, u, n; the layer itself."""
    if isinstance(layer, LSTM):
        return layer.in_gate, layer.forget_gate, layer.out_gate, layer.in_gate2
    return layer.internal_layers if isinstance(layer, GRU) else [layer]


def steps(layer, x, lengths, states, *, mask=None, reverse=False):
    """Return what `layer.sequence` should: a loop of `activate`, unrolled; states is the layer's own (B, S)."""
    order = range(x.type.shape[0])
    outputs = {}
    for t in reversed(order) if reverse else order:
        running = (lengths > t)[:, None]
        states = pt.switch(running, layer.activate(x[t], states, mask), states)
        seen = layer.postprocess_activation(states) if hasattr(layer, "postprocess_activation") else states
        outputs[t] = pt.switch(running, seen, 0.0)
    return pt.stack([outputs[t] for t in order]), states
