"""Which sequence each row of a table belongs to.

Legend: N rows of the table.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_cli.data.formats.cells import TextColumn, flags
from lstm_cli.data.formats.raw import Id, Options, label_key
from lstm_cli.data.formats.table import Rows, Table


class Ids(Sequence[Id]):
    """Which sequence each row belongs to; like a list of the ids of all rows.

    Attributes
    ----------
    codes
        The number of its sequence, in order of appearance (N); None without columns of an id.
    empty
        The rows that have no id (N).
    """

    def __init__(self, table: Table, options: Options) -> None:
        import pyarrow as pa
        import pyarrow.compute as pc

        count = len(table.lines)
        names = [name for name in options.id if name in table.columns]
        self.codes: NDArray[np.int32] | None = None
        self.empty = np.zeros(count, np.bool_)
        self._single = len(names) == 1
        self._columns = [_coded(table.columns[name]) for name in names]
        for codes, values in self._columns:
            self.empty |= flags(pc.equal(pa.chunked_array([values]), ""))[codes]
            self.codes = (
                codes if self.codes is None else _numbered(self.codes.astype(np.int64) * len(values) + codes)[0]
            )

    def __len__(self) -> int:
        return len(self.empty)

    def __getitem__(self, row: Any) -> Any:
        return self.name(row)

    def name(self, row: int) -> Id:
        """Return the id of a row: a text, or one for each column."""
        if self._single:
            codes, texts = self._columns[0]
            text: str = texts[int(codes[row])].as_py()
            return text
        return tuple(values[int(codes[row])].as_py() for codes, values in self._columns)

    def neighbours(self) -> NDArray[np.intp] | None:
        """Return the first row of each sequence, if there are ids and the rows of each are neighbours."""
        if self.codes is None or self.empty.any():
            return None
        starts = np.flatnonzero(np.concatenate([[True], self.codes[1:] != self.codes[:-1]]))
        return starts if len(starts) == self.codes.max() + 1 else None

    def groups(self) -> Iterator[Rows]:
        """Yield the rows of each sequence."""
        count = len(self.empty)
        if self.codes is None:
            yield slice(0, count)
            return
        starts = self.neighbours()
        if starts is not None:
            for start, stop in zip(starts.tolist(), [*starts[1:].tolist(), count], strict=True):
                yield slice(start, stop)
            return
        order = np.argsort(self.codes, kind="stable")
        order = order[~self.empty[order]]
        if len(order):
            yield from np.split(order, np.flatnonzero(np.diff(self.codes[order])) + 1)


def _coded(column: Any) -> tuple[NDArray[np.int32], Any]:
    """Return the number of each cell's text, in order of appearance (N), and the texts, an Arrow array."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if isinstance(column, TextColumn):
        # Rows of one id mostly are neighbours, so that few cells differ from those before them.
        cells = column.cells
        starts = np.flatnonzero(np.concatenate([[True], flags(pc.not_equal(cells[1:], cells[:-1]))]))
        coded = cells.take(starts).combine_chunks().dictionary_encode()
        codes = np.repeat(coded.indices.to_numpy(), np.diff(starts, append=len(cells)))
        return codes, coded.dictionary
    if isinstance(column, np.ndarray):
        codes, firsts = _numbered(column)
        texts = [label_key(value) if value == value else "" for value in column[firsts].tolist()]
        return codes, pa.array(texts, pa.string())
    return _coded(np.array([json.dumps(cell) for cell in column.to_pylist()]))


def _numbered(values: NDArray[Any]) -> tuple[NDArray[np.int32], NDArray[np.intp]]:
    """Return for each value the number of its first appearance (N), and where those are."""
    _, firsts, codes = np.unique(values, return_index=True, return_inverse=True)
    order = np.argsort(firsts)
    ranks = np.empty(len(order), np.int32)
    ranks[order] = np.arange(len(order), dtype=np.int32)
    return ranks[codes], firsts[order]
