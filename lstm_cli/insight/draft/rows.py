"""The columns of a table whose rows are not yet sequences, and what they say about its rows.

Legend: N rows.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_cli.data.formats.cells import Cells
from lstm_cli.data.formats.raw import RawSequence, ValueProblem
from lstm_cli.data.schema import other_notations
from lstm_cli.data.schema.times import infer_form, parse_times
from lstm_cli.insight.draft.names import is_id_name, is_time_name


class Rows:
    """The columns of a table."""

    def __init__(self, table: RawSequence) -> None:
        self._columns = table.columns
        self.names = list(table.columns)
        self.numbers: dict[str, NDArray[np.float64]] = {}
        self.codes: dict[str, NDArray[np.int64]] = {}
        self._distinct: dict[str, int] = {}
        for name, value in table.columns.items():
            found = numbers_of(value)
            if found is not None:
                self.numbers[name] = found
            self.codes[name], self._distinct[name] = _coded(value if found is None else found)
        self.count = max(map(len, self.codes.values()), default=0)

    def cells(self, name: str, count: int) -> list[Any]:
        """Return the first cells of a column, at most a number of them."""
        return list(self._columns[name][:count])

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

    def naming(self, but: Sequence[str] = ()) -> tuple[str, ...]:
        """Return the column that names each row, if one does; those in `but` hold something else."""
        able = [name for name in self.names if name not in but and is_id_name(name)]
        return tuple([name for name in able if self._distinct[name] == self.count][:1])

    @property
    def counters(self) -> list[str]:
        """Columns of numbers that are named like a time and never missing."""
        return [name for name, numbers in self.numbers.items() if is_time_name(name) and not np.isnan(numbers).any()]

    @property
    def numbering(self) -> list[str]:
        """Columns that count the rows of the table, or did so before some were left out: the index of pandas."""
        return [
            name
            for name, numbers in self.numbers.items()
            if name.startswith("__index_level_") or (len(numbers) > 2 and bool((np.diff(numbers) == 1).all()))
        ]

    def distinct(self, name: str) -> int:
        """Return how many different values a column has."""
        return self._distinct[name]

    def names_rows(self, name: str) -> bool:
        """Return whether a column can name the sequences of rows: text or whole numbers that recur."""
        numbers = self.numbers.get(name)
        if numbers is not None and (np.isnan(numbers).any() or has_fractions(numbers)):
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


def _share(cells: Any, holds: Callable[[Any], bool]) -> float:
    """Return which share of the first cells of a column something holds for."""
    few = [cell for cell in cells[:200] if str(cell).strip()]
    return sum(map(holds, few)) / len(few) if few else 0.0


def has_fractions(numbers: NDArray[np.float64]) -> bool:
    """Return whether some of numbers (N,), of which any may be missing or infinite, are not whole."""
    return bool((np.floor(numbers) != numbers)[~np.isnan(numbers)].any())


def numbers_of(value: Any) -> NDArray[np.float64] | None:
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
