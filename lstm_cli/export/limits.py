"""What an ONNX model cannot express of a run: one table, from which the error is made that names all of it at once."""

from collections.abc import Iterator

from lstm_cli.config.fields import Section
from lstm_cli.engine.saved import SavedRun
from lstm_cli.errors import ConfigError, on_one_line
from lstm_cli.export.onnx.layers import CELLS
from lstm_cli.export.onnx.names import LENGTHS, output_names

#: The keys of a model that the graph expresses, and those that concern training alone.
MODEL_KEYS = {
    "embedding", "cell", "layers", "bidirectional", "activation", "skip", "tie_embeddings", "output_activation",
    "residual", "output", "initial_state", "pool", "size", "dropout", "recurrent_dropout", "initializer", "forget_bias",
    "layer_norm", "pretrained",
}  # fmt: skip
#: Those that no operator stands for, and why; a key of neither table is refused too where it is set.
REFUSED = {
    "crf": "a sequence of labels is scored as a whole, by algorithms of its own",
}
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
    yield from _unknown_keys("model", run.config.model)
    for number, layer in enumerate(run.config.model.layers):
        yield from _unknown_keys(f"model.layers.{number}", layer)
        if layer.cell not in CELLS:
            yield f"model.layers.{number}.cell", f"ONNX has no operator for {layer.cell}"
    names = {LENGTHS, *output_names(run.schema)}
    for column in layout.inputs:
        if column.fill not in FILLS:
            yield f"data.missing.fill.{column.name}", f"gaps cannot be filled with {column.fill}"
        if column.name in names:
            yield f"data.inputs.{column.name}", "an input or output of every ONNX model has this name"


def _unknown_keys(place: str, section: Section) -> Iterator[tuple[str, str]]:
    """Yield the keys of a section that are set and that no operator stands for."""
    for key, field in type(section).model_fields.items():
        if key not in MODEL_KEYS and getattr(section, key) not in (field.default, False):
            yield f"{place}.{key}", REFUSED.get(key, "ONNX has no operator for it")
