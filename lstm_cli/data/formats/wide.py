"""Wide tables: a row is a sequence, and many columns hold the steps of one of its inputs.

Legend: N rows of the table, T steps of a row, C columns of an input.
"""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_cli.data.formats.cells import TextColumn
from lstm_cli.data.formats.naming import columns_listed
from lstm_cli.data.formats.table import Table
from lstm_cli.errors import DataError


class Wide:
    """The columns that hold the steps of an input, one sequence a row.

    Parameters
    ----------
    table
    name
        The input's, for messages.
    patterns
        Which columns: names, or patterns of names.
    """

    def __init__(self, table: Table, name: str, patterns: Sequence[str]) -> None:
        for pattern in patterns:
            if not any(fnmatchcase(column, pattern) for column in table.names):
                raise DataError(
                    f"{table.file}: {name}: no column is named {pattern} (there are {columns_listed(table.names)}): "
                    f"correct data.inputs.{name}.columns"
                )
        names = [column for column in table.names if any(fnmatchcase(column, pattern) for pattern in patterns)]
        self._columns = [table.columns[column] for column in names]
        count = len(table.lines)
        self._numbers = np.empty((count, len(names)))
        self._texts, filled = np.zeros(count, np.bool_), np.zeros(count, np.int64)
        for place, column in enumerate(self._columns):
            numbers, bad, blank = _column_of_numbers(column)
            self._numbers[:, place] = numbers
            self._texts |= bad
            filled[~blank] = place + 1
        self._lengths = filled

    def is_text(self, row: int) -> bool:
        """Return whether some cell of a row is neither a number nor missing."""
        return bool(self._texts[row])

    def steps(self, row: int) -> Any:
        """Return the steps of a row, without the blank cells at its end: numbers (T,), or text if some are none."""
        length = int(self._lengths[row])
        if self._texts[row]:
            return [column.cells[row].as_py() for column in self._columns[:length]]
        return self._numbers[row, :length]


def _column_of_numbers(column: Any) -> tuple[NDArray[Any], NDArray[np.bool_], NDArray[np.bool_]]:
    """Return the numbers of a column, which cells are neither numbers nor missing, and which are blank, (N) each."""
    if isinstance(column, TextColumn):
        numbers, bad = column.numbers
        return numbers, np.zeros(len(column), np.bool_) if bad is None else bad, column.blank
    if not isinstance(column, np.ndarray):
        raise DataError("the columns of one input hold lists: give columns of single values")
    return column, np.zeros(len(column), np.bool_), np.isnan(column.astype(np.float64))
