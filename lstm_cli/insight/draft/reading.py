"""The sequences of files, read with options that are still being found."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np

from lstm_cli.data.formats import Options, read
from lstm_cli.data.formats.cells import Cells
from lstm_cli.data.formats.head import Unnamed
from lstm_cli.data.formats.raw import RawSequence, TableOptions
from lstm_cli.data.formats.source import Source
from lstm_cli.data.schema.other_notations import most_frequent, notation_of
from lstm_cli.data.sources import named_by_file, names_of
from lstm_cli.errors import DataError

_VALUE = re.compile(r"[-+]?[\d.,]+(?:e[-+]?\d+)?|\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}.*", re.IGNORECASE)
#: The share of sequences or rows that may be unreadable, and cells of a column that are looked at.
_BAD, _CELLS = 0.05, 1000


@dataclass(frozen=True, eq=False)
class Reading:
    """The sequences of files.

    Attributes
    ----------
    files
    form
        Their format.
    options
        How they were read.
    sequences
    errors
        What could not be read.
    """

    files: list[Path]
    form: str
    options: Options
    sequences: list[RawSequence]
    errors: list[DataError]

    @classmethod
    def of(cls, files: list[Path], form: str, options: Options, *, by_file: bool = False) -> "Reading":
        """Return the sequences of files; with `by_file` those without an id are named by their files.

        Raises
        ------
        DataError
            More than a few cannot be read.
        """
        sequences: list[RawSequence] = []
        errors: list[DataError] = []
        for path, name in zip(files, names_of(files), strict=True):
            items = read(Source(path), form, options)
            for item in named_by_file(items, name, options.id) if by_file else items:
                if isinstance(item, DataError):
                    errors.append(item)
                else:
                    sequences.append(item)
        rows = max([len(sequences), *(len(sequence.steps_at or ()) for sequence in sequences)])
        if errors and (not sequences or len(errors) > _BAD * rows):
            raise errors[0]
        return cls(files, form, options, sequences, errors)

    @classmethod
    def named(cls, files: list[Path], form: str, options: Options) -> "Reading":
        """Return the sequences of tables, whose columns are numbered where no header names them."""
        try:
            return cls.of(files, form, options)
        except Unnamed as error:
            table = numbered(options.table, len(error.cells))
        return cls.of(files, form, replace(options, table=table))

    @property
    def written(self) -> TableOptions:
        """How tables are written, with the decimal mark that they show."""
        marks = {sequence.table.decimal for sequence in self.sequences if sequence.table is not None}
        return replace(self.options.table, decimal=",") if marks == {","} else self.options.table

    def drop(self, ids: Sequence[str], wide: str) -> None:
        """Leave out the columns that name sequences, and those that are the steps of an input."""
        for sequence in self.sequences:
            for name in list(sequence.columns):
                if name in ids or (wide and fnmatchcase(name, wide)):
                    del sequence.columns[name]


def length_of(sequence: RawSequence) -> int:
    """Return how many steps a sequence has; one where there are only single values."""
    return max((len(value) for value in sequence.columns.values() if is_list(value)), default=1)


def is_list(value: Any) -> bool:
    """Return whether a value of a column has steps."""
    return not isinstance(value, str) and hasattr(value, "__len__")


def are_steps(sequences: Sequence[RawSequence]) -> bool:
    """Return whether objects or rows may be steps: they hold single values, some of them numbers, and no prose."""
    few = sequences[:_CELLS]
    if any(is_list(value) for sequence in few for value in sequence.columns.values()):
        return False
    for name in few[0].columns if few else ():
        texts = {str(sequence.columns.get(name)) for sequence in few}
        if sum(len(text.split()) > 2 for text in texts) > 0.5 * len(few):
            return False
    return len(few) > 1 and any(isinstance(value, int | float) for value in few[0].columns.values())


def numbered(table: TableOptions, count: int) -> TableOptions:
    """Return the options of a table without a header, whose columns are c1, c2, …."""
    return replace(table, columns=tuple(f"c{place}" for place in range(1, count + 1)))


def names_are_values(names: Sequence[str]) -> bool:
    """Return whether names are the values of a first row, rather than 0, 1, 2 …, which number the steps of a row."""
    if 2 * sum(bool(_VALUE.fullmatch(name)) for name in names) <= len(names):
        return False
    numbers = [int(name) for name in names if name.isdecimal()]
    return len(numbers) < 3 or numbers != list(range(numbers[0], numbers[0] + len(numbers)))


def marks_of_numbers(table: RawSequence, options: TableOptions) -> TableOptions:
    """Return the options of a table with the marks of its numbers, where a column holds groups of digits."""
    for value in table.columns.values():
        if options.thousands is not None or not isinstance(value, Cells) or value.numbers() is not None:
            continue
        cells = [cell for cell in value.take(np.arange(min(len(value), _CELLS))) if cell]
        found = [notation for cell in cells if (notation := notation_of(cell)) is not None]
        if 2 * len(found) > len(cells):
            marks = most_frequent(found).marks
            if "thousands" in marks:
                return replace(options, thousands=marks["thousands"], decimal=marks.get("decimal", options.decimal))
    return options
