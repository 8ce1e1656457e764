"""The parts of a description of a run, as plain values."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from lstm_cli.config.model import ModelSpec
from lstm_cli.data import Schema
from lstm_cli.data.schema.layout import Column
from lstm_cli.errors import counted
from lstm_cli.insight.run_record import RunRecord, Saved


def layer_of(name: str) -> str:
    """Return the layer that an array of weights belongs to: ``layers.0`` of ``layers.0.W``."""
    first, _, rest = name.partition(".")
    if first == "embedding":
        return name
    return f"layers.{rest.partition('.')[0]}" if first == "layers" else first


def layer_text(layer: str, spec: ModelSpec, shapes: Mapping[str, Sequence[int]]) -> str:
    """Return what a layer is, in words."""
    first, _, rest = layer.partition(".")
    if first == "embedding":
        count, width = (*shapes[layer], 0, 0)[:2]
        return f"{counted(count, 'token')} to {counted(width, 'number')}"
    if first != "layers" or not rest.isdecimal() or int(rest) >= len(spec.layers):
        known = {"output": _output(shapes), "attention": "weights of the steps", "crf": "from label to label"}
        return known.get(first, "")
    own = spec.layers[int(rest)]
    words = f"{(own.cell or spec.cell).upper()} of {counted(own.size, 'unit')}"
    words += ", in both directions" if own.bidirectional else ""
    words += f", {own.activation}" if own.activation not in (None, "tanh") else ""
    words += ", normalised" if own.layer_norm else ""
    words += ", plus its input" if own.skip else ""
    words += f", dropout {own.dropout:g}" if own.dropout else ""
    return words + (f", recurrent dropout {own.recurrent_dropout:g}" if own.recurrent_dropout else "")


def _output(shapes: Mapping[str, Sequence[int]]) -> str:
    """Return the size of the output layer: that of its bias."""
    sizes = [shape[0] for name, shape in shapes.items() if name.startswith("output.") and len(shape) == 1]
    return counted(sizes[0], "output") if sizes else ""


def inputs_of(schema: Schema) -> Iterator[dict[str, Any]]:
    """Yield what each input column is, without what does not apply."""
    for column in schema.layout.inputs:
        found: dict[str, Any] = {"name": column.name, "kind": column.kind, **_specials(column)}
        if column.kind == "number":
            found["width"] = column.width
            if (scaling := schema.scaling.get(column.name)) is not None:
                found |= {"center": scaling.center.tolist(), "spread": scaling.spread.tolist()}
        elif column.kind == "tokens" and column.name in schema.tokens:
            found["vocabulary"] = len(schema.tokens[column.name]) - 1  # the first is the unknown token
        elif column.name in schema.sets:
            found["labels"] = len(schema.sets[column.name])
        yield found


def _specials(column: Column) -> dict[str, Any]:
    """Return what the config says of a column beyond its kind."""
    found = {
        "of": column.source if column.source != column.name else None,
        "unit": column.unit,
        "transform": [str(step) for step in _steps(column)] or None,
        "fill": column.fill if column.fill != "stop" else None,
        "static": column.static or None,
        "known": column.known or None,
        "indicator": column.indicator or None,
    }
    return {name: value for name, value in found.items() if value is not None}


def _steps(column: Any) -> list[str]:
    """Return the transforms of a column as the config writes them."""
    transforms = column.chain.transforms
    return [step.name if step.lag <= 1 else f"seasonal_difference({step.lag})" for step in transforms]


def target_of(schema: Schema) -> dict[str, Any]:
    """Return what is predicted, without what does not apply."""
    target, column = schema.target, schema.layout.target
    found: dict[str, Any] = {
        "column": column.column,
        "next": target.is_next or None,
        "kind": target.kind,
        "per": target.per,
        "ahead": target.ahead or None,
        "horizon": target.horizon if target.horizon > 1 else None,
        "columns": list(dict.fromkeys(target.output_columns)) or None,
        "transform": _steps(column) or None,
        "size": target.size,
        "labels": None if target.labels is None else list(target.labels),
        "targets": {name: target_of(part) for name, part in schema.columns.items() if name} or None,
    }
    return {name: value for name, value in found.items() if value is not None}


def data_of(record: RunRecord, schema: Schema | None, saved: Saved | None) -> dict[str, Any]:
    """Return how data is read, and the digests of the data that the model was made with."""
    spec = record.config.data
    found: dict[str, Any] = {name: getattr(spec, name) for name in ("train", "valid", "test", "fold")}
    found = {
        name: str(value) if not isinstance(value, list | int | float | None) else value for name, value in found.items()
    }
    if schema is not None:
        found["format"] = schema.layout.format
    found |= {"id": list(spec.id), "time": spec.time, "scale": spec.scale, "window": spec.window}
    digests = saved.identity.get("data") if saved is not None else None
    found["digests"] = {str(name): str(digest) for name, digest in _mapping(digests).items()}
    return {name: value for name, value in found.items() if value is not None}


def provenance_of(record: RunRecord, saved: Saved | None) -> dict[str, Any]:
    """Return when, where and by what a run was made, of what its folder says."""
    environment = record.environment
    identity: Mapping[str, Any] = {} if saved is None else saved.identity
    found = {
        "started": environment.started or None,
        "command": shlex.join(environment.command) or None,
        "config": environment.config.get("path"),
        "folder": environment.config.get("folder"),
        "weights from": environment.imported or record.config.train.init_from,
        "seed": record.config.seed,
        "versions": environment.versions or _texts(identity.get("versions")),
        "machine": {**environment.machine, **_texts(identity.get("machine"))},
    }
    return {name: value for name, value in found.items() if value not in (None, {})}


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _texts(value: Any) -> dict[str, str]:
    return {str(name): str(one) for name, one in _mapping(value).items()}


def size_of(path: Path) -> int:
    """Return the bytes of a file, or of a folder with all that is in it; links are not followed."""
    with suppress(OSError):
        if path.is_dir() and not path.is_symlink():
            return sum(size_of(inner) for inner in path.iterdir())
        return path.lstat().st_size
    return 0
