"""An ONNX model of a run: raw columns and lengths in, probabilities or predictions in original units out.

Legend: B batch, T steps, L those that transforms remove at the start, K outputs.
"""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np

from lstm_cli.data import Schema
from lstm_cli.engine.saved import SavedRun
from lstm_cli.errors import ConfigError
from lstm_cli.export.arrays import described
from lstm_cli.export.limits import check_onnx
from lstm_cli.export.onnx.graph import Graph
from lstm_cli.export.onnx.inputs import Inputs, read_inputs
from lstm_cli.export.onnx.layers import Sequences, activated, dense, pooled, recurrent
from lstm_cli.export.onnx.names import PROBABILITIES, output_name
from lstm_cli.export.onnx.outputs import curves, named_curves, restored
from lstm_cli.export.planned import planned_layers


def onnx_model(run: SavedRun) -> tuple[bytes, list[str]]:
    """Return the model of a run as the content of a file, and a line for each of its inputs and outputs.

    Raises
    ------
    ConfigError
        The package onnx is missing, or the run has what ONNX cannot express.
    """
    check_onnx(run)
    try:
        graph = Graph()
    except ModuleNotFoundError as error:
        if error.name != "onnx":
            raise
        raise ConfigError("to write ONNX needs the package onnx: pip install 'lstm-cli[onnx]'") from None
    inputs = read_inputs(graph, run.schema)
    positions = ["batch", "steps"] if run.schema.target.per == "step" else ["batch"]
    for column, schema, output in _columns(graph, run.schema, _network(graph, run, inputs)):
        for kind, values in _outputs(graph, run, schema, inputs, output).items():
            aligned = _aligned(graph, schema, inputs, values) if schema.target.per == "step" else values
            graph.output(aligned, output_name(kind, column), np.float32, [*positions, schema.target.size])
    model = graph.model(metadata(run), f"Written by lstm-cli from the run {run.folder.name}")
    return model.SerializeToString(), _lines(model)


def _network(graph: Graph, run: SavedRun, inputs: Inputs) -> str:
    """Return the outputs of the last layer: (B, T, K), or (B, K) for a target per sequence."""
    spec, weights, schema = run.config.model, run.state.model, run.schema
    parts = [] if inputs.numbers is None else [inputs.numbers]
    for name, indices in inputs.tokens.items():
        table = graph.constant(weights[f"embedding.{name}"], f"embedding.{name}", np.float32)
        parts.append(graph.op("Gather", table, indices))
    x = graph.op("Transpose", graph.join(parts, 2), perm=[1, 0, 2])
    mask = graph.op("Transpose", inputs.real, perm=[1, 0, 2])
    sequences = Sequences(graph.cast(inputs.lengths, np.int32), mask)
    for layer in planned_layers(run):
        top = recurrent(graph, layer, x, sequences, weights)
        x = top.h
    per_step = schema.target.per == "step"
    features = (
        graph.op("Transpose", top.h, perm=[1, 0, 2]) if per_step else pooled(graph, spec.pool, top, sequences, weights)
    )
    if spec.tie_embeddings:
        (name,) = inputs.tokens
        weights = {**weights, "output.W": weights[f"embedding.{name}"]}
    return dense(graph, "output", features, weights)


def _columns(graph: Graph, schema: Schema, output: str) -> Iterator[tuple[str, Schema, str]]:
    """Yield each target column, the schema with it as the only target, and its outputs; a single one under no name."""
    if not schema.parts:
        yield "", schema, output
        return
    for (name, own), part in zip(schema.target.parts_of_outputs.items(), schema.parts, strict=True):
        yield name, part, graph.slice(output, -1, own.start, own.stop)


def _outputs(graph: Graph, run: SavedRun, schema: Schema, inputs: Inputs, output: str) -> dict[str, str]:
    """Return what the outputs of one target column stand for, by name: (B, T, K), or (B, K) for one per sequence."""
    match schema.target.kind:
        case "category":
            return {PROBABILITIES: graph.op("Softmax", output, axis=-1)}
        case "set":
            return {PROBABILITIES: graph.op("Sigmoid", output)}
    spec = run.config.model
    activation, added = spec.output_activation or "linear", inputs.numbers if spec.residual else None
    found = []
    for curve in curves(graph, schema.target.head, output):
        values = activated(graph, activation, curve)
        values = values if added is None else graph.op("Add", values, added)
        found.append(restored(graph, schema, inputs, values))
    return named_curves(graph, schema.target.head, found)


def _aligned(graph: Graph, schema: Schema, inputs: Inputs, output: str) -> str:
    """Return outputs (B, T, K) with an entry for each step that is given: NaN at the first L, 0 on padding."""
    output = graph.op("Where", inputs.real, output, graph.constant(0, "number", np.float32))
    if not schema.layout.lag:
        return output
    before = graph.constant(np.array([0, schema.layout.lag, 0, 0, 0, 0]), "before", np.int64)
    return graph.op("Pad", output, before, graph.constant(np.nan, "number", np.float32))


def metadata(run: SavedRun) -> dict[str, str]:
    """Return what describes a model: each key with a JSON text."""
    schema = run.schema
    targets = {name: part.target for name, part in schema.columns.items()}
    by_column: dict[str, dict[str, Any]] = {
        "columns": {name: target.output_columns for name, target in targets.items() if target.kind == "number"},
        "labels": {name: target.labels for name, target in targets.items() if target.labels is not None},
    }
    found: dict[str, Any] = {key: own if schema.parts else own[""] for key, own in by_column.items() if own}
    found |= {f"vocabulary.{name}": vocabulary.tokens for name, vocabulary in schema.tokens.items()}
    found |= {f"labels.{name}": labels.names for name, labels in schema.sets.items()}
    texts = described(run)
    return {name: json.dumps(value) for name, value in found.items()} | {
        name: texts[name] for name in ("schema", "scaling", "config")
    }


def _lines(model: Any) -> list[str]:
    """Return a line for each input and output: its name, sizes and type."""
    from onnx import helper

    lines = []
    for what, values in (("input", model.graph.input), ("output", model.graph.output)):
        for value in values:
            kind = value.type.tensor_type
            sizes = [size.dim_param or str(size.dim_value) for size in kind.shape.dim]
            dtype = helper.tensor_dtype_to_np_dtype(kind.elem_type)
            lines.append(f"{what} {value.name} ({', '.join(sizes)}) {dtype}")
    return lines
