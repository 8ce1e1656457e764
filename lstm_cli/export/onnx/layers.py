"""The recurrent layers and what follows them, as ONNX operators.

Legend: T time, B batch, I input, H units, K outputs, D directions.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np

from lstm_cli.export.blocks import blocks, initial
from lstm_cli.export.onnx.graph import Graph
from lstm_cli.export.onnx.normalized import normalized_pass, starts_of
from lstm_cli.graph.plan import LayerPlan

Weights = Mapping[str, np.ndarray]


class Operator(NamedTuple):
    """The operator of a cell: its gates in the order of its row blocks, and how many activations come with each pass.

    Attributes
    ----------
    kind
        The operator.
    gates
        In the order of its row blocks.
    activations
        Of each pass, with None for the one that a layer chooses.
    """

    kind: str
    gates: tuple[str, ...]
    activations: tuple[str | None, ...]


#: ONNX's LSTM has the row blocks i, o, f, c; its GRU z, r, h, and the new state (1 - z) n + z h.
CELLS = {
    "lstm": Operator("LSTM", ("in_gate", "out_gate", "forget_gate", "in_gate2"), ("Sigmoid", None, "Tanh")),
    "gru": Operator("GRU", ("update_gate", "reset_gate", "candidate"), ("Sigmoid", None)),
    "rnn": Operator("RNN", ("hidden",), (None,)),
}
#: The activations inside these operators. ONNX names none that leaves x as it is: Affine is alpha x + beta.
_INSIDE = {"tanh": "Tanh", "linear": "Affine", "relu": "Relu", "sigmoid": "Sigmoid", "softsign": "Softsign"}


class Sequences(NamedTuple):
    """What the layers know of the sequences of a batch: lengths (B,) int32, and mask (T, B, 1), true at real steps."""

    lengths: str
    mask: str


class Outputs(NamedTuple):
    """The outputs of a layer: h (T, B, D * H), 0 on padding, and the final h (B, D * H) of every sequence."""

    h: str
    last: str


def recurrent(graph: Graph, layer: LayerPlan, x: str, sequences: Sequences, weights: Weights) -> Outputs:
    """Run a layer over its input x (T, B, I)."""
    run = _by_steps if f"{layer.name}.gain" in weights else _by_operator  # with layer normalisation, or without
    h, last = run(graph, layer, x, sequences, weights)
    if layer.skip:
        h, last = graph.op("Add", h, x), graph.op("Add", last, _ends(graph, layer, x, sequences))
    return Outputs(masked(graph, h, sequences), last)


def _by_steps(graph: Graph, layer: LayerPlan, x: str, sequences: Sequences, weights: Weights) -> Outputs:
    count, own = graph.op("Shape", sequences.lengths), layer.directions[0].activation

    def activation(value: str) -> str:
        return activated(graph, own, value)

    passes = [
        normalized_pass(graph, each, x, sequences.mask, starts_of(graph, each, weights, count), weights, activation)
        for each in layer.directions
    ]
    return Outputs(graph.join([h for h, _ in passes], 2), graph.join([last for _, last in passes], 1))


def _by_operator(graph: Graph, layer: LayerPlan, x: str, sequences: Sequences, weights: Weights) -> Outputs:
    first = layer.directions[0]
    operator = CELLS[first.cell.name]
    parts = [blocks(direction, weights, operator.gates) for direction in layer.directions]
    W, U, b = (
        graph.constant(np.stack(arrays), f"{layer.name}.{name}", np.float32)
        for name, arrays in (
            ("W", [part.W for part in parts]),
            ("U", [part.U for part in parts]),
            ("b", [np.concatenate([part.b_x, part.b_h]) for part in parts]),
        )
    )
    starts = [initial(direction, weights) for direction in layer.directions]
    states = [_start(graph, [start[name] for start in starts], sequences.lengths) for name in first.cell.states]
    count = len(layer.directions)
    own = _INSIDE[first.activation]
    attributes: dict[str, Any] = {
        "hidden_size": first.units,
        "direction": "bidirectional" if count > 1 else "reverse" if first.reverse else "forward",
        "activations": [own if name is None else name for name in operator.activations] * count,
    }
    if own == "Affine":
        attributes |= {"activation_alpha": [1.0] * count, "activation_beta": [0.0] * count}
    if operator.kind == "GRU":
        attributes["linear_before_reset"] = 1  # the reset gate multiplies the product, as in cuDNN
    h, last = graph.ops(operator.kind, x, W, U, b, sequences.lengths, *states, outputs=2, **attributes)
    width = layer.outputs
    h = graph.reshape(graph.op("Transpose", h, perm=[0, 2, 1, 3]), 0, 0, width)
    return Outputs(h, graph.reshape(graph.op("Transpose", last, perm=[1, 0, 2]), 0, width))


def _ends(graph: Graph, layer: LayerPlan, x: str, sequences: Sequences) -> str:
    """Return x (T, B, D * H) where each direction ends (B, D * H): at the last real step, or at the first."""
    places = graph.places(x, 0)
    final = graph.op("Sub", graph.cast(sequences.lengths, np.int64), graph.constant(1, "one", np.int64))
    here = graph.unsqueeze(graph.op("Equal", graph.unsqueeze(places, 1), graph.unsqueeze(final, 0)), 2)
    at_end = graph.reduce_sum(graph.op("Where", here, x, graph.constant(0, "value", np.float32)), 0)
    at_start = graph.op("Squeeze", graph.slice(x, 0, 0, 1), graph.constant([0], "axes", np.int64))
    stops = np.cumsum([direction.units for direction in layer.directions]).tolist()
    parts = [
        graph.slice(at_start if direction.reverse else at_end, 1, stop - direction.units, stop)
        for direction, stop in zip(layer.directions, stops, strict=True)
    ]
    return graph.join(parts, 1)


def _start(graph: Graph, states: Sequence[np.ndarray], lengths: str) -> str:
    """Return the state (D, B, H) that all sequences start from, of each direction's (H,)."""
    one = graph.constant(np.stack(states)[:, np.newaxis], "initial", np.float32)
    count = graph.op("Shape", lengths)
    shape = graph.join([graph.constant([1], "one", np.int64), count, graph.constant([1], "one", np.int64)], 0)
    return graph.op("Expand", one, shape)


