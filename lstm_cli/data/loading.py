"""From a config to data: files read, kinds inferred, splits made, everything fitted on train and encoded."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lstm_cli.config.config import Config
from lstm_cli.data import limits, memory
from lstm_cli.data.bad_rows import BadRowPolicy
from lstm_cli.data.dataset import Dataset
from lstm_cli.data.encoded import Encoded
from lstm_cli.data.formats import Options, detect, read
from lstm_cli.data.formats.raw import RawSequence
from lstm_cli.data.formats.source import Source
from lstm_cli.data.schema.fitting import fit
from lstm_cli.data.schema.inference import infer
from lstm_cli.data.schema.layout import Layout
from lstm_cli.data.schema.record import Record
from lstm_cli.data.schema.schema import Schema
from lstm_cli.data.schema.unknown_counts import UnknownCounts
from lstm_cli.data.splits import hold_out
from lstm_cli.errors import DataError, listed

#: From so many different whole numbers on, a note says that they are read as categories.
MANY_LABELS = 20


@dataclass(frozen=True, eq=False)
class Data:
    """What a config trains, validates and tests on.

    Attributes
    ----------
    schema
        How rows are encoded, fitted on the training sequences.
    train, valid, test
        The splits.
    notes
        What a user should know of them.
    """

    schema: Schema
    train: Dataset
    valid: Dataset | None
    test: Dataset | None
    notes: list[str]


def open_data(config: Config, *, precision: str | None = None) -> Data:
    """Return the data of a config, or raise the `DataError` or `ConfigError` that says what is wrong.

    Its numbers are in the config's precision, if not in another that is given.
    """
    with memory.enough(Source(config.source.resolve(config.data.train)).name):
        return _opened(config, precision or config.precision)


def _opened(config: Config, precision: str) -> Data:
    notes: list[str] = []
    path = config.source.resolve(config.data.train)
    form = _format(config, path)
    policy = BadRowPolicy(Source(path).name, skip=config.data.on_error == "skip")
    rows = list(policy.rows(read(_source(path), form, _wanted(config))))
    if not rows:
        notes.extend(policy.notes())  # raises: something was there, and nothing can be used
    layout = infer(config, form, rows)
    records = list(policy.made(lambda row: layout.parse(row, labelled=True), _used_up(rows)))
    notes += policy.notes()
    notes += _repeated_ids(policy.name, records)
    train, valid, test = hold_out(config, records, per_step=_divisible(layout), lag=layout.lag)
    schema = fit(layout, train, scale=config.data.scale, precision=precision)
    notes += _notes_on_target(config, schema, train)
    splits: dict[str, Dataset | None] = {"train": _encoded(config, schema, train, "train", notes)}
    for name, records in (("valid", valid), ("test", test)):
        held = getattr(config.data, name)
        if isinstance(held, str):
            records = _records(config, layout, config.source.resolve(held), notes)
        splits[name] = _encoded(config, schema, records, name, notes) if records else None
    for name, dataset in splits.items():
        if dataset is not None:
            limits.check_memory(config, dataset, name)
    return Data(schema, splits["train"], splits["valid"], splits["test"], notes)


def _divisible(layout: Layout) -> bool:
    """Return whether a single sequence can be cut into splits."""
    return layout.answer.per == "step" and layout.loop is None


def _source(path: Path) -> Source:
    return Source(path, base="the config's folder")


def _format(config: Config, path: Path) -> str:
    return detect(path) if config.data.format == "auto" else config.data.format


def _wanted(config: Config) -> Options:
    """Return how to read the training data, before it is known what is in it."""
    data, loss = config.data, config.loss
    sources = [spec.of or name for name, spec in data.inputs.items()]
    target = [data.target.column] if data.target and data.target.column else []
    others = [name for name in (loss.start, loss.length, loss.weight) if name is not None]
    return Options(
        id=data.id,
        id_required=data.id != "id",
        columns=frozenset([*sources, *target, *others]) if sources else None,
        input=sources[0] if sources else "x",
        unit=data.unit,
        lines=data.lines,
    )


def _records(config: Config, layout: Layout, path: Path, notes: list[str]) -> list[Record]:
    """Return the typed rows of another file than the training data's."""
    policy = BadRowPolicy(Source(path).name, skip=config.data.on_error == "skip")
    rows = policy.rows(read(_source(path), _format(config, path), layout.options(labelled=True)))
    records = list(policy.made(lambda row: layout.parse(row, labelled=True), rows))
    notes += policy.notes()
    notes += _repeated_ids(policy.name, records)
    return records


def _encoded(config: Config, schema: Schema, records: Iterable[Record], split: str, notes: list[str]) -> Dataset:
    """Return records as a dataset; long ones are refused, cut or split as the config says."""
    unknown_counts = UnknownCounts()
    sequences = [schema.encode_record(record, unknown_counts=unknown_counts) for record in records]
    sequences, note = limits.limited(config, schema, sequences, split)
    notes += [*note, *unknown_counts.notes(split)]
    dataset = Dataset(sequences, schema)
    if dataset.weight is not None and not (dataset.weight > 0).any():
        raise DataError(f"{_place(sequences)}: {split} has no step with a target that counts: give longer sequences")
    return dataset


def _place(sequences: Sequence[Encoded]) -> str:
    return sequences[0].where


def _used_up(rows: list[RawSequence]) -> Iterable[RawSequence]:
    """Yield rows and forget them, so that raw and typed values of all are never held at once."""
    rows.reverse()
    while rows:
        yield rows.pop()


def _repeated_ids(name: str, records: Sequence[Record]) -> list[str]:
    repeated = [f"{name!r} ({count} times)" for name, count in Counter(r.id for r in records).items() if count > 1]
    return [f"{name}: ids that name several sequences: {listed(repeated)}"] if repeated else []


def _notes_on_target(config: Config, schema: Schema, records: Sequence[Record]) -> list[str]:
    """Return what may surprise about the target as it was read off the data."""
    answer, notes = schema.layout.answer, []
    if answer.kind != "category" or answer.is_next:
        return notes
    labels, name = schema.labels.names, answer.column
    if len(labels) == 1:
        notes.append(f"train: {name} is {labels[0]!r} everywhere: there is nothing to tell apart")
    whole = config.data.target.kind == "auto" and all(_is_whole(label) for label in labels)
    if whole and len(labels) > MANY_LABELS:
        what, fix = f"{len(labels)} whole numbers are read as categories", "if they are quantities, set kind: number"
        notes.append(f"train: {name}: {what}; {fix} in data.target")
    several = len(records) > 1 and any(record.steps > 1 for record in records)
    if answer.per == "step" and several and all(len(set(record.answer)) == 1 for record in records):
        what, fix = "the same at all steps of each sequence", "for one answer a sequence, set per: sequence"
        notes.append(f"train: {name} is {what}; {fix} in data.target")
    return notes


def _is_whole(label: Any) -> bool:
    return not isinstance(label, bool) and str(label).removeprefix("-").isdecimal()
