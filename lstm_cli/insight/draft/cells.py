"""Which columns of a table hold whole sequences in their cells: lists, sentences, or strings such as DNA.

A sentence may repeat as a state of a log does, and a string may be another in each row as an id is. What tells them
apart is the evidence of the other columns: an id that repeats or a time says that rows are steps.
"""

import re
from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np

from lstm_cli.data.schema.quantities import MOST_LABELS
from lstm_cli.insight.draft.columns import LONG_TEXT
from lstm_cli.insight.draft.names import (
    is_id_name,
    is_row_number_name,
    is_tag_name,
    is_target_name,
    is_text_name,
    is_time_name,
)
from lstm_cli.insight.draft.rows import Rows, has_fractions

#: Cells of a column that are looked at.
_CELLS = 1000
#: Rows, and mean characters of a cell, from which on different strings are sequences rather than labels or ids.
_FEWEST, _SHORTEST = 5, 3
#: The share of different ones among sentences and long strings, and among short strings, which may be running words.
_DIFFERENT, _SHORT_DIFFERENT = 0.5, 0.9
#: Columns of numbers from which on a table is measured step by step, whatever is written beside them.
_MEASURED = 3
#: Numbers whose order says something, at least: two always rise or fall.
_FEW = 3
_DIGITS = re.compile(r"\d{1,18}")


class SequenceCells:
    """Finds the columns of a table whose cells hold sequences.

    Parameters
    ----------
    rows
    times
        Its columns of dates.
    """

    def __init__(self, rows: Rows, times: Sequence[str]) -> None:
        self._rows, self._times = rows, times
        self._texts = {
            name: _Text([str(cell) for cell in rows.cells(name, _CELLS) if str(cell).strip()])
            for name in rows.names
            if name not in rows.numbers
        }

    @property
    def lists(self) -> list[str]:
        """Columns of lists."""
        return [name for name, text in self._texts.items() if text.share(lambda cell: cell.startswith("[")) > 0.9]

    @property
    def prose(self) -> list[str]:
        """Columns of texts of several words that hardly repeat; none beside numbers over time."""
        if len(self._rows.numbers) >= _MEASURED and self._orders:
            return []
        return [
            name
            for name, text in self._texts.items()
            if text.is_prose and self._differs(name) and (is_text_name(name) or not text.numbers_rows)
        ]

    @property
    def named(self) -> list[str]:
        """Columns that may be named like ids, but hold texts, and so name no sequences."""
        return [
            name
            for name, text in self._texts.items()
            if is_text_name(name) and (text.is_spaced or self._is_long(name)) and not self._rows.in_blocks(name)
        ]

    @property
    def texts(self) -> list[str]:
        """Columns of sentences or strings, in a table without an id that repeats and without a time."""
        if self._orders or any(is_tag_name(name) for name in self._rows.names):
            return []
        able = [name for name in self._texts if self._may_be_text(name)]
        return [name for name in able if self._is_sentence(name) or self._is_string(name)]

    @cached_property
    def _orders(self) -> list[str]:
        """Columns that order the rows in time."""
        counters = [name for name in self._rows.counters if not is_row_number_name(name)]
        return [name for name in (*self._times, *counters) if self._rows.distinguishes([name])]

    def _differs(self, name: str, share: float = _DIFFERENT) -> bool:
        return self._rows.distinct(name) > share * self._rows.count

    def _may_be_text(self, name: str) -> bool:
        """Return whether neither the name nor the form of its cells says what a column is otherwise."""
        text, rows = self._texts[name], self._rows
        other = name in self._times or is_target_name(name) or is_time_name(name) or rows.is_unread_date(name, ())
        named = is_id_name(name) and not is_text_name(name)
        return not (other or named or text.numbers_rows) and rows.distinct(name) > 1

    def _is_sentence(self, name: str) -> bool:
        """Return whether cells are of several words, however often they repeat, unless they are states of a log."""
        few = self._rows.distinct(name) <= MOST_LABELS
        return self._texts[name].is_spaced and not self._lingers(name) and not (few and self._measured)

    def _is_string(self, name: str) -> bool:
        """Return whether cells are strings that differ too much to be labels."""
        if self._rows.count < _FEWEST or len(self._measured) >= _MEASURED:
            return False
        if self._is_long(name):
            return True
        return self._texts[name].letters >= _SHORTEST and self._differs(name, _SHORT_DIFFERENT)

    def _is_long(self, name: str) -> bool:
        text, different = self._texts[name], self._rows.distinct(name)
        return text.letters >= LONG_TEXT and different > MOST_LABELS and not text.numbers_rows

    @cached_property
    def _measured(self) -> list[str]:
        """Columns of numbers that are no labels and no numbers of rows."""
        rows = self._rows
        apart = [name for name in rows.numbers if name not in rows.numbering and not is_target_name(name)]
        return [
            name
            for name in apart
            if not (is_id_name(name) and rows.distinct(name) == rows.count)
            and (has_fractions(rows.numbers[name]) or rows.distinct(name) > MOST_LABELS)
        ]

    def _lingers(self, name: str) -> bool:
        """Return whether values stay the same from row to row and come back, as states do: of sorted rows none does."""
        codes = self._rows.codes[name]
        shares = np.bincount(codes) / max(1, len(codes))
        by_chance = (len(codes) - 1) * (1 - float(np.square(shares).sum()))
        changes = int((np.diff(codes) != 0).sum())
        return self._rows.distinct(name) <= changes < 0.5 * by_chance


class _Text:
    """The first cells of a column of texts."""

    def __init__(self, cells: Sequence[str]) -> None:
        self._cells = cells

    def share(self, holds: Callable[[str], bool]) -> float:
        """Return for which share of the cells something holds."""
        return sum(map(holds, self._cells)) / len(self._cells) if self._cells else 0.0

    @property
    def is_prose(self) -> bool:
        """Whether most cells have more than two words."""
        return self.share(lambda cell: len(cell.split()) > 2) > 0.5

    @property
    def is_spaced(self) -> bool:
        """Whether most cells have several words."""
        return self.share(lambda cell: len(cell.split()) > 1) > 0.5

    @cached_property
    def letters(self) -> float:
        """The mean number of characters of a cell."""
        return sum(map(len, self._cells)) / max(1, len(self._cells))

    @cached_property
    def numbers_rows(self) -> bool:
        """Whether the digits of the cells count on, as those of S1, S2, … or of the dates of a series do."""
        groups = [tuple(map(int, _DIGITS.findall(cell))) for cell in self._cells]
        if len(groups) < _FEW or len({*map(len, groups)}) > 1 or not groups[0]:
            return False
        orders = [groups, [group[::-1] for group in groups], [group[:1] for group in groups]]
        if any(_is_sorted(order) for order in (*orders, [group[-1:] for group in groups])):
            return True
        forms = {_DIGITS.sub("0", cell) for cell in self._cells}
        numbers = [group[0] for group in groups]
        return len(forms) == len(groups[0]) == 1 and max(numbers) - min(numbers) < 2 * len(numbers)


def _is_sorted(values: Sequence[tuple[int, ...]]) -> bool:
    """Return whether values rise, or fall, from one to the next, as far as they change; some do."""
    ordered = sorted(values)
    return ordered[0] != ordered[-1] and list(values) in (ordered, ordered[::-1])
