"""Sequences from files, streams and Python mappings."""

from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any

import numpy as np

from lstm_cli.config.config import Config
from lstm_cli.config.formats import TABLES
from lstm_cli.data.bad_rows import BadRowPolicy
from lstm_cli.data.dataset import Dataset
from lstm_cli.data.formats import Options, jsonl, named_format, read
from lstm_cli.data.formats.naming import columns_listed
from lstm_cli.data.formats.raw import RawSequence, TableOptions, label_key
from lstm_cli.data.formats.source import Origin, Source
from lstm_cli.data.raw_text import read_text
from lstm_cli.data.schema.counts import UnknownCounts
from lstm_cli.data.schema.encoded import Encoded
from lstm_cli.data.schema.encoding import encode
from lstm_cli.data.schema.layout import Layout, LossColumns
from lstm_cli.data.schema.schema import Schema
from lstm_cli.data.sources import FILE, named_by_file, names_of
from lstm_cli.data.split_columns import split_columns
from lstm_cli.data.splits import Split
from lstm_cli.errors import DataError, did_you_mean, nearest


def config_options(config: Config) -> Options:
    """Return how the training data is read, before its layout is known."""
    data, loss = config.data, config.loss
    sources = [spec.of or name for name, spec in data.inputs.items()]
    table = {**data.table.model_dump(), "columns": data.table.columns and tuple(data.table.columns)}
    others = [*(data.target.names if data.target else ()), data.time, loss.start, loss.length, loss.weight]
    others += split_columns(config)
    wide = tuple((name, spec.columns) for name, spec in data.inputs.items() if spec.columns)
    return Options(
        id=data.id,
        id_required=data.id not in (("id",), (FILE,)),
        columns=frozenset([*sources, *(name for name in others if name is not None)]) if sources else None,
        wide=wide,
        input=next((spec.of or name for name, spec in data.inputs.items() if not spec.static), "x"),
        unit=data.unit,
        lines=data.lines,
        table=TableOptions(**table),
        missing=data.missing.values,
        split="train",
        time=data.time,
        bunches=_fits_bunches(config),
    )


def _fits_bunches(config: Config) -> bool:
    """Return whether short sequences can be prepared many at a time: nothing is asked of each as a whole."""
    data, loss, target = config.data, config.loss, config.data.target
    lagged = any(step.lag for steps in data.transform.values() for step in steps)
    filled = data.missing.fill != "stop" and data.missing.fill != {}
    others = (data.time, config.rollout, loss.start, loss.length, loss.weight, *split_columns(config))
    later = target is not None and (target.horizon > 1 or (bool(target.names) and target.ahead > 0))
    odd = any(spec.static or spec.columns or spec.known for spec in data.inputs.values())
    plain = data.scale not in ("series", "window") and data.id != (FILE,)
    return plain and not (lagged or filled or later or odd or any(given is not None for given in others))


def layout_options(layout: Layout, *, labelled: bool, split: Split | None = None) -> Options:
    """Return how files other than the training data are read: with targets or without."""
    needed = {column.source for column in layout.inputs} | ({layout.time} if layout.time is not None else set())
    if labelled:
        needed |= {*(layout.target_columns or [layout.inputs[0].source]), *layout.loss.names}
    return Options(
        id=layout.id,
        id_required=layout.id_required,
        columns=frozenset(needed),
        wide=tuple((column.name, column.columns) for column in layout.inputs if column.columns),
        input=layout.first.source,
        unit=layout.unit,
        lines=layout.lines,
        table=layout.table,
        missing=layout.missing,
        split=split,
        time=layout.time,
    )


def read_sequences(
    origin: Origin,
    schema: Schema,
    *,
    labelled: bool = False,
    form: str | None = None,
    policy: BadRowPolicy | None = None,
    keep: Collection[str] | None = (),
) -> Generator[RawSequence, None, None]:
    """Yield the sequences of a file or stream one by one, for `encode`; the file is open until the generator ends.

    Only one sequence is held at a time, except for formats that cannot be read in pieces: npz, and csv without ids.

    Parameters
    ----------
    origin
        A path, ``-`` for standard input, or an open binary stream.
    schema
        The schema of the sequences.
    labelled
        Whether they must have targets.
    form
        The format; None: by the suffix. A stream, and a file whose suffix is unknown or that of any text, are in the
        format of the training data. For a model of tokens that was trained on another format, ``text`` makes every
        line a sequence.
    policy
        What to do with sequences that cannot be read; None: the first is raised.
    keep
        Further columns to read; None: all.
    """
    source, layout = Source(origin), schema.layout
    if form is None:
        known = None if source.path is None else named_format(source.path)
        form = layout.format if known in (None, "text") else known
    options = layout_options(layout, labelled=labelled)
    options = replace(options, columns=None if keep is None else (options.columns or frozenset()) | set(keep))
    policy = policy or BadRowPolicy(source.name, skip=False)
    raw = form == "text" != layout.format and not labelled
    items = read_text(source, layout) if raw else read(source, form, options)
    if options.id == (FILE,) and not options.id_required and source.path is not None:
        items = named_by_file(items, names_of([source.path])[0], options.id)
    with closing(policy.good(items)) as sequences:
        for sequence in sequences:
            require_ids(layout, form, sequence)
            yield sequence


