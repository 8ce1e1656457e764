"""Weights under the names and in the layout of PyTorch's modules: ``nn.LSTM``, ``nn.GRU``, ``nn.RNN``.

Where all layers are alike, they are one module, ``rnn.weight_ih_l0``, ``rnn.weight_ih_l1``, …; otherwise each is one of
its own, ``rnn.0.weight_ih_l0``, ``rnn.1.weight_ih_l0``, as of an ``nn.ModuleList``. The layout is that in the
documentation of ``torch.nn``: row blocks i, f, g, o of an LSTM; r, z, n of a GRU, whose h is ``(1 - z) n + z h``.

Legend: D passes, which are layers times directions, H units.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from lstm_cli.errors import ConfigError
from lstm_cli.export.blocks import blocks, initial
from lstm_cli.graph.plan import Direction, LayerPlan

#: The gates of each cell in the order of PyTorch's row blocks.
GATES = {
    "lstm": ("in_gate", "forget_gate", "in_gate2", "out_gate"),
    "gru": ("reset_gate", "update_gate", "candidate"),
    "rnn": ("hidden",),
}
_LEAVES = {"W": "weight", "b": "bias"}
_ACTIVATIONS = {"lstm": ("tanh",), "gru": ("tanh",), "rnn": ("tanh", "relu")}


def state_dict(layers: Sequence[LayerPlan], weights: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the arrays of a model under PyTorch's names.

    Raises
    ------
    ConfigError
        PyTorch has no such layer.
    """
    for number, layer in enumerate(layers):
        _check(number, layer)
    found: dict[str, np.ndarray] = {}
    if all(_kind(layer) == _kind(layers[0]) for layer in layers):
        found |= _module("rnn", layers, weights)
    else:
        for number, layer in enumerate(layers):
            found |= _module(f"rnn.{number}", [layer], weights)
    return found | dict(_others(weights))


def _check(number: int, layer: LayerPlan) -> None:
    """Refuse a layer that PyTorch has not."""
    cell, activation = layer.directions[0].cell.name, layer.directions[0].activation
    if cell not in GATES:
        raise ConfigError(f"--to torch: model.layers.{number}: PyTorch has no cell {cell}: export to .npz")
    for key, used in (("layer_norm", layer.directions[0].cell.normalized), ("skip", layer.skip)):
        if used:
            raise ConfigError(f"--to torch: model.layers.{number}: PyTorch's modules have no {key}: export to .npz")
    if activation not in _ACTIVATIONS[cell]:
        has = " or ".join(_ACTIVATIONS[cell])
        what = f"model.layers.{number}: the activation of PyTorch's {cell} is {has}, this one's is {activation}"
        raise ConfigError(f"--to torch: {what}: export to .npz or .onnx")


def _kind(layer: LayerPlan) -> tuple[str, int, str, int]:
    """Return what layers of one module have in common."""
    first = layer.directions[0]
    return first.cell.name, first.units, first.activation, len(layer.directions)


def _module(prefix: str, layers: Sequence[LayerPlan], weights: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the arrays of one recurrent module, and the states (D, H) that its passes start from."""
    found: dict[str, np.ndarray] = {}
    for number, layer in enumerate(layers):
        for direction in layer.directions:
            place = f"_l{number}{'_reverse' * direction.reverse}"
            parts = blocks(direction, weights, GATES[direction.cell.name])
            names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
            found |= {f"{prefix}.{name}{place}": array for name, array in zip(names, parts, strict=True)}
    directions = [direction for layer in layers for direction in layer.directions]
    if f"{directions[0].name}.initial" in weights:
        found |= {f"{prefix}.initial_{name}": array for name, array in _initial(directions, weights).items()}
    return found


def _initial(directions: Sequence[Direction], weights: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    each = [initial(direction, weights) for direction in directions]
    return {name: np.stack([states[name] for states in each]) for name in each[0]}


def _others(weights: Mapping[str, np.ndarray]) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the arrays outside the recurrent layers: embeddings, attention, output layer, whose own W it always has."""
    if "output.W" not in weights:  # tied: the only embedding is the output's W
        yield "output.weight", next(array for name, array in weights.items() if name.startswith("embedding."))
    for name, array in weights.items():
        layer, _, leaf = name.rpartition(".")
        if name.startswith("embedding."):
            yield f"{name}.weight", array
        elif not name.startswith("layers."):
            yield f"{layer}.{_LEAVES.get(leaf, leaf)}", array
