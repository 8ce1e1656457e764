"""What the rows of a table are: which column names their sequence, which orders them, whether each is a sequence.

Legend: N rows.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain, count

import numpy as np

from lstm_cli.data.formats.raw import RawSequence, TableOptions
from lstm_cli.data.schema.quantities import MOST_LABELS, SHARE
from lstm_cli.insight.draft.cells import SequenceCells
from lstm_cli.insight.draft.names import MEASURED, is_id_name, is_target_name
from lstm_cli.insight.draft.rows import Rows, has_fractions, numbers_of

#: Columns whose names end in a number that count as the steps of one input, at least.
_WIDE = 8
_NUMBERS = "numbers the rows"
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

    def table(self, table: TableOptions, form: str) -> TableOptions:
        """Return the options of a table in a format, with what a row is where that must be said."""
        if self.rows and not self.wide:
            return replace(table, row="sequence" if form == "csv" else "auto")
        return replace(table, row="auto") if self.wide else table


def arrangement(table: RawSequence) -> Arrangement:
    """Return how the rows of a table, given as one long series, become sequences."""
    rows = Rows(table)
    times = [name for name in rows.names if rows.is_date(name)]
    cells = SequenceCells(rows, times)
    if held := cells.lists or cells.prose:
        return _of_cells(rows, held)
    ids = _ids(rows, times, cells.named)
    if not ids and (held := cells.texts):
        return _of_cells(rows, held)
    wide = "" if ids or times else _wide(rows)
    if wide:
        return Arrangement(rows.naming(), rows=True, wide=wide)
    group = next((name for name in rows.names if _gathers(rows, ids, name)), None)
    time = next((name for name in [*times, *rows.counters] if rows.distinguishes((*ids, name))), None)
    skipped = [(name, "another date" if time else "a date that repeats") for name in times if name != time]
    skipped += [(name, "dates that can be read in two ways") for name in rows.names if rows.is_unread_date(name, times)]
    skipped += [(name, _NUMBERS) for name in rows.numbering if name not in (*ids, time)]
    every, span = rows.spacing(time, ids) if time in times and time is not None else (None, 0.0)
    return Arrangement(ids, time, time in times, skipped=tuple(skipped), group=group, every=every, span=span)


def _of_cells(rows: Rows, held: Sequence[str]) -> Arrangement:
    """Return the arrangement of rows of which each is a sequence, held by the cells of some columns."""
    ids = rows.naming(held)
    skipped = [(name, _NUMBERS) for name in rows.numbering if name not in ids]
    several = [name for name in rows.numbers if is_id_name(name) and rows.names_rows(name)]
    skipped += [(name, "an id of several rows") for name in several if rows.distinct(name) > MOST_LABELS]
    return Arrangement(ids, rows=True, skipped=tuple(one for one in skipped if one[0] not in held))


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
    columns = (numbers_of(sequence.columns[name]) for sequence in sequences)
    numbers = np.concatenate([np.zeros(0), *(found for found in columns if found is not None)])
    different = len(np.unique(numbers))
    few = 1 < different <= MOST_LABELS and different < SHARE * len(numbers)
    return few and not (np.isnan(numbers).any() or has_fractions(numbers))


def input_name(table: TableOptions, first: RawSequence) -> str:
    """Return the name of the input that consists of the columns of a wide table: x, if no other column has it."""
    names = {*first.names, *(table.columns or ())}
    return next(name for name in chain(["x", "steps"], (f"x{place}" for place in count(1))) if name not in names)


def _ids(rows: Rows, times: Sequence[str], texts: Sequence[str]) -> tuple[str, ...]:
    """Return the columns that name the sequences of rows; none if all rows are one series, as far as they tell."""
    able = [name for name in rows.names if name not in (*times, *texts) and rows.names_rows(name)]
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


def _finest(rows: Rows, named: Sequence[str]) -> tuple[str, ...]:
    """Return the columns that tell sequences apart, of those that are named like ids."""
    first = max(named, key=rows.distinct)
    rest = [name for name in named if name != first and not rows.determines(first, name)]
    return tuple(name for name in named if name == first or name in rest)


def _has_labels(rows: Rows, name: str) -> bool:
    """Return whether another column has fewer values, each the same in all rows of a block."""
    others = (other for other in rows.names if other != name and 1 < rows.distinct(other) < rows.distinct(name))
    return any(rows.determines(name, other) for other in others)


def _gathers(rows: Rows, ids: Sequence[str], name: str) -> bool:
    """Return whether a column is named like an id and has several sequences for each of at least five values."""
    if not ids or ids == (name,) or not is_id_name(name) or not 5 <= rows.distinct(name) <= rows.count / 4:
        return False
    sequences = len(np.unique(rows.joint(ids)))
    return len(np.unique(rows.joint([*ids, name]))) == sequences > rows.distinct(name)


def _wide(rows: Rows) -> str:
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
