"""What a network saw where it predicted something: the values of its inputs as a user knows them."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from lstm_cli.data import Dataset
from lstm_cli.data.schema.layout import Column
from lstm_cli.data.schema.times import written
from lstm_cli.insight.columns import Columns

CONTEXT = 20  # symbols before a prediction of a language model that are shown
STEPS = 6  # steps that are shown of a sequence with one target


class Seen:
    """Describes the inputs at positions.

    Parameters
    ----------
    dataset
        The data set of the positions.
    columns
        Its columns as they are written in the file. None: the values are those that the network sees, scaled back;
        numbers that are differences, or scaled by their own sequence, are left out then.
    """

    def __init__(self, dataset: Dataset, columns: Columns | None = None) -> None:
        self._dataset, self._columns = dataset, columns
        self._is_text = dataset.schema.target.kind == "category" and dataset.schema.target.is_next
        self._per_sequence = dataset.schema.target.per == "sequence"
        self._times: dict[int, list[Any]] = {}
        self._parts = _number_parts(dataset)

    def step(self, sequence: int, step: int) -> int:
        """Return the number of a step in the file."""
        if self._columns is not None:
            return self._columns.step(sequence, step)
        return step + int(self._dataset.first_steps(np.array([sequence]))[0])

    def at(self, sequence: int, step: int) -> dict[str, Any]:
        """Return the inputs at a step by the names of their columns, or a short form of all steps of a sequence.

        Of a language model ``input`` are the last symbols.
        """
        if self._is_text:
            return {"input": self._context(sequence, step)}
        names = dict.fromkeys(column.source for column in self._dataset.schema.layout.inputs if column.calendar is None)
        value = self._summary if self._per_sequence else self._value
        values = {name: value(name, sequence, step) for name in names}
        if self._dataset.schema.layout.time is not None and not self._per_sequence:
            values = {self._dataset.schema.layout.time: self._time(sequence, step)} | values
        if self._columns is not None:  # a value that is missing in the file is one too
            return values
        return {name: value for name, value in values.items() if value is not None}

    def _context(self, sequence: int, step: int) -> str:
        """Return the symbols up to a step as text."""
        schema, name = self._dataset.schema, self._dataset.schema.layout.next_columns[0].name
        start = int(self._dataset.offsets[sequence])
        indices = self._dataset.tokens[name][start + max(0, step + 1 - CONTEXT) : start + step + 1]
        plain = schema.layout.format == "text"
        text = schema.text(indices.tolist()) if plain else " ".join(schema.tokens[name].decode(indices.tolist()))
        return ("…" if step >= CONTEXT else "") + text

    def _summary(self, source: str, sequence: int, last: int) -> Any:
        """Return the first steps of an input as text; one value that all steps have as it is."""
        if self._columns is not None and not self._columns.is_per_step(source, sequence):
            given = self._columns.value(source, sequence, last)
            return _short(given[:STEPS], len(given)) if isinstance(given, list) else given
        if any(column.static for column in self._dataset.schema.layout.inputs if column.source == source):
            return self._value(source, sequence, last)
        length = last + 1
        return _short([self._value(source, sequence, step) for step in range(min(length, STEPS))], length)

    def _time(self, sequence: int, step: int) -> Any:
        """Return the time of a step, as predictions have it."""
        if sequence not in self._times:
            given = self._dataset[sequence].times
            self._times[sequence] = [] if given is None else written(given)
        times = self._times[sequence]
        return times[step] if times else None

    def _value(self, source: str, sequence: int, step: int) -> Any:
        if self._columns is not None:
            return self._columns.value(source, sequence, step)
        place = int(self._dataset.offsets[sequence]) + step
        found = [self._own(column, place) for column in self._dataset.schema.layout.inputs if column.source == source]
        return next((value for value in found if value is not None), None)

    def _own(self, column: Column, place: int) -> Any:
        """Return the value of an input that the network sees at one of all steps, in its original unit."""
        schema, numbers = self._dataset.schema, self._dataset.numbers
        if column.kind == "tokens":
            return schema.tokens[column.name].decode([int(self._dataset.tokens[column.name][place])])[0]
        if column.name not in self._parts or numbers is None:
            return None
        values = numbers[place, self._parts[column.name]].astype(np.float64)
        if column.kind == "set":
            labels = schema.sets[column.name].names
            return [labels[k] for k in np.flatnonzero(values)]
        restored = schema.scaling[column.name].undo(values[np.newaxis])[0]
        if column.chain.transforms:
            restored = column.chain.undo(restored[np.newaxis, np.newaxis], [], np.zeros(1, np.int64))[0, 0]
        return _number(restored.tolist())


def _number_parts(dataset: Dataset) -> dict[str, slice]:
    """Return where each input of numbers and sets is among the numbers of a step, if it can be scaled back."""
    schema, start = dataset.schema, 0
    parts: dict[str, slice] = {}
    chains = {column.name: column.chain for column in schema.layout.inputs}
    for name, scaling in schema.scaling.items():
        stop = start + len(scaling.center)
        if schema.layout.scale == "train" and not chains[name].lag:
            parts[name] = slice(start, stop)
        start = stop
    for name, labels in schema.sets.items():
        parts[name] = slice(start, start + len(labels))
        start += len(labels)
    return parts


def _number(values: Sequence[float]) -> Any:
    """Return numbers with the digits that float32 has; one number without a list."""
    rounded = [float(f"{value:.7g}") for value in values]
    return rounded[0] if len(rounded) == 1 else rounded


def _short(values: Sequence[Any], length: int) -> Any:
    """Return the first steps of a sequence as text; None if there is no value."""
    if all(value is None for value in values):
        return None
    if length == 1:
        return values[0]
    shown = [" ".join(map(_text, value)) if isinstance(value, list) else _text(value) for value in values]
    separator = "; " if any(isinstance(value, list) for value in values) else " "
    return separator.join(shown) + (f"{separator}… ({length:,} steps)" if length > STEPS else "")


def _text(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
