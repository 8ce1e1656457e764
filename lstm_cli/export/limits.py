"""What an ONNX model cannot express of a run: one table, from which the error is made that names all of it at once."""

from collections.abc import Iterator

from lstm_cli.engine.saved import SavedRun
from lstm_cli.errors import ConfigError, on_one_line
from lstm_cli.export.onnx.layers import CELLS
from lstm_cli.export.onnx.names import LENGTHS, output_name

#: How missing numbers can be filled in a graph without a loop over steps.
FILLS = ("stop", "mean", "zero")


def check_onnx(run: SavedRun) -> None:
    """Raise the `ConfigError` that names everything of a run that an ONNX model cannot express."""
    found = [f"{key}: {why}" for key, why in _limits(run)]
    if found:
        fix = "export to .npz or .safetensors, or use lstm-predict"
        raise ConfigError("\n".join(f"{on_one_line(run.folder)}: not as ONNX: {one}: {fix}" for one in found))


def _limits(run: SavedRun) -> Iterator[tuple[str, str]]:
    layout = run.schema.layout
    if layout.closed_loop is not None:
        yield "rollout.dynamics", "the model drives a system, which is code of its own"
    if layout.scale == "window":
        yield "data.scale", "each step has a scaling of its own with window"
    for number, layer in enumerate(run.config.model.layers):
        if layer.cell not in CELLS:
            yield f"model.layers.{number}.cell", f"ONNX has no operator for {layer.cell}"
    for column in layout.inputs:
        if column.fill not in FILLS:
            yield f"data.missing.fill.{column.name}", f"gaps cannot be filled with {column.fill}"
        if column.name in (LENGTHS, output_name(run.schema.target)):
            yield f"data.inputs.{column.name}", "an input or output of every ONNX model has this name"