def masked(graph: Graph, x: str, sequences: Sequences, value: float = 0.0) -> str:
    """Return x (T, B, …) with another value on padding."""
    return graph.op("Where", sequences.mask, x, graph.constant(value, "value", np.float32))


def pooled(
    graph: Graph, how: Literal["last", "mean", "max", "attention"], top: Outputs, sequences: Sequences, weights: Weights
) -> str:
    """Return one vector (B, H) for each sequence."""
    match how:
        case "last":
            return top.last
        case "mean":
            count = graph.unsqueeze(graph.cast(sequences.lengths, np.float32), 1)
            return graph.op("Div", graph.reduce_sum(top.h, 0), count)
        case "max":
            return graph.op("ReduceMax", masked(graph, top.h, sequences, -np.inf), axes=[0], keepdims=0)
        case "attention":
            scores = masked(graph, dense(graph, "attention", top.h, weights), sequences, -np.inf)
            return graph.reduce_sum(graph.op("Mul", top.h, graph.op("Softmax", scores, axis=0)), 0)


def dense(graph: Graph, name: str, x: str, weights: Weights) -> str:
    """Return W x + b (…, K) of x (…, H)."""
    W = graph.constant(weights[f"{name}.W"].T, f"{name}.W", np.float32)
    b = graph.constant(weights[f"{name}.b"], f"{name}.b", np.float32)
    return graph.op("Add", graph.op("MatMul", x, W), b)


def activated(graph: Graph, name: str, x: str) -> str:
    """Apply an activation by its name in the config."""
    return x if name == "linear" else graph.op(_INSIDE[name], x)
