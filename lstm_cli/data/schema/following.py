"""A schema that continues that of another run, so that the run's weights keep their meaning.

Tokens and labels of the run keep their indices, and new ones are appended; numbers are scaled as they were in the run.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from lstm_cli.config.config import Config
from lstm_cli.data.schema.fitting import fit
from lstm_cli.data.schema.layout import Column, Layout
from lstm_cli.data.schema.preprocessing import Scaling
from lstm_cli.data.schema.record import Record
from lstm_cli.data.schema.schema import Schema
from lstm_cli.data.schema.storage import load_schema
from lstm_cli.data.schema.vocabulary import Labels
from lstm_cli.errors import are, brief, counted, listed

_SHOWN = 5  # new tokens or labels in a note


@dataclass(frozen=True, eq=False)
class Base:
    """The schema that the one of new data continues.

    Attributes
    ----------
    schema
        That of the other run.
    scale
        Its ``data.scale``.
    name
        What notes call the run; None: it is the run itself, opened again, of which there is nothing to say.
    """

    schema: Schema
    scale: str
    name: str | None = None

    @classmethod
    def of_itself(cls, folder: Path, config: Config) -> "Base | None":
        """Return what the data of a run is read by when the run is opened again: its own schema, if it had a base."""
        return None if config.train.init_from is None else cls(load_schema(folder, config), config.data.scale)


def paired_inputs(layout: Layout, base: Layout) -> dict[str, str]:
    """Return for each input the one of another layout that it continues, by their names.

    Inputs are paired by name and kind. Where no two have the same name, but kinds and widths agree one by one, they are
    paired in their order.
    """
    kinds = {column.name: column.kind for column in base.inputs}
    named = {column.name: column.name for column in layout.inputs if kinds.get(column.name) == column.kind}
    if not named and list(map(_form, layout.inputs)) == list(map(_form, base.inputs)):
        return {own.name: other.name for own, other in zip(layout.inputs, base.inputs, strict=True)}
    return named


def paired_targets(schema: Schema, base: Schema) -> list[tuple[Schema, Schema | None]]:
    """Return the schema with each target column as its only one, and that of the run for the column that it continues.

    Columns are paired by name; where both have a single one, that is paired with the other, whatever it is called.
    """
    own, others = schema.parts or (schema,), base.parts or (base,)
    if not schema.parts and not base.parts:
        return [(schema, base)]
    named = {part.layout.target.name: part for part in others}
    return [(part, named.get(part.layout.target.name)) for part in own]


def _form(column: Column) -> tuple[str, int, bool]:
    return column.kind, column.width, column.indicator


def fit_following(
    config: Config, layout: Layout, records: Sequence[Record], precision: str, base: Base | None, notes: list[str]
) -> Schema:
    """Return the schema fitted to training records, as the continuation of the base where there is one.

    What a user should know of the continuation is added to the notes.
    """
    scale = config.data.scale
    own = fit(layout, records, scale=scale, precision=precision)
    if base is None:
        return own
    schema = followed(own, base, scale)
    notes += notes_on_base(own, schema, base, scale)
    return schema


def followed(schema: Schema, base: Base, scale: str) -> Schema:
    """Return a schema that was fitted to new data, as the continuation of another one; `scale` is its ``data.scale``.

    The scaling of a column of numbers is that of the run's column of the same name, if it has the same transforms and
    ``data.scale`` is the same.
    """
    other, pairs = base.schema, paired_inputs(schema.layout, base.schema.layout)
    scaling = schema.scaling | _kept_scaling(schema, base, scale)
    return Schema.assemble(
        schema.layout,
        tokens={
            name: vocabulary.following(other.tokens[pairs[name]]) if name in pairs else vocabulary
            for name, vocabulary in schema.tokens.items()
        },
        sets={
            name: labels.following(other.sets[pairs[name]]) if name in pairs else labels
            for name, labels in schema.sets.items()
        },
        scaling=scaling,
        of_targets=[
            (_labels(own, its), _own_scaling(own, its, scaling, alike=scale == base.scale))
            for own, its in paired_targets(schema, other)
        ],
        precision=schema.precision,
        means=schema.means,
    )


def _kept_scaling(schema: Schema, base: Base, scale: str) -> dict[str, Scaling]:
    """Return the scaling of the inputs that are scaled as in the run."""
    columns = {column.name: column for column in base.schema.layout.inputs}
    kept = {}
    for column in schema.layout.inputs:
        other = columns.get(column.name)
        if other is None or (column.kind, column.width, column.chain) != (other.kind, other.width, other.chain):
            continue
        if column.kind == "number" and scale == base.scale:
            kept[column.name] = base.schema.scaling[column.name]
    return kept


def _labels(schema: Schema, other: Schema | None) -> Labels | None:
    """Return the labels of a target column; those of the run first, if the two have any in common."""
    if schema.labels is None or other is None or other.labels is None or schema.target.kind != other.target.kind:
        return schema.labels
    return schema.labels.following(other.labels)


def _own_scaling(schema: Schema, other: Schema | None, scaling: dict[str, Scaling], *, alike: bool) -> Scaling | None:
    """Return the scaling of a target column of numbers: that of the input of the same name, or as in the run.

    Parameters
    ----------
    schema, other
        With this column as the only target: of the new data, and of the run.
    scaling
        Of the inputs.
    alike
        Both have the same ``data.scale``.
    """
    target, own = schema.layout.target, schema.target.scaling
    if own is None or target.is_next:
        return None
    if schema.layout.closed_loop is not None:
        return scaling[schema.layout.inputs[0].name].part(schema.layout.closed_loop.elements)
    if target.name in scaling:
        return scaling[target.name]
    its = None if other is None else other.layout.target
    same = its is not None and (target.name, target.width, target.chain) == (its.name, its.width, its.chain)
    return other.target.scaling if other is not None and same and alike else own


def notes_on_base(own: Schema, schema: Schema, base: Base, scale: str) -> Iterator[str]:
    """Yield what a user should know of the vocabularies and scaling that continue those of a run.

    Parameters
    ----------
    own, schema
        As fitted to the data, and as its continuation of the run's.
    base, scale
        As for `followed`.
    """
    if base.name is None:
        return
    run, pairs = brief(base.name), paired_inputs(schema.layout, base.schema.layout)
    for name, vocabulary in own.tokens.items():
        known: tuple[object, ...] = base.schema.tokens[pairs[name]].tokens[1:] if name in pairs else ()
        yield _comparison(brief(name), "token", vocabulary.tokens[1:], known, run)
    for name, labels in own.sets.items():
        known = base.schema.sets[pairs[name]].names if name in pairs else ()
        yield _comparison(brief(name), "label", labels.names, known, run)
    for part, its in paired_targets(own, base.schema):
        if part.labels is not None:
            known = () if its is None or its.labels is None else its.labels.names
            yield _comparison(brief(part.layout.target.name), "label", part.labels.names, known, run)
    numbers = [column.name for column in own.layout.inputs if column.kind == "number" and column.calendar is None]
    kept = _kept_scaling(own, base, scale)
    if scaled := [name for name in numbers if name in kept]:
        yield f"{listed(scaled)}: scaled as in {run}"
    if anew := [name for name in numbers if name not in kept and name in base.schema.scaling]:
        why = f"data.scale is {base.scale} there" if scale != base.scale else "width or transform differ"
        yield f"{listed(anew)}: scaled by the new data, not as in {run}: {why}"


def _comparison(name: str, noun: str, own: tuple[object, ...], known: tuple[object, ...], run: str) -> str:
    keys = set(map(str, known))
    new = [repr(one) for one in own if str(one) not in keys]
    if len(new) == len(own):
        return f"{name}: none of its {counted(len(own), noun)} is one of {run}: all are new"
    if not new:
        return f"{name}: all {counted(len(own), noun)} are known from {run}"
    old = len(own) - len(new)
    what = f"{old:,} of {counted(len(own), noun)} {are(old)} known from {run}"
    return f"{name}: {what}, {len(new):,} {are(len(new))} new: {listed(new, _SHOWN)}"
