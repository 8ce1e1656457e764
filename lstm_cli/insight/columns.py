"""Columns of a file that is evaluated, beside the data set that the network sees: for groups and lists of errors."""

from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from lstm_cli.data import Encoded, Schema
from lstm_cli.data.formats.raw import Places, RawSequence, ValueProblem
from lstm_cli.data.formats.text import split
from lstm_cli.data.schema.record import Record
from lstm_cli.data.schema.values import numbers
from lstm_cli.predict.inputs import in_time_order
from lstm_cli.predict.kept import check_columns, plain_value
from lstm_cli.scores.positions import Positions


@dataclass(frozen=True, slots=True)
class _Taken:
    """The columns of one sequence.

    Attributes
    ----------
    offset
        The first step that the network sees, as differences remove some.
    places
        Where the steps stand in the file, if not all of them in their order.
    values
        By column: one value, or where `per_step` names the column, one for each step in the order of time.
    """

    offset: int
    places: Places | None
    values: dict[str, Any]
    per_step: frozenset[str]


class Columns:
    """Takes columns from the sequences of a file on their way in.

    Parameters
    ----------
    schema
        That of the data.
    asked
        Columns that an option asks for; it is an error if the file lacks them.
    others
        Columns that are taken where they are there.
    option
        The option, for messages.
    """

    def __init__(
        self, schema: Schema, asked: Sequence[str] = (), others: Sequence[str] = (), *, option: str = ""
    ) -> None:
        self.names = tuple(dict.fromkeys([*asked, *others]))
        self._schema, self._asked, self._option = schema, asked, option
        self._taken: list[_Taken] = []
        layout = schema.layout
        self._numbers = {column.source for column in layout.inputs if column.kind == "number"} - set(asked)
        self._units = {column.source: column.unit or layout.unit for column in layout.inputs if column.kind == "tokens"}

    def take(self, sequence: RawSequence, encoded: Encoded) -> None:
        """Remember the columns of a sequence."""
        if not self._taken:
            check_columns(self._option, self._asked, sequence)
        sequence = in_time_order(self._schema, sequence)
        first = encoded.offset + encoded.steps
        steps = set[int]() if encoded.observed is not None else {first, first + self._schema.layout.target.reach}
        self._add(sequence, steps)

    def take_all(self, records: Iterable[Record]) -> None:
        """Remember the columns of sequences that were kept as they are written (`data.written`), and no others."""
        self._taken.clear()
        for record in records:
            if record.written is None:
                continue
            sequence = record.written
            check_columns(self._option, self._asked, sequence)
            self._add(sequence, set() if record.observed is not None else {record.steps})

    def _add(self, sequence: RawSequence, steps: Collection[int]) -> None:
        """Remember the columns of a sequence in the order of time; those with so many values have one for each step."""
        given = {name: sequence.columns[name] for name in self.names if name in sequence.columns}
        values = {name: self._read(name, value, textual=sequence.textual) for name, value in given.items()}
        per_step = frozenset(name for name, value in values.items() if _is_listed(value) and len(value) in steps)
        self._taken.append(_Taken(self._schema.layout.lag, sequence.places, values, per_step))

    def _read(self, name: str, value: Any, *, textual: bool) -> Any:
        """Return a value, of an input that is text the numbers or tokens that it says."""
        if textual and name in self._numbers:
            listed = _is_listed(value)
            with suppress(ValueProblem):  # of a value that the network does not see either
                given = numbers(value if listed else [value], textual=True, missing=self._schema.layout.missing_values)
                return given[0, 0] if not listed else given[:, 0] if given.shape[1] == 1 else given
        return split(value, self._units[name]) if isinstance(value, str) and name in self._units else value

    def value(self, name: str, sequence: int, step: int) -> Any:
        """Return the value of a column at a step of a sequence of the data set, or of the sequence; None: no value."""
        taken = self._taken[sequence]
        given: Any = taken.values.get(name)
        if name not in taken.per_step:
            return plain_value(given)
        place = taken.offset + step
        return plain_value(given[place]) if place < len(given) else None

    def is_per_step(self, name: str, sequence: int) -> bool:
        """Return whether a column has a value for each step of a sequence."""
        return name in self._taken[sequence].per_step

    def values(self, name: str, positions: Positions) -> list[Any]:
        """Return the value of a column at each position."""
        places = zip(positions.sequences.tolist(), positions.steps.tolist(), strict=True)
        return [self.value(name, sequence, step) for sequence, step in places]

    def step(self, sequence: int, step: int) -> int:
        """Return the number of a step in the file."""
        taken = self._taken[sequence]
        place = taken.offset + step
        return place if taken.places is None else int(taken.places.numbers[place])


def _is_listed(value: Any) -> bool:
    return isinstance(value, Sequence | np.ndarray) and not isinstance(value, str)
