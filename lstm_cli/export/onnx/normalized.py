"""A pass with layer normalisation, step by step in a loop (the operator Scan), as ONNX's recurrent operators have none.

Each sum of a gate, of x and h together or of x and of h apart as the cell has them, is replaced by
``g (s - mean(s)) / sqrt(var(s) + 1e-5) + b`` over the H units (Ba, Kiros and Hinton 2016).

Legend: T time, B batch, I input, H units, G gates, S sums.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from lstm_cli.export.blocks import initial
from lstm_cli.export.onnx.graph import Graph
from lstm_cli.graph.plan import Direction

#: As in `lstm_cli.kernels.cells.norm`.
EPSILON = 1e-5

Activation = Callable[[str], str]


def normalized_pass(
    graph: Graph,
    direction: Direction,
    x: str,
    mask: str,
    starts: Sequence[str],
    weights: Mapping[str, np.ndarray],
    activation: Activation,
) -> tuple[str, str]:
    """Run a pass over x (T, B, I), with mask (T, B, 1) and the states (B, H) that it starts from.

    Returns
    -------
    h (T, B, H), anything on padding; and the final h (B, H).
    """
    cell, joint = direction.cell, weights[f"{direction.name}.W"]
    of_x = graph.constant(joint[:, : direction.inputs].T, f"{direction.name}.W", np.float32)
    of_h = graph.constant(joint[:, direction.inputs :].T, f"{direction.name}.U", np.float32)
    gain, bias = (
        graph.constant(weights[f"{direction.name}.{leaf}"].reshape(-1, direction.units), leaf, np.float32)
        for leaf in ("gain", "b")
    )
    together = (len(cell.gates) - cell.apart) * direction.units

    def step(states: list[str], given: list[str]) -> tuple[list[str], str]:
        from_x, real = given
        from_h = graph.op("MatMul", states[0], of_h)
        parts = [graph.op("Add", from_x, from_h)]
        if cell.apart:
            apart = [graph.slice(part, 1, together) for part in (from_x, from_h)]
            parts = [graph.slice(parts[0], 1, 0, together), *apart]
        sums = _normalized(graph, graph.reshape(graph.join(parts, 1), 0, len(cell.biases), direction.units))
        sums = graph.op("Add", graph.op("Mul", sums, gain), bias)
        each = graph.ops("Split", sums, outputs=len(cell.biases), axis=1)
        new = STEPS[cell.name](graph, [graph.reshape(one, 0, direction.units) for one in each], states, activation)
        kept = [graph.op("Where", real, after, before) for after, before in zip(new, states, strict=True)]
        return kept, kept[0]

    finals, h = graph.scan(step, starts, [graph.op("MatMul", x, of_x), mask], reverse=direction.reverse)
    return h, finals[0]


def _normalized(graph: Graph, sums: str) -> str:
    """Return sums (B, S, H) with mean 0 and deviation 1 over the units."""
    centred = graph.op("Sub", sums, graph.op("ReduceMean", sums, axes=[2]))
    variance = graph.op("ReduceMean", graph.op("Mul", centred, centred), axes=[2])
    deviation = graph.op("Sqrt", graph.op("Add", variance, graph.constant(EPSILON, "epsilon", np.float32)))
    return graph.op("Div", centred, deviation)


def _lstm(graph: Graph, sums: list[str], states: Sequence[str], activation: Activation) -> list[str]:
    i, f, o = (graph.op("Sigmoid", part) for part in sums[:3])
    c = graph.op("Add", graph.op("Mul", f, states[1]), graph.op("Mul", i, activation(sums[3])))
    return [graph.op("Mul", o, graph.op("Tanh", c)), c]


def _gru(graph: Graph, sums: list[str], states: Sequence[str], activation: Activation) -> list[str]:
    r, u = (graph.op("Sigmoid", part) for part in sums[:2])
    n = activation(graph.op("Add", sums[2], graph.op("Mul", r, sums[3])))
    return [graph.op("Add", n, graph.op("Mul", u, graph.op("Sub", states[0], n)))]


def _rnn(graph: Graph, sums: list[str], states: Sequence[str], activation: Activation) -> list[str]:
    return [activation(sums[0])]


#: One step of each cell, from its sums and the states before: the states after.
STEPS: dict[str, Callable[[Graph, list[str], Sequence[str], Activation], list[str]]] = {
    "lstm": _lstm,
    "gru": _gru,
    "rnn": _rnn,
}


def starts_of(graph: Graph, direction: Direction, weights: Mapping[str, np.ndarray], count: str) -> list[str]:
    """Return the states (B, H) that a pass starts from; `count` is B, as a vector of one number."""
    shape = graph.join([count, graph.constant([direction.units], "units", np.int64)], 0)
    states = initial(direction, weights)
    return [graph.op("Expand", graph.constant(states[name][np.newaxis], name, np.float32), shape) for name in states]
