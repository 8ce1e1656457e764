"""The schema as files of a run folder: everything that prediction needs from the training data, as JSON.

vocabulary.json holds tokens and labels, scaling.json centers and spreads, and the means of filled inputs, schema.json
the columns and the target.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from lstm_cli.config.config import Config
from lstm_cli.data.schema.fitted_json import scales_from_json, scales_to_json, words_from_json, words_to_json
from lstm_cli.data.schema.heads import VALUES, head_of
from lstm_cli.data.schema.layout_json import layout_from_json, layout_to_json
from lstm_cli.data.schema.schema import Schema
from lstm_cli.data.schema.target import Target
from lstm_cli.errors import CheckpointError
from lstm_cli.plain_files import read_own
from lstm_cli.typed_json import WrongValue, expected, shown

#: Increased when files of an older version can no longer be read unchanged.
VERSION = 1

#: The precision of data whose files do not name one; once the precision of all data, whatever the config's.
_PRECISION = "float32"

_COPY = "copy it again from where the run was trained"

VOCABULARY, SCALING, COLUMNS = FILES = ("vocabulary.json", "scaling.json", "schema.json")


def contents(schema: Schema) -> dict[str, bytes]:
    """Return a schema's files by name."""
    columns = {"version": VERSION, **layout_to_json(schema.layout)}
    if schema.precision != _PRECISION:
        columns["precision"] = schema.precision
    files = {VOCABULARY: words_to_json(schema), SCALING: scales_to_json(schema), COLUMNS: columns}
    texts = {name: json.dumps(content, ensure_ascii=False, indent=1) + "\n" for name, content in files.items()}
    # JSON data can contain lone surrogates.
    return {name: text.encode("utf-8", "surrogatepass") for name, text in texts.items()}


def checked_contents(schema: Schema, config: Config) -> dict[str, bytes]:
    """Return a schema's files after reading them as prediction will: no run begins that would be refused later."""
    files = contents(schema)
    try:
        schema_of(files, Path(), config)
    except CheckpointError as error:
        raise RuntimeError(f"the schema of this data could not be read again: {error}") from None
    return files


def load_schema(folder: Path, config: Config | None = None) -> Schema:
    """Return the schema whose files are in a folder, of the run of a config if that is given.

    Raises
    ------
    CheckpointError
        A file is missing, damaged, of another version or of another run.
    """
    return schema_of({name: _read(folder / name) for name in FILES}, folder, config)


def schema_of(files: Mapping[str, bytes], folder: Path, config: Config | None = None) -> Schema:
    """Return the schema of files that were read already; `folder` is for messages. Raises as `load_schema`."""
    vocabulary, scaling, columns = (_parsed(files[name], folder / name) for name in FILES)
    version, precision = columns.pop("version", None), columns.pop("precision", _PRECISION)
    if type(version) is int and version > VERSION:
        raise CheckpointError(
            f"{folder / COLUMNS}: version {shown(version)}, but this program reads version {VERSION}: "
            f"use the version of lstm-cli that wrote it"
        )
    with _damage(folder / COLUMNS):
        if version != VERSION or type(version) is not int:
            raise expected(str(VERSION), version).within("version")
        if precision not in ("float32", "float64"):
            raise expected("float32 or float64", precision).within("precision")
        if config is not None:
            _check_names(config, columns)
        layout = layout_from_json(columns)
    with _damage(folder / VOCABULARY):
        words = words_from_json(vocabulary, layout)
    with _damage(folder / SCALING):
        scales = scales_from_json(scaling, layout)
    schema = Schema.assemble(
        layout,
        tokens=words.tokens,
        sets=words.sets,
        scaling=scales.scaling,
        of_targets=list(zip(words.labels, scales.own, strict=True)),
        precision=precision,
        means=scales.means,
    )
    with _damage(folder / VOCABULARY):
        for weights, own in zip(words.class_weights, schema.columns.values(), strict=True):
            _check_class_weights(weights, own, config)
    weights_of = iter(words.class_weights)

    def with_loss(target: Target) -> Target:
        head = VALUES if config is None else head_of(target.kind, config.loss)
        return replace(target, head=head, class_weights=next(weights_of))

    return schema.with_each_target(with_loss)


def _check_class_weights(weights: Sequence[float] | None, schema: Schema, config: Config | None) -> None:
    """Refuse weights of other labels than those of the target column, or of a run whose config has none."""
    count = None if weights is None else len(weights)
    given = count is not None if config is None else config.loss.class_weight is not None
    labels = len(schema.target.labels or ()) if given and schema.target.kind == "category" else None
    if count != labels:
        raise expected("null" if labels is None else f"{labels} weights", count).within("class_weights")


def _check_names(config: Config, columns: Mapping[str, Any]) -> None:
    """Refuse inputs other than those of the config, before anything is made of them."""
    given, named, parts = columns.get("inputs"), [*config.data.inputs], config.data.calendar
    if type(given) is not list or len(given) != (len(named) or 1) + len(parts):
        raise expected(f"the {(len(named) or 1) + len(parts)} inputs of the config", given).within("inputs")
    for number, (name, column) in enumerate(zip(named, given, strict=False)):
        found = column.get("name") if isinstance(column, dict) else column
        if found != name:
            raise expected("the name in the config", found).within("name").within(number).within("inputs")


@contextmanager
def _damage(path: Path) -> Iterator[None]:
    """Turn a wrong value into the error that names the file and its key."""
    try:
        yield
    except WrongValue as error:
        what = f"damaged: {error}: {', '.join(FILES)} do not fit together"
        raise CheckpointError(f"{path}: {what}: copy them again from where the run was trained") from None


def _read(path: Path) -> bytes:
    try:
        return read_own(path)
    except FileNotFoundError:
        raise CheckpointError(f"{path}: missing: is {path.parent} a run folder?") from None
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read ({error.strerror}): {_COPY}") from None


def _parsed(data: bytes, path: Path) -> Any:
    try:
        content = json.loads(data.decode("utf-8", "surrogatepass"))
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{path}: cannot be read ({error}): {_COPY}") from None
    if not isinstance(content, dict):
        raise CheckpointError(f"{path}: expected an object, got {type(content).__name__}: copy it again")
    return content
