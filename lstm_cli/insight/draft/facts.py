"""Counts what the columns of sequences hold."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_cli.data.formats.cells import Cells
from lstm_cli.data.formats.missing import MissingValues
from lstm_cli.data.formats.raw import RawSequence, label_key
from lstm_cli.data.schema.quantities import MOST_LABELS, SHARE
from lstm_cli.data.schema.summary import Summary, text_type
from lstm_cli.data.schema.values import flat
from lstm_cli.insight.draft.columns import Column, Kind, Per
from lstm_cli.insight.draft.reading import is_list
from lstm_cli.insight.draft.rows import has_fractions

#: Different values of a column that are counted.
_MOST = 5000
#: Numbers that stand for missing ones, where nothing else is near them.
_SENTINELS = (-99, -200, -999, -9999, -99999, 999, 9999, 99999)
#: Different texts of one column among its numbers that are taken for marks of missing ones.
_MARKS = 3


def columns_of(sequences: Sequence[RawSequence], missing: MissingValues) -> list[Column]:
    """Return the columns of sequences, in the order of the file."""
    names = list(dict.fromkeys(name for sequence in sequences for name in sequence.columns))
    tallies = {name: _Tally(name, missing) for name in names}
    for sequence in sequences:
        steps = _steps(sequence)
        for name, value in sequence.columns.items():
            labelled = name in sequence.labels
            tallies[name].add(value, steps, textual=sequence.textual, labelled=labelled)
    return [tally.column() for tally in tallies.values() if tally.summary.depth is not None]


def _steps(sequence: RawSequence) -> int:
    """Return how many steps a sequence has: as many as its longest list."""
    return max((len(value) for value in sequence.columns.values() if is_list(value)), default=-1)


class _Tally:
    """Counts the values of one column."""

    def __init__(self, name: str, missing: MissingValues) -> None:
        self._name, self._missing = name, missing
        self.summary = Summary(missing)
        self._texts: Counter[str] = Counter()
        self._each: Counter[str] = Counter()  # the value of each sequence, as far as there is one for all its steps
        self._numbers: list[NDArray[np.float64]] = []
        self._longest = np.zeros(0)
        self._many = self._labelled = False
        self._same = True
        self._gaps = self._cells = self._spaced = self._letters = 0

    def add(self, value: Any, steps: int, *, textual: bool, labelled: bool) -> None:
        """Count the value that a sequence of a number of steps has."""
        self.summary.add(value, steps, textual=textual)
        self._labelled = self._labelled or labelled
        numbers, texts = _parts(value, self._missing, textual=textual)
        self._cells += len(numbers)
        self._gaps += int(np.isnan(numbers).sum()) - len(texts)
        self._numbers.append(numbers)
        single = not is_list(value) or getattr(value, "ndim", 1) == 1
        if single and len(numbers) > len(self._longest) and not texts:
            self._longest = numbers
        present = numbers[~np.isnan(numbers)]
        different = len(set(texts)) + (len(np.unique(present)) if len(present) else 0)
        self._same = self._same and different <= 1
        if self._same and different:
            self._each[texts[0] if texts else label_key(present[0].item())] += 1
        self._spaced += sum(" " in text.strip() for text in texts)
        self._letters += sum(map(len, texts))
        if not self._many:
            self._texts.update(texts)
            self._many = len(self._texts) > _MOST

    def column(self) -> Column:
        """Return what the column holds."""
        summary = self.summary
        numbers = np.concatenate([np.zeros(0), *self._numbers])
        present = numbers[~np.isnan(numbers)]
        sentinels = _sentinels(present)
        gaps = self._gaps + int(np.isin(present, sentinels).sum())
        present = present[~np.isin(present, sentinels)]
        longest = np.where(np.isin(self._longest, sentinels), np.nan, self._longest)
        numeric = summary.numeric and (len(self._texts) <= _MARKS or len(present) > 20 * sum(self._texts.values()))
        values = self._values(present) if numeric else self._texts
        distinct = None if (values is None or (self._many and not numeric)) else len(values)
        whole = bool(numeric and len(present) and not has_fractions(present))
        total = len(present) if numeric else sum(self._texts.values())
        per = self._per()
        return Column(
            name=self._name,
            kind=self._kind(numeric, whole, distinct, total),
            per=per,
            width=summary.width if summary.depth == 2 else self._width(per),
            count=total,
            values=(self._each if values and per == "constant" else values) or Counter(),
            distinct=distinct,
            whole=whole,
            low=float(present.min()) if len(present) else np.nan,
            high=float(present.max()) if len(present) else np.nan,
            missing=gaps + (sum(self._texts.values()) if numeric else 0),
            marks=(*sorted(self._texts), *map(int, sentinels)) if numeric else (),
            longest=longest if numeric and summary.depth == 1 else np.zeros(0),
            single=summary.depth == 0,
            blanks=self._spaced / max(1, total),
            letters=self._letters / max(1, total),
        )

    def _values(self, present: NDArray[np.float64]) -> Counter[str] | None:
        """Return how often each number occurs; None if there are very many."""
        different, counts = np.unique(present, return_counts=True)
        if len(different) > _MOST:
            return None
        return Counter(dict(zip(map(label_key, different.tolist()), counts.tolist(), strict=True)))

    def _per(self) -> Per:
        summary = self.summary
        if not summary.depth or 2 * summary.aligned <= summary.count:
            return "sequence"
        return "constant" if self._same and summary.depth == 1 and summary.count > 1 else "step"

    def _width(self, per: Per) -> int:
        """Return how many numbers a sequence has where a list is one value of it."""
        summary = self.summary
        return summary.lengths.most_common(1)[0][0] if per == "sequence" and summary.depth == 1 else 1

    def _kind(self, numeric: bool, whole: bool, distinct: int | None, total: int) -> Kind:
        summary = self.summary
        if summary.depth == 2:
            return "number" if summary.vectors else "set"
        if self._labelled:
            return "label"
        several = summary.count if self._per() != "step" else total
        if numeric:
            few = distinct is not None and 1 < distinct <= MOST_LABELS
            recur = few and distinct is not None and distinct < max(3, SHARE * several)
            boolean = summary.cells["bool"] > summary.cells["int"] + summary.cells["float"]
            return "label" if boolean or (whole and recur) else "number"
        return "label" if distinct is not None and distinct <= max(2, several / 3) else "text"


def _sentinels(present: NDArray[np.float64]) -> list[float]:
    """Return numbers that stand for missing ones: at an end of the range, recurring, and far from all others."""
    found = []
    for end in (np.min, np.max):
        if len(present) < 20 or (edge := float(end(present))) not in _SENTINELS or (present == edge).sum() < 2:
            continue
        rest = present[present != edge]
        if len(rest) and np.abs(rest - edge).min() > 2 * max(rest.max() - rest.min(), np.abs(rest).max() / 10):
            found.append(edge)
    return found


def _parts(value: Any, missing: MissingValues, *, textual: bool) -> tuple[NDArray[np.float64], list[str]]:
    """Return a value's innermost parts as numbers (N,), NaN where there is none, and the texts among them."""
    if isinstance(value, np.ndarray) and value.dtype.kind in "iufb":
        return missing.blanked(value.astype(np.float64).ravel()), []
    if isinstance(value, Cells) and (numbers := value.numbers()) is not None:
        return numbers, []
    cells = list(flat(value))
    numbers, texts = np.full(len(cells), np.nan), []
    for place, cell in enumerate(cells):
        if missing.is_missing(cell):
            continue
        if isinstance(cell, int | float | np.number) or (textual and text_type(str(cell)) in ("int", "float")):
            numbers[place] = float(cell)
        elif not isinstance(cell, np.datetime64):
            texts.append(str(cell))
    return numbers, texts
