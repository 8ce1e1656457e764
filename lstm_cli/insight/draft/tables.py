"""What the rows of a table are: which column names their sequence, which orders them, whether each is a sequence.

Legend: N rows.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain, count
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_cli.data.formats.cells import Cells
from lstm_cli.data.formats.raw import RawSequence, TableOptions, ValueProblem
from lstm_cli.data.schema import other_notations
from lstm_cli.data.schema.quantities import MOST_LABELS, SHARE
from lstm_cli.data.schema.times import infer_form, parse_times
from lstm_cli.insight.draft.names import MEASURED, is_id_name, is_target_name, is_time_name

#: Columns whose names end in a number that count as the steps of one input, at least.
_WIDE = 8
_NUMBERED = re.compile(r"(.*?)_?(\d+)")


@dataclass(frozen=True)
class Arrangement:
    """How rows become sequences.

    Attributes
    ----------
    ids
        Columns that name a row's sequence.
    time
        The column that orders the rows.
    dates
        Whether it holds dates.
    rows
        Whether each row is a sequence.
    wide
        A pattern of the columns that are the steps of a row's sequence; empty if there are none.
    input
        The name of the input that consists of them.
    skipped
        Columns that are not inputs, and why.
    group
        A column whose values hold several sequences each, such as a subject with several recordings.
    every
        Seconds from step to step, where there are dates; None otherwise.
    span
        The days that the dates cover.
    """

    ids: tuple[str, ...] = ()
    time: str | None = None
    dates: bool = False
    rows: bool = False
    wide: str = ""
    input: str = "x"
    skipped: tuple[tuple[str, str], ...] = ()
    group: str | None = None
    every: float | None = None
    span: float = 0.0

    def table(self, table: TableOptions) -> TableOptions:
        """Return the options of a table, with what a row is where that must be said."""
        if self.rows and not self.wide:
            return replace(table, row="sequence")
        return replace(table, row="auto") if self.wide else table


def arrangement(table: RawSequence) -> Arrangement:
    """Return how the rows of a table, given as one long series, become sequences."""
    rows = _Rows(table)
    if rows.hold_sequences:
        return Arrangement(rows.naming, rows=True)
    times = [name for name in rows.names if rows.is_date(name)]
    ids = _ids(rows, times)
    wide = "" if ids or times else _wide(rows)
    if wide:
        return Arrangement(rows.naming, rows=True, wide=wide)
    group = next((name for name in rows.names if _gathers(rows, ids, name)), None)
    time = next((name for name in [*times, *rows.counters] if rows.distinguishes((*ids, name))), None)
    skipped = [(name, "another date" if time else "a date that repeats") for name in times if name != time]
    skipped += [(name, "dates that can be read in two ways") for name in rows.names if rows.is_unread_date(name, times)]
    skipped += [(name, "numbers the rows") for name in rows.numbering if name not in (*ids, time)]
    every, span = rows.spacing(time, ids) if time in times and time is not None else (None, 0.0)
    return Arrangement(ids, time, time in times, skipped=tuple(skipped), group=group, every=every, span=span)


def renamed(
    table: TableOptions, found: Arrangement, sequences: Sequence[RawSequence]
) -> tuple[TableOptions, Arrangement]:
    """Return the options of a wide table without a header with names that tell the label from the steps.

    The label is the first column, or the last, if few different values recur in it.
    """
    names = list(table.columns or ())
    ends = [name for name in (names[0], names[-1]) if _recurs(sequences, name)]
    label, steps = (ends or [""])[0], count(1)
    named = tuple("label" if name == label else f"t{next(steps)}" for name in names)
    return replace(table, columns=named), replace(found, wide="t*")


def _recurs(sequences: Sequence[RawSequence], name: str) -> bool:
    columns = (_numbers(sequence.columns[name]) for sequence in sequences)
    numbers = np.concatenate([np.zeros(0), *(found for found in columns if found is not None)])
    different = len(np.unique(numbers))
    return 1 < different <= MOST_LABELS and different < SHARE * len(numbers) and not (numbers % 1).any()


def input_name(table: TableOptions, first: RawSequence) -> str:
    """Return the name of the input that consists of the columns of a wide table: x, if no other column has it."""
    names = {*first.names, *(table.columns or ())}
    return next(name for name in chain(["x", "steps"], (f"x{place}" for place in count(1))) if name not in names)


class _Rows:
    """The columns of a table."""

    def __init__(self, table: RawSequence) -> None:
        self._columns = table.columns
        self.names = list(table.columns)
        self.numbers: dict[str, NDArray[np.float64]] = {}
        self.codes: dict[str, NDArray[np.int64]] = {}
        self._distinct: dict[str, int] = {}
        for name, value in table.columns.items():
            found = _numbers(value)
            if found is not None:
                self.numbers[name] = found
            self.codes[name], self._distinct[name] = _coded(value if found is None else found)
        self.count = max(map(len, self.codes.values()), default=0)

    @property
    def hold_sequences(self) -> bool:
        """Whether cells hold lists, or texts of several words beside which there is no series of numbers."""
        texts = [value for name, value in self._columns.items() if name not in self.numbers]
        if any(
            _share(cells, lambda cell: isinstance(cell, list) or str(cell).startswith("[")) > 0.9 for cells in texts
        ):
            return True
        long = [name for name in self.names if name not in self.numbers and self._is_prose(name)]
        return bool(long) and len(self.numbers) < 3

    def _is_prose(self, name: str) -> bool:
        cells = self._columns[name]
        return self._distinct[name] > 0.5 * self.count and _share(cells, lambda cell: len(str(cell).split()) > 2) > 0.5

    def is_date(self, name: str) -> bool:
        """Return whether a column holds dates or times of day."""
        value = self._columns[name]
        if len(value) == 0 or (name in self.numbers and not is_time_name(name)):
            return False
        try:
            form = infer_form([value[:20]])
            if form != "number":
                form = infer_form([value])
                parse_times(value, form)
        except ValueProblem:
            return False
        return form != "number"

    def is_unread_date(self, name: str, times: Sequence[str]) -> bool:
        """Return whether a column of text holds dates that are not read as such."""
        if name in times or name in self.numbers:
            return False
        return _share(self._columns[name], lambda cell: other_notations.is_date(str(cell))) > 0.9

    @property
    def naming(self) -> tuple[str, ...]:
        """The column that names each row, if one does."""
        named = [name for name in self.names if is_id_name(name) and self._distinct[name] == self.count]
        return tuple(named[:1])

    @property
    def counters(self) -> list[str]:
        """Columns of numbers that are named like a time and never missing."""
        return [name for name, numbers in self.numbers.items() if is_time_name(name) and not np.isnan(numbers).any()]

    @property
    def numbering(self) -> list[str]:
        """Columns that count the rows of the table."""
        return [
            name for name, numbers in self.numbers.items() if len(numbers) > 2 and bool((np.diff(numbers) == 1).all())
        ]

    def distinct(self, name: str) -> int:
        """Return how many different values a column has."""
        return self._distinct[name]

    def names_rows(self, name: str) -> bool:
        """Return whether a column can name the sequences of rows: text or whole numbers that recur."""
        numbers = self.numbers.get(name)
        if numbers is not None and (np.isnan(numbers).any() or (numbers % 1).any()):
            return False
        return 1 < self._distinct[name] <= self.count / 2

    def joint(self, names: Sequence[str]) -> NDArray[np.int64]:
        """Return one number for each different combination of the values of columns (N,)."""
        found = np.zeros(self.count, np.int64)
        for name in names:
            found = np.unique(found * self._distinct[name] + self.codes[name], return_inverse=True)[1]
        return found

    def distinguishes(self, names: Sequence[str]) -> bool:
        """Return whether no two rows have the same values in all of some columns."""
        return len(np.unique(self.joint(names))) == self.count

    def determines(self, name: str, other: str) -> bool:
        """Return whether rows with the same value in a column have the same in another."""
        return len(np.unique(self.joint([name, other]))) == self._distinct[name]

    def spacing(self, time: str, ids: Sequence[str]) -> tuple[float | None, float]:
        """Return the median of the seconds from step to step, and the days that the dates cover."""
        value = self._columns[time]
        times = parse_times(value, infer_form([value])).astype(np.int64)
        order = np.lexsort((times, groups := self.joint(ids)))
        steps = np.diff(times[order])[np.diff(groups[order]) == 0]
        every = float(np.median(steps)) / 1e9 if len(steps) else None
        return every, float(times.max() - times.min()) / 86_400e9

    def in_blocks(self, name: str) -> bool:
        """Return whether rows with the same value are neighbours."""
        return int((np.diff(self.codes[name]) != 0).sum()) + 1 == self._distinct[name]


def _ids(rows: _Rows, times: Sequence[str]) -> tuple[str, ...]:
    """Return the columns that name the sequences of rows; none if all rows are one series."""
    able = [name for name in rows.names if name not in times and rows.names_rows(name)]
    named = [name for name in able if is_id_name(name)]
    if named:
        return _finest(rows, named)
    single = [name for name in times if rows.distinguishes([name])]
    if times and not single:
        together = [name for name in able if any(rows.distinguishes([name, time]) for time in times)]
        if together:
            return (min(together, key=rows.distinct),)
    if single:
        return ()
    blocks = [name for name in able if rows.in_blocks(name) and rows.count >= 3 * rows.distinct(name)]
    blocks = [name for name in blocks if not is_target_name(name) and name not in rows.counters]
    finer = [name for name in blocks if _has_labels(rows, name)]
    return (max(finer, key=rows.distinct),) if finer else ()


def _finest(rows: _Rows, named: Sequence[str]) -> tuple[str, ...]:
    """Return the columns that tell sequences apart, of those that are named like ids."""
    first = max(named, key=rows.distinct)
    rest = [name for name in named if name != first and not rows.determines(first, name)]
    return tuple(name for name in named if name == first or name in rest)


def _has_labels(rows: _Rows, name: str) -> bool:
    """Return whether another column has fewer values, each the same in all rows of a block."""
    others = (other for other in rows.names if other != name and 1 < rows.distinct(other) < rows.distinct(name))
    return any(rows.determines(name, other) for other in others)


def _gathers(rows: _Rows, ids: Sequence[str], name: str) -> bool:
    """Return whether a column is named like an id and has several sequences for each of at least five values."""
    if not ids or ids == (name,) or not is_id_name(name) or not 5 <= rows.distinct(name) <= rows.count / 4:
        return False
    sequences = len(np.unique(rows.joint(ids)))
    return len(np.unique(rows.joint([*ids, name]))) == sequences > rows.distinct(name)


def _wide(rows: _Rows) -> str:
    """Return a pattern of the columns that are the steps of one input; empty if there are none."""
    stems: Counter[str] = Counter()
    for name in rows.numbers:
        found = _NUMBERED.fullmatch(name)
        if found:
            stems[found[1]] += 1
    if not stems:
        return ""
    stem, members = stems.most_common(1)[0]
    if members < _WIDE or stem.lower() in MEASURED or members < 0.6 * len(rows.names):
        return ""
    pattern = f"{stem}[0-9]*" if stem or any(name.startswith(stem) for name in rows.names) else "[0-9]*"
    others = [name for name in rows.names if not _NUMBERED.fullmatch(name)]
    return f"{stem}*" if stem and not any(name.startswith(stem) for name in others) else pattern


def _share(cells: Any, holds: Any) -> float:
    """Return which share of the first cells of a column something holds for."""
    few = [cell for cell in cells[:200] if str(cell).strip()]
    return sum(map(holds, few)) / len(few) if few else 0.0


def _numbers(value: Any) -> NDArray[np.float64] | None:
    """Return a column as numbers (N,), NaN where missing; None if it is mostly something else."""
    if isinstance(value, np.ndarray):
        return value.astype(np.float64) if value.dtype.kind in "iufb" else None
    if not isinstance(value, Cells):
        return None
    numbers = value.numbers()
    if numbers is not None:
        return None if np.isnan(numbers).all() else numbers
    kinds = value.kinds()
    texts = value.texts()
    if kinds.get("str", 0) > 0.05 * len(value) or len({value[int(place)] for place in texts[:100]}) > 3:
        return None
    found = np.full(len(value), np.nan)
    rest = np.setdiff1d(np.arange(len(value)), texts)
    found[rest] = value.take(rest).numbers()
    return found


def _coded(values: Iterable[Any]) -> tuple[NDArray[np.int64], int]:
    """Return the number of each value among the different ones (N,), and how many those are."""
    if isinstance(values, np.ndarray) and values.dtype.kind in "iufM":
        different, codes = np.unique(values, return_inverse=True)
        return codes.astype(np.int64), len(different)
    index: dict[str, int] = {}
    places = [index.setdefault(str(value), len(index)) for value in values]
    return np.array(places, np.int64), len(index)
