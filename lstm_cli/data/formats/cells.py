"""The cells of a table: columns of text in Arrow's layout, and views of some of their rows.

A column becomes numbers as a whole and once, however many sequences its rows belong to; no cell becomes a Python
object on the way.

Legend: N rows of the table, T rows of a view.
"""

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from lstm_cli.data.formats.chunks import KINDS, gaps_of, kinds_of, numbers_of
from lstm_cli.data.formats.notation import Notation

_SAMPLE, _PIECE = 1000, 1 << 14


class TextColumn:
    """A column of text in a table.

    Parameters
    ----------
    cells
        Its trimmed cells (N), an Arrow array of strings, chunked or not.
    notation
        How numbers are written.
    """

    def __init__(self, cells: Any, notation: Notation | None = None) -> None:
        import pyarrow as pa

        self.cells = cells if isinstance(cells, pa.ChunkedArray) else pa.chunked_array([cells])
        self.notation = notation or Notation()
        self._count = len(self.cells)
        self._places: NDArray[np.intp] | None = None  # the rows whose text is kept; None: all

    def __len__(self) -> int:
        return self._count

    @property
    def has_text(self) -> bool:
        """Whether `cells` are still those of all rows."""
        return self._places is None

    def keep_numbers(self) -> None:
        """Drop the text of all cells that are numbers, which takes more memory than the numbers do."""
        import pyarrow as pa

        if self._places is None:
            _ = self.kinds, self.gaps
            self._places = np.flatnonzero(np.isnan(self.numbers[0]))
            self.cells = self.cells.take(self._places)
            pa.default_memory_pool().release_unused()

    def text(self, row: int) -> str:
        """Return the text of a cell; of a number whose text was dropped, as Python writes it."""
        if self._places is None:
            return str(self.cells[row].as_py())
        if self.coded is not None:
            return str(self.coded[1][self.coded[0][row]])
        place = int(np.searchsorted(self._places, row))
        if place < len(self._places) and self._places[place] == row:
            return str(self.cells[place].as_py())
        return str(self.numbers[0][row])

    @cached_property
    def numbers(self) -> tuple[NDArray[np.float64], NDArray[np.bool_] | None]:
        """All cells as numbers (N), NaN where missing; and which cells are neither (N), None if there are none."""
        import pyarrow as pa

        if self.coded is not None:
            codes, texts = self.coded
            found, wrong = numbers_of(pa.array(texts, pa.string()), self.notation)
            numbers, bad = found[codes], None if wrong is None else wrong[codes]
            numbers.flags.writeable = False
            return numbers, bad
        numbers, bad, start = np.empty(len(self)), None, 0
        for chunk in self.cells.chunks:
            stop = start + len(chunk)
            numbers[start:stop], wrong = numbers_of(chunk, self.notation)
            if wrong is not None:
                bad = np.zeros(len(self), np.bool_) if bad is None else bad
                bad[start:stop] = wrong
            start = stop
        numbers.flags.writeable = False  # views of it are given out
        return numbers, bad

    @cached_property
    def coded(self) -> tuple[NDArray[np.int32], NDArray[np.object_]] | None:
        """The number of each cell's text (N), and the texts; None where many of them differ, or few are there."""
        if len(self) <= _SAMPLE // 4:
            return None
        sample = self.cells[:_SAMPLE]
        if len(sample.unique()) > _SAMPLE // 4:
            return None
        coded = self.cells.dictionary_encode().unify_dictionaries()
        codes = np.concatenate([chunk.indices.to_numpy() for chunk in coded.chunks] or [np.empty(0, np.int32)])
        texts = coded.chunk(0).dictionary if coded.num_chunks else []
        if len(texts) > max(_SAMPLE, len(self) // 4):  # the sample was not like the rest
            return None
        return codes, np.array([str(text) for text in texts], np.object_)

    @cached_property
    def finite(self) -> bool:
        """Whether all cells are finite numbers."""
        return bool(np.isfinite(self.numbers[0]).all())

    @property
    def blank(self) -> NDArray[np.bool_]:
        """Which cells (N) are empty."""
        import pyarrow.compute as pc

        return flags(pc.equal(self.cells, ""))

    @cached_property
    def gaps(self) -> NDArray[np.bool_]:
        """Which cells (N) are missing."""
        import pyarrow as pa

        if self.coded is not None:
            codes, texts = self.coded
            return gaps_of(pa.array(texts, pa.string()), self.notation)[codes]
        return np.concatenate([np.zeros(0, np.bool_), *(gaps_of(chunk, self.notation) for chunk in self.cells.chunks)])

    @cached_property
    def kinds(self) -> NDArray[np.uint8]:
        """The kind of every cell (N), as a position in `KINDS`."""
        import pyarrow as pa

        if self.coded is not None:
            codes, texts = self.coded
            different = pa.array(texts, pa.string())
            of_texts = kinds_of(different, self.notation, numbers_of(different, self.notation))
            return np.asarray(of_texts[codes])
        (numbers, bad), kinds, start = self.numbers, np.empty(len(self), np.uint8), 0
        for chunk in self.cells.chunks:
            part = slice(start, start + len(chunk))
            kinds[part] = kinds_of(chunk, self.notation, (numbers[part], None if bad is None else bad[part]))
            start += len(chunk)
        return kinds


class Cells(Sequence[str]):
    """Some rows of a text column, like a list of their cells.

    Parameters
    ----------
    column
    rows
        Which rows, in order; None: all.
    """

    __slots__ = ("_column", "_length", "_rows")

    def __init__(self, column: TextColumn, rows: slice | NDArray[np.int64] | None = None) -> None:
        self._column, self._rows = column, slice(0, len(column)) if rows is None else rows
        self._length = self._rows.stop - self._rows.start if isinstance(self._rows, slice) else len(self._rows)

    @classmethod
    def of(cls, cells: Sequence[str], notation: Notation | None = None) -> "Cells":
        """Return the cells of a list."""
        import pyarrow as pa

        return cls(TextColumn(pa.array(cells, pa.string()), notation))

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> "Cells": ...
    def __getitem__(self, index: int | slice) -> "str | Cells":
        if isinstance(index, slice):
            return self.take(np.arange(len(self))[index])
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        index = index % len(self)
        row = self._rows.start + index if isinstance(self._rows, slice) else int(self._rows[index])
        return self._column.text(row)

    def __iter__(self) -> Iterator[str]:
        return iter(self.tolist())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Cells | list) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Cells({self.tolist()!r:.200})"

    def take(self, rows: NDArray[np.int64]) -> "Cells":
        """Return some of these rows, given by their positions among them."""
        if isinstance(self._rows, slice):
            return Cells(self._column, np.asarray(rows, np.int64) + self._rows.start)
        return Cells(self._column, self._rows[rows])

    def tolist(self) -> list[str]:
        """Return the cells as a list; equal cells are one object where few differ."""
        if self._column.coded is not None:
            codes, texts = self._column.coded
            codes = codes[self._rows]
            if len(codes) <= _SAMPLE:
                return list(texts[codes].tolist())
            pieces = (codes[start : start + _PIECE] for start in range(0, len(codes), _PIECE))
            return [cell for piece in pieces for cell in texts[piece].tolist()]
        if not self._column.has_text:
            return [self[step] for step in range(len(self))]
        return [cell for chunk in self.arrow().chunks for cell in chunk.to_pylist()]

    def arrow(self) -> Any:
        """Return the cells as an Arrow array in chunks."""
        import pyarrow as pa

        if not self._column.has_text:
            return pa.chunked_array([pa.array(self.tolist(), pa.string())])
        if isinstance(self._rows, slice):
            return self._column.cells.slice(self._rows.start, len(self))
        return self._column.cells.take(self._rows)

    def numbers(self) -> NDArray[np.float64] | None:
        """Return all cells as numbers (T), NaN where missing; None if some cell is neither."""
        numbers, bad = self._column.numbers
        if bad is not None and bad[self._rows].any():
            return None
        return numbers[self._rows]

    @property
    def finite(self) -> bool:
        """Whether all cells of the column, these and others, are finite numbers."""
        return self._column.finite

    def texts(self) -> NDArray[np.intp]:
        """Return the positions of all cells that are neither numbers nor missing."""
        bad = self._column.numbers[1]
        return np.flatnonzero(bad[self._rows]) if bad is not None else np.zeros(0, np.intp)

    def gaps(self) -> NDArray[np.bool_]:
        """Return which cells are missing (T)."""
        return self._column.gaps[self._rows]

    def kinds(self) -> dict[str, int]:
        """Return how many cells are ``int``, ``float``, ``str`` (neither number nor missing) and ``null``."""
        counts = np.bincount(self.kind_codes(), minlength=len(KINDS)).tolist()
        return {kind: count for kind, count in zip(KINDS, counts, strict=True) if count}

    def kind_codes(self) -> NDArray[np.uint8]:
        """Return the kind of each cell (T), as a position in `KINDS`."""
        return self._column.kinds[self._rows]

    def keep_numbers(self) -> None:
        """Drop the text of all numbers of the column, as nobody asks for it any longer."""
        self._column.keep_numbers()


def flags(found: Any) -> NDArray[np.bool_]:
    """Return a chunked Arrow array of truths (N); as a whole, it would become one of Python objects."""
    return np.concatenate([np.empty(0, np.bool_), *(chunk.to_numpy(zero_copy_only=False) for chunk in found.chunks)])
