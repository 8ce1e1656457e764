"""A table: its needed columns and the line of every row.

Legend: N rows of the table, T of some of them.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_cli.data.formats.cells import Cells, TextColumn
from lstm_cli.data.formats.chunks import KINDS
from lstm_cli.data.formats.raw import StepLines, TableOptions

#: Rows of a table (T): those from one to another, or any.
Rows = slice | NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Table:
    """The needed columns of a table.

    Attributes
    ----------
    file
        Its name in messages.
    names
        All columns that the file has.
    columns
        The needed ones by name (N): text, numbers as an array, or lists of values in Arrow's layout.
    lines
        The line of every row (N), or its number in formats without lines.
    textual
        As in `RawSequence`.
    options
        How the table is written, as far as that is known now.
    """

    file: str
    names: tuple[str, ...]
    columns: dict[str, Any]
    lines: range | NDArray[np.int64]
    textual: bool
    options: TableOptions

    def cells(self, name: str, rows: Rows) -> Any:
        """Return the cells of a column in some rows."""
        column = self.columns[name]
        if isinstance(column, TextColumn):
            return Cells(column, rows)
        if isinstance(column, np.ndarray):
            return column[rows]
        chosen = column.slice(rows.start, rows.stop - rows.start) if isinstance(rows, slice) else column.take(rows)
        return chosen.to_pylist()

    def place(self, row: int) -> str:
        """Return the place of a row."""
        return f"{self.file}:{self.lines[row]}"

    def places(self, rows: Rows) -> StepLines:
        """Return the places of some rows."""
        if isinstance(rows, slice):
            return StepLines(self.file, self.lines[rows])
        return StepLines(self.file, rows + self.lines.start if isinstance(self.lines, range) else self.lines[rows])

    def values(self, name: str) -> Sequence[Any]:
        """Return a column's values in all rows, as in JSON: numbers where most cells are, else text; or lists."""
        column = self.columns[name]
        if isinstance(column, TextColumn):
            return _typed(column)
        values: list[Any] = column.tolist() if isinstance(column, np.ndarray) else column.to_pylist()
        return values


def joined(parts: Sequence[range | NDArray[np.int64]]) -> range | NDArray[np.int64]:
    """Return the lines of all rows; they are a range if none are left out."""
    parts = [part for part in parts if len(part)]
    ranges = [part for part in parts if isinstance(part, range)]
    if len(ranges) == len(parts) and all(a.stop == b.start for a, b in pairwise(ranges)):
        return range(ranges[0].start, ranges[-1].stop) if ranges else range(0)
    return np.concatenate([np.asarray(part, np.int64) for part in parts])


def _typed(column: TextColumn) -> list[Any]:
    texts, counts = Cells(column).tolist(), Counter(Cells(column).kinds())
    if counts["str"] >= counts["int"] + counts["float"]:
        return list(texts)
    values: list[Any] = column.numbers[0].tolist()
    for row, kind in enumerate(column.kinds.tolist()):
        if KINDS[kind] == "int" and isfinite(values[row]):  # some have more digits than a float holds
            values[row] = int(values[row])
        elif KINDS[kind] not in ("int", "float"):
            values[row] = texts[row] if KINDS[kind] == "str" else None
    return values
