"""What several of these tests share."""

import numpy as np
import pytensor
import pytensor.tensor as pt

from lstm_cli.ops.mode import python_mode


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


def steps(layer, x, lengths, states, *, mask=None, reverse=False):
    """Return what `layer.sequence` should: a loop of `activate`, rolled out; states is the layer's own (B, S)."""
    order = range(x.type.shape[0])
    outputs = {}
    for t in reversed(order) if reverse else order:
        running = (lengths > t)[:, None]
        states = pt.switch(running, layer.activate(x[t], states, mask), states)
        seen = layer.postprocess_activation(states) if hasattr(layer, "postprocess_activation") else states
        outputs[t] = pt.switch(running, seen, 0.0)
    return pt.stack([outputs[t] for t in order]), states
