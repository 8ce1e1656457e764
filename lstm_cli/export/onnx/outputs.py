"""The outputs of a network of numbers in original units, as ONNX operators.

Legend: B batch, T' steps of the network, H steps predicted at once, D numbers of each, K = H * D.
"""

from collections.abc import Sequence

import numpy as np

from lstm_cli.data import Schema
from lstm_cli.data.schema.heads import Head
from lstm_cli.export.onnx.graph import Graph
from lstm_cli.export.onnx.inputs import Inputs, constant_scale
from lstm_cli.export.onnx.names import DEVIATION, PREDICTION
from lstm_cli.export.onnx.numbers import Past, Scale, undone
from lstm_cli.graph.heads import LEAST_DEVIATION


def restored(graph: Graph, schema: Schema, inputs: Inputs, output: str) -> str:
    """Return outputs (B, T', K), or (B, K) for a target per sequence, in original units."""
    target, per_step = schema.target, schema.target.per == "step"
    steps = 0 if per_step else 1
    values = graph.reshape(graph.cast(output, np.float64), 0, steps, target.horizon, target.width)
    scale = _scale(graph, schema, inputs)
    if scale is not None:
        values = graph.op("Add", graph.op("Mul", values, scale.spread), scale.center)
    pasts = _pasts(schema, inputs)
    found = []
    for number, (part, chain) in enumerate(target.parts()):
        own = graph.slice(values, 3, part.start, part.stop) if len(target.chains) > 1 else values
        first, ahead = schema.layout.lag, target.ahead
        found.append(undone(graph, chain, own, pasts[number], first=first, ahead=ahead, horizon=target.horizon))
    shape = (0, 0, target.size) if per_step else (0, target.size)
    return graph.cast(graph.reshape(graph.join(found, 3), *shape), np.float32)


def curves(graph: Graph, head: Head, output: str) -> list[str]:
    """Return the curves (…, V) of numbers (…, C * V), in scaled units: none crosses another.

    With m the middle curve, q_m = x_m, q_{k+1} = q_k + f + softplus(x_{k+1}) above it and q_{k-1} = q_k - f -
    softplus(x_{k-1}) below it; f is the least deviation of a Gaussian, else 0.
    """
    if head.curves == 1:
        return [output]
    parts = graph.ops("Split", output, outputs=head.curves, axis=-1)
    least = graph.constant(LEAST_DEVIATION if head.gaussian else 0.0, "least", np.float32)
    found = {head.middle: parts[head.middle]}
    for sign, numbers in (("Add", range(head.middle + 1, head.curves)), ("Sub", range(head.middle - 1, -1, -1))):
        before = found[head.middle]
        for number in numbers:
            before = graph.op(sign, before, graph.op("Add", graph.op("Softplus", parts[number]), least))
            found[number] = before
    return [found[number] for number in range(head.curves)]


def named_curves(graph: Graph, head: Head, found: Sequence[str]) -> dict[str, str]:
    """Return curves in original units by the names of the outputs: the prediction, its quantiles or its deviation."""
    if head.gaussian:
        return {PREDICTION: found[0], DEVIATION: graph.op("Sub", found[1], found[0])}
    return {PREDICTION: found[head.middle], **{name: found[number] for name, number in head.names.items()}}


def _columns(schema: Schema) -> list[str]:
    """Return the inputs that are predicted; where the target is no input, that is its own name."""
    target = schema.layout.target
    return [column.name for column in schema.layout.next_columns] if target.is_next else [target.name]


def _pasts(schema: Schema, inputs: Inputs) -> list[list[Past]]:
    return [inputs.pasts.get(name, []) for name in _columns(schema)]


def _scale(graph: Graph, schema: Schema, inputs: Inputs) -> Scale | None:
    """Return the scale of the target: (D,), or (B, 1, 1, D) where each sequence has its own."""
    names = _columns(schema)
    if schema.layout.scale != "series" or not all(name in inputs.scales for name in names):
        return None if schema.target.scaling is None else constant_scale(graph, schema.target.scaling)
    parts = [inputs.scales[name] for name in names]
    center, spread = (graph.join(list(values), -1) for values in zip(*parts, strict=True))
    return Scale(graph.unsqueeze(center, 2), graph.unsqueeze(spread, 2))
