"""Sequences from files, streams and Python's own mappings, and the policy for those that cannot be used."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

import numpy as np

from lstm_cli.config.config import Config
from lstm_cli.config.formats import format_of
from lstm_cli.data.dataset import Dataset
from lstm_cli.data.formats import Options, read
from lstm_cli.data.formats.jsonl import condensed
from lstm_cli.data.formats.raw import RawSequence
from lstm_cli.data.formats.source import Origin, Source
from lstm_cli.data.schema.encoding import UnknownCounts, encode
from lstm_cli.data.schema.layout import Layout
from lstm_cli.data.schema.schema import Schema
from lstm_cli.errors import DataError, and_more

Given = TypeVar("Given")
Made = TypeVar("Made")

#: Skipping stops above this number of bad sequences if they are also more than this share.
MOST_BAD = 10
MOST_BAD_SHARE = 0.1


class BadRowPolicy:
    """What is done with the rows of one file that cannot be used: the first is raised, or they are skipped and counted.

    Parameters
    ----------
    name
        The file, as messages show it.
    skip
        Skip bad rows; else the first one is raised.
    """

    def __init__(self, name: str, *, skip: bool) -> None:
        self.name, self.skip = name, skip
        self._rows = self._bad = 0
        self._first: list[str] = []

    def good(self, items: Iterable[Given | DataError]) -> Iterator[Given]:
        """Yield the good rows of a reader."""
        for item in items:
            self._rows += 1
            if isinstance(item, DataError):
                self._reject(item)
            else:
                yield item

    def made(self, make: Callable[[Given], Made], items: Iterable[Given]) -> Iterator[Made]:
        """Yield what is made of each row, except of those it cannot be made of."""
        for item in items:
            try:
                result = make(item)
            except DataError as error:
                self._reject(error)
            else:
                yield result

    def notes(self) -> list[str]:
        """Return what was skipped, or raise if that is too much."""
        if not self._bad:
            return []
        shown = "".join(f"\n  {message}" for message in self._first)
        more = and_more(self._bad - len(self._first), "\n  ")
        count = f"{self.name}: {self._bad:,} of {self._rows:,} rows"
        if self._bad == self._rows:
            raise DataError(f"{count} cannot be used, none is left: correct them{shown}{more}")
        if self._bad > MOST_BAD and self._bad > MOST_BAD_SHARE * self._rows:
            raise DataError(f"{count} cannot be used, more than data.on_error: skip allows: correct them{shown}{more}")
        return [f"{count} were skipped:{shown}{more}"]

    def _reject(self, error: DataError) -> None:
        if not self.skip:
            raise error
        self._bad += 1
        if len(self._first) < MOST_BAD:
            self._first.append(str(error))


def config_options(config: Config) -> Options:
    """Return how the training data is read, before its layout is known."""
    data, loss = config.data, config.loss
    sources = [spec.of or name for name, spec in data.inputs.items()]
    others = [data.target.column if data.target else None, loss.start, loss.length, loss.weight]
    return Options(
        id=data.id,
        id_required=data.id != "id",
        columns=frozenset([*sources, *(name for name in others if name is not None)]) if sources else None,
        input=sources[0] if sources else "x",
        unit=data.unit,
        lines=data.lines,
    )


def layout_options(layout: Layout, *, labelled: bool, unique_ids: bool = True) -> Options:
    """Return how any other file is read: with targets or without."""
    needed = {column.source for column in layout.inputs}
    if labelled:
        needed |= {layout.target.column or layout.inputs[0].source, *layout.loss.names}
    return Options(
        id=layout.id,
        id_required=layout.id_required,
        unique_ids=unique_ids,
        columns=frozenset(needed),
        input=layout.inputs[0].source,
        unit=layout.unit,
        lines=layout.lines,
    )


def read_sequences(origin: Origin, schema: Schema, *, labelled: bool = False) -> Iterator[RawSequence]:
    """Yield the sequences of a file or stream one by one, for `encode`.

    The suffix tells the format; a stream, and a suffix that tells none, are in the format of the training data.
    Only one sequence is held at a time, except for formats that cannot be read in pieces: npz, and csv without ids.

    Parameters
    ----------
    origin
        A path, ``-`` for standard input, or an open binary stream.
    schema
        What the sequences must have.
    labelled
        They must have targets, too.
    """
    source = Source(origin)
    form = None if source.path is None else format_of(source.path)
    options = layout_options(schema.layout, labelled=labelled, unique_ids=False)
    for sequence in read(source, form or schema.layout.format, options):
        if isinstance(sequence, DataError):
            raise sequence
        yield sequence


def read_dataset(origin: Origin, schema: Schema, *, unknown_counts: UnknownCounts | None = None) -> Dataset:
    """Return the sequences of a file with their targets, encoded as in training."""
    sequences = read_sequences(origin, schema, labelled=True)
    encoded = (encode(schema, sequence, labelled=True, unknown_counts=unknown_counts) for sequence in sequences)
    return Dataset(encoded, schema)


def raw_sequences(sequences: Iterable[Mapping[str, Any]], schema: Schema) -> Iterator[RawSequence]:
    """Yield sequences given as mappings of columns, as in a line of jsonl; arrays work as well as lists."""
    for number, columns in enumerate(sequences, start=1):
        kept = {name: _raw(value) for name, value in columns.items()}
        name = kept.get(schema.layout.id)
        yield RawSequence(f"sequence {number}", number if name is None else name, kept, tuple(kept))


def _raw(value: Any) -> Any:
    """Return a value as the readers yield it."""
    if isinstance(value, np.ndarray):
        return value if value.ndim and value.dtype.kind in "iufb" else condensed(value.tolist())
    return condensed(list(value)) if isinstance(value, list | tuple) else value
