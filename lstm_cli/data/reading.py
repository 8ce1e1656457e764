"""Sequences for a trained model: from files, streams and Python's own mappings."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from lstm_cli.config.formats import format_of
from lstm_cli.data.formats import read
from lstm_cli.data.formats.jsonl import condensed
from lstm_cli.data.formats.raw import RawSequence
from lstm_cli.data.formats.source import Origin, Source
from lstm_cli.data.schema.schema import Schema
from lstm_cli.errors import DataError


def read_sequences(origin: Origin, schema: Schema, *, labelled: bool = False) -> Iterator[RawSequence]:
    """Yield the rows of a file or stream one by one, for `Schema.encode`.

    The suffix tells the format; a stream, and a suffix that says nothing, are in the format of the training data.
    Only one row is held at a time, but for formats that cannot be read in pieces: npz, and csv without ids.

    Parameters
    ----------
    origin
        A path, ``-`` for standard input, or an open binary stream.
    schema
        What the rows must have.
    labelled
        They must have targets, too.
    """
    source = Source(origin)
    form = None if source.path is None else format_of(source.path)
    options = schema.layout.options(labelled=labelled, unique_ids=False)
    for row in read(source, form or schema.layout.format, options):
        if isinstance(row, DataError):
            raise row
        yield row


def raw_sequences(sequences: Iterable[Mapping[str, Any]], schema: Schema) -> Iterator[RawSequence]:
    """Yield sequences given as mappings of columns, as in a line of jsonl; arrays serve as well as lists."""
    for number, columns in enumerate(sequences, start=1):
        kept = {name: _raw(value) for name, value in columns.items()}
        name = kept.get(schema.layout.id)
        yield RawSequence(f"sequence {number}", number if name is None else name, kept, tuple(kept))


def _raw(value: Any) -> Any:
    """Return a value as the readers give it."""
    if isinstance(value, np.ndarray):
        return value if value.ndim and value.dtype.kind in "iufb" else condensed(value.tolist())
    return condensed(list(value)) if isinstance(value, list | tuple) else value