def require_ids(layout: Layout, form: str, sequence: RawSequence) -> None:
    """Refuse a table without the id columns of training, whose rows would all be one series."""
    missing = next((column for column in layout.id if column not in sequence.names), None)
    grouped = form in TABLES or layout.table.row == "step"
    if missing is not None and layout.id_given and grouped:
        hint = did_you_mean(nearest(missing, sequence.names))
        what = f"the column is missing (there are {columns_listed(sequence.names)}), and all rows would be one series"
        raise DataError(f"{sequence.where}: {missing}: {what}: add it, as in the training data{hint}")


def read_dataset(
    origin: Origin,
    schema: Schema,
    *,
    unknown_counts: UnknownCounts | None = None,
    form: str | None = None,
    policy: BadRowPolicy | None = None,
    keep: Collection[str] | None = (),
    listener: Callable[[RawSequence, Encoded], None] = lambda raw, encoded: None,
) -> Dataset:
    """Return the sequences of a file with their targets, encoded as in training; see `read_sequences`.

    `listener` is called with each sequence as it was read, with the columns `keep` besides, and as it is encoded.
    Columns that weight the loss are used if the first sequence has them: without them all targets count equally.
    """
    policy = policy or BadRowPolicy(Source(origin).name, skip=False)
    sequences = read_sequences(origin, schema, labelled=True, form=form, policy=policy, keep=keep)
    own: list[Schema] = []

    def encoded(sequence: RawSequence) -> Encoded:
        own[:] = own or [_with_loss_columns(schema, sequence.names)]
        made = encode(own[0], sequence, labelled=True, unknown_counts=unknown_counts)
        listener(sequence, made)
        return made

    return Dataset(policy.converted(encoded, sequences), schema)


def _with_loss_columns(schema: Schema, names: Sequence[str]) -> Schema:
    """Return a schema whose loss has only columns that are among the names."""
    loss = schema.layout.loss
    present = {key: name for key, name in vars(loss).items() if name in names}
    return replace(schema, layout=replace(schema.layout, loss=LossColumns(**present)))


def raw_sequences(sequences: Iterable[Mapping[str, Any]], schema: Schema) -> Iterator[RawSequence]:
    """Yield sequences given as mappings of columns, as in a line of jsonl; arrays work as well as lists.

    A data frame is such a mapping, of a sequence whose steps are its rows.
    """
    if isinstance(sequences, Mapping) or hasattr(sequences, "columns"):
        raise TypeError("expected a list of sequences, got a single one: put it into a list")
    dotted = [name for name in _named(schema.layout) if "." in name]
    for number, columns in enumerate(sequences, start=1):
        given = dict(columns)
        nested = {name: jsonl.column(given, name, ...) for name in dotted if name not in given}
        given |= {name: value for name, value in nested.items() if value is not ...}
        kept = {name: _raw(value) for name, value in given.items()}
        kept |= {name: _one(kept[name]) for name in schema.layout.id if name in kept}
        names = [kept.get(name) for name in schema.layout.id]
        name: Any = number if None in names else names[0] if len(names) == 1 else tuple(map(label_key, names))
        yield RawSequence(f"sequence {number}", name, kept, tuple(kept))


def _named(layout: Layout) -> list[str]:
    """Return the columns of the data that a layout names."""
    names = [*(column.source for column in layout.inputs), *layout.id, *layout.target_columns, layout.time]
    return [name for name in [*names, *layout.loss.names] if name is not None]


def _one(value: Any) -> Any:
    """Return the value that a column of a data frame repeats at each step."""
    values = value.tolist() if isinstance(value, np.ndarray) else value
    repeated = isinstance(values, list) and values and all(each == values[0] for each in values)
    return values[0] if repeated else value


def _raw(value: Any) -> Any:
    """Return a value in the form that readers yield."""
    value = value.to_numpy() if hasattr(value, "to_numpy") else value
    if isinstance(value, np.ndarray):
        return value if value.ndim and value.dtype.kind in "iufbM" else jsonl.condensed(value.tolist())
    return jsonl.condensed(list(value)) if isinstance(value, list | tuple) else value
