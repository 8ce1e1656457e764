"""The series of a file as a backtest needs them: to forecast from, and to compare forecasts with.

Legend: T steps, D numbers of the target at a step.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_cli.data import Schema, UnknownCounts, raw_sequences, read_sequences
from lstm_cli.data.formats.raw import RawSequence
from lstm_cli.data.schema.encoding import encode_record
from lstm_cli.data.schema.layout import LossColumns
from lstm_cli.data.schema.parsing import parse
from lstm_cli.data.schema.record import Numbers, Record
from lstm_cli.data.schema.times import written
from lstm_cli.errors import DataError, shown_path
from lstm_cli.insight.rolling import unlabelled
from lstm_cli.predict import Run

Note = Callable[[str], None]
Given = str | Path | Iterable[Mapping[str, Any]]


@dataclass(frozen=True, eq=False)
class Observed:
    """A series with what came at each step.

    Attributes
    ----------
    record
        All columns, in original units.
    values : float64 array (T, D)
        Those that are predicted; NaN where they are missing.
    """

    record: Record
    values: Numbers

    @property
    def steps(self) -> int:
        """T."""
        return len(self.values)

    @cached_property
    def times(self) -> list[Any]:
        """The times (T,) as they are written, all to the same precision; empty without a time column."""
        return [] if self.record.times is None else written(self.record.times)

    @property
    def filled(self) -> Numbers:
        """The values, each missing one as the last one before it; NaN where there is none."""
        places = np.where(np.isnan(self.values), -1, np.arange(len(self.values))[:, np.newaxis])
        last = np.maximum.accumulate(places, axis=0)
        found: Numbers = np.where(last < 0, np.nan, np.take_along_axis(self.values, np.maximum(last, 0), axis=0))
        return found

    def numbers(self, steps: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the numbers of steps in the input, some of whose rows may be dropped or in another order."""
        places = self.record.places
        return steps if places is None else np.asarray(places.numbers, np.int64)[steps]


def read_observed(run: Run, given: Given, *, form: str | None, note: Note) -> tuple[str, Path | None, list[Observed]]:
    """Return the name of a file, its path if it is none of the streams, and its series.

    Parameters
    ----------
    run
        The model that will forecast them.
    given
        A path, ``-`` for standard input, or mappings of columns.
    form
        Format of a file; None: that which the run's config names, else by the suffix.
    note
        Called with notes on sequences that were skipped, and on values unlike those of training.
    """
    schema = _without_weights(run.schema)
    counts = UnknownCounts()

    def made(sequence: RawSequence) -> Observed:
        record = parse(schema.layout, sequence, labelled=True)
        if record.steps > schema.layout.lag + schema.layout.target.reach:  # else it is too short to be encoded
            encode_record(schema, unlabelled(record), labelled=False, unknown_counts=counts)
        return Observed(record, _values(schema, record))

    if not isinstance(given, str | Path):
        return "the series", None, [made(sequence) for sequence in raw_sequences(given, schema)]
    path = Path(given)
    name, policy = "standard input" if str(path) == "-" else shown_path(path), run.policy(path)
    with closing(read_sequences(path, schema, labelled=True, form=form or run.format, policy=policy)) as sequences:
        found = list(policy.converted(made, sequences))
    for text in [*policy.notes(), *counts.notes(name)]:
        note(text)
    if not found:
        raise DataError(f"{name}: contains no series: give a file with the steps to forecast")
    return name, None if str(path) == "-" else path, found


def _without_weights(schema: Schema) -> Schema:
    """Return a schema without columns that weight the loss: every forecast counts the same."""
    return replace(schema, layout=replace(schema.layout, loss=LossColumns()))


def _values(schema: Schema, record: Record) -> Numbers:
    """Return the values (T, D) of the predicted columns, as they are written."""
    target = schema.layout.target
    if target.is_next:
        return np.concatenate([record.numbers(column.name) for column in schema.layout.next_columns], axis=1)
    if target.name in schema.scaling:
        return record.numbers(target.name)
    return np.asarray(record.target, np.float64)
