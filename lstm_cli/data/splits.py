"""What is held out for validation and test: sequences, the ends of series, or what a column says.

Of several sequences some are chosen at random, by the seed alone; the test set does not depend on how many are held
out for validation.
"""

from collections.abc import Callable, Iterable, Iterator, MutableSequence, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from lstm_cli.config.config import Config
from lstm_cli.config.data import HeldOutSpec
from lstm_cli.data.formats.raw import Split as Split
from lstm_cli.data.schema.layout import Layout
from lstm_cli.data.schema.record import Numbers, Record
from lstm_cli.data.strata import class_numbers, dealt, dealt_groups, stratified
from lstm_cli.errors import DataError, are, counted, listed

Indices = NDArray[np.int64]

#: In the order of their parts in a series.
HELD_OUT: tuple[Literal["valid", "test"], ...] = ("valid", "test")

#: How many steps before a held-out part naive forecasts may look back, and of how many numbers: not beyond a season, of
#: which a third of the steps in which `scores.seasons` looks for one is the longest.
_STEPS_BEFORE, _NUMBERS_BEFORE = 40_000, 800_000


@dataclass
class Splits:
    """The records to train on, to validate with and to test with, and what a user should know about them."""

    train: MutableSequence[Record]
    valid: MutableSequence[Record]
    test: MutableSequence[Record]
    notes: list[str] = field(default_factory=list)


#: Makes a list of records, or what serves as one.
Collect = Callable[[Iterable[Record]], MutableSequence[Record]]


def split(config: Config, layout: Layout, records: Sequence[Record], collect: Collect = list) -> Splits:
    """Return the splits of the training data.

    Parameters
    ----------
    config
        Its ``data.valid`` and ``data.test`` are used if they say how much is held out, and ignored if they are files.
    layout
        The columns of the records.
    records
        All sequences.
    collect
        Collects those of each split.

    Raises
    ------
    ConfigError
        Too little is left to train on, or nothing can be held out as the config says.
    DataError
        The part of a series that ``data.split`` names is too short.
    """
    return _Splitter(config, layout, records, collect).split()


def spec_of(config: Config, key: Literal["valid", "test"]) -> HeldOutSpec | None:
    """Return how much is held out and how, of a fold its share; None if files are given, or nothing."""
    given, fold = getattr(config.data, key), config.data.fold_numbers if key == "valid" else None
    if fold is not None:
        return HeldOutSpec(share=1 / fold[1], by=given.by if isinstance(given, HeldOutSpec) else "sequence")
    if isinstance(given, int | float):
        return HeldOutSpec(share=given)
    return given if isinstance(given, HeldOutSpec) else None


class _Splitter:
    """Splits the records of a data set."""

    def __init__(self, config: Config, layout: Layout, records: Sequence[Record], collect: Collect) -> None:
        self._config, self._layout, self._records, self._collect = config, layout, records, collect
        self._total = sum(record.count for record in records)
        self._per_step = layout.target.per == "step" and layout.closed_loop is None
        self._series = self._total == 1 and self._per_step
        self._seed = config.seed if config.data.split_seed is None else config.data.split_seed
        self._specs = {key: spec for key in HELD_OUT if (spec := spec_of(config, key)) is not None}

    def split(self) -> Splits:
        if self._config.data.split is not None:
            return self._as_said()
        kept: dict[Literal["valid", "test"], Indices] = {}
        pool = np.arange(self._total)
        whole = [key for key in reversed(HELD_OUT) if key in self._specs and not self._in_time(key)]
        self._check_amounts(whole)
        for key in whole:
            kept[key] = self._chosen(key, pool)
            pool = np.setdiff1d(pool, kept[key], assume_unique=True)
        if whole and not len(pool):
            raise self._error(whole[-1], "all sequences are held out: hold out less, or give files")
        parts = (pool, *(kept.get(key, pool[:0]) for key in HELD_OUT))
        train, valid, test = (self._collect(_at(self._records, part)) for part in parts)
        found = Splits(train, valid, test)
        return self._ends_of(found) if any(map(self._in_time, self._specs)) else found

    def _error(self, key: str, problem: str) -> Exception:
        return self._config.error(f"data.{key}", problem)

    def _in_time(self, key: Literal["valid", "test"]) -> bool:
        """Return whether the last steps are held out, as of one long series unless the config says otherwise."""
        by = self._specs[key].by
        if self._series and self._config.data.fold is not None:
            raise self._error("fold", "folds are of whole sequences, and there is one series: use lstm backtest")
        if by == "time" and not self._per_step:
            what = f"by time needs a target per step, and {self._layout.target.name} is one per sequence"
            raise self._error(key, f"{what}: hold out by sequence")
        return by == "time" or (by == "sequence" and self._series)

    def _check_amounts(self, keys: Sequence[Literal["valid", "test"]]) -> None:
        """Refuse to hold out all sequences, or some of a single one."""
        total = self._total
        amount = sum(size_of(self._specs[key].share, total) for key in keys)
        if not keys:
            return
        if total == 1:
            what = "nothing can be held out of a single sequence: give more, or a file, or null"
            raise self._error(keys[-1], what)
        if total - amount < 1:
            what = f"{amount} of {counted(total, 'sequence')} held out, which leaves too few to train on"
            raise self._error(keys[-1], f"{what}: hold out less, or give files")

    def _chosen(self, key: Literal["valid", "test"], pool: Indices) -> Indices:
        """Return which sequences of those that are left are held out, in order."""
        spec, fold = self._specs[key], self._config.data.fold_numbers if key == "valid" else None
        size = size_of(spec.share, self._total)
        if fold is not None:
            return self._fold(spec.by, pool, *fold)
        if spec.by != "sequence":
            return np.array(self._groups(key, spec.by, pool.tolist(), size), np.int64)
        order, labels = self._order(pool), self._labels()
        return np.sort(order[:size]) if labels is None else np.sort(stratified(order, labels, size))

    def _fold(self, by: str, pool: Indices, number: int, count: int) -> Indices:
        """Return those of the sequences that are left which a fold of so many holds out, in order."""
        if by == "sequence":
            order, labels = self._order(pool), self._labels()
            parts, what = [order[[place]] for place in range(len(order))], "sequence"
            folds = dealt(np.zeros_like(order) if labels is None else class_numbers(labels)[order], count).tolist()
        else:
            parts = [own for group in self._grouped(by) if len(own := np.intersect1d(group, pool))]
            folds, what = dealt_groups([len(part) for part in parts], count), "group"
        if len(parts) < count:
            raise self._error("fold", f"{count} folds of {counted(len(parts), what)}: use at most {len(parts)}")
        return np.sort(np.concatenate([part for part, fold in zip(parts, folds, strict=True) if fold == number - 1]))

    def _order(self, pool: Indices) -> Indices:
        """Return the sequences that are left in random order."""
        order = permutation(self._total, self._seed)
        return order[np.isin(order, pool)]

    def _labels(self) -> Iterable[Any] | None:
        """Return the label of every sequence; None where sequences have no single one."""
        target = self._layout.target
        if target.kind != "category" or target.per != "sequence":
            return None
        return chain.from_iterable([""] if record.target is None else record.target for record in self._records)

    def _grouped(self, column: str) -> list[list[int]]:
        """Return the sequences with each value of a column, the values in random order."""
        members: dict[str, list[int]] = {}
        for index, record in enumerate(self._records):
            members.setdefault((record.groups or {})[column], []).append(index)
        return [list(members.values())[place] for place in permutation(len(members), self._seed)]

    def _groups(self, key: str, column: str, pool: list[int], size: int) -> list[int]:
        """Return whole groups of sequences with the same value of a column, as many as come nearest to a size."""
        left = set(pool)
        groups = [group for group in self._grouped(column) if left.issuperset(group)]
        if len(groups) < 2:
            raise self._error(key, f"nothing can be held out by {column}: all sequences left have the same value")
        chosen: list[int] = []
        for group in groups:
            if abs(len(chosen) + len(group) - size) < abs(len(chosen) - size):
                chosen += group
        smallest = min(groups, key=len)
        return sorted(chosen or smallest)

    def _ends_of(self, splits: Splits) -> Splits:
        """Return the splits with the last steps of every series held out, validation before test."""
        shares = {key: self._specs[key].share for key in HELD_OUT if key in self._specs and self._in_time(key)}
        needed = self._layout.lag + 2
        found = Splits(self._collect(()), splits.valid, splits.test, splits.notes)
        short: list[Record] = []
        for record in chain.from_iterable(given.each() for given in splits.train):
            valid, test = (size_of(shares.get(key), record.steps) for key in HELD_OUT)
            held = valid + test
            if record.steps - held < needed:
                if self._series:
                    what = f"{held} of {counted(record.steps, 'step')} held out, which leaves too few to train on"
                    raise self._error(next(iter(shares)), f"{what}: hold out less, or give files")
                short.append(record)
                valid = test = 0
            self._cut(found, record, (record.steps - valid - test, record.steps - test))
        if short:
            if len(short) == sum(record.count for record in splits.train):
                what = f"every series is too short to hold out steps at its end: the first has {short[0].steps}"
                raise self._error(next(iter(shares)), f"{what}: hold out less, or by sequence")
            names = listed([f"{record.id} ({counted(record.steps, 'step')})" for record in short], 5)
            what = "series too short to hold out steps at their end, so that all their steps train"
            found.notes.append(f"train: {what}: {names}")
        return found

    def _before(self, record: Record, begin: int) -> dict[str, Numbers]:
        """Return the values before a part that naive forecasts may look back at; copies, as the series is not kept."""
        columns = self._layout.forecast_columns
        if not begin or not columns:
            return {}
        most = min(_STEPS_BEFORE, _NUMBERS_BEFORE // sum(column.width for column in columns))
        kept = slice(max(0, begin - most), begin)
        return {column.name: record.numbers(column.name)[kept].copy() for column in columns}

    def _as_said(self) -> Splits:
        """Return the splits that a column names."""
        found = Splits(self._collect(()), self._collect(()), self._collect(()))
        for record in self._records:
            ends = record.ends or (record.steps, record.steps)
            if not self._per_step and not set(ends) <= {0, record.steps}:
                what = f"{self._config.data.split}: the values differ within the sequence"
                raise DataError(f"{record.where}: {what}: give one for all of it, as the target is one per sequence")
            self._cut(found, record, ends)
        for name, part in (("train", found.train), ("valid", found.valid)):
            if not part and (name == "train" or self._config.train.monitor.startswith("valid.")):
                what = f"no row says {name}" + (", and train.monitor needs it" if name == "valid" else "")
                raise self._error("split", f"{what}: name some, or give data.train, data.valid and data.test as files")
        return found

    def _cut(self, splits: Splits, record: Record, ends: tuple[int, int]) -> None:
        """Add the parts of a series to the splits; held-out ones begin with the steps before them, which do not count.

        That context is one window, or all steps before. Where each step has a window of its own, the first one that
        counts is full too, even if it predicts several steps ahead.
        """
        window, lag = self._config.data.window, self._layout.lag
        context = lag if self._layout.window is None else lag + self._layout.target.ahead - 1
        bounds = (0, *ends, record.steps)
        for part, start, stop in zip((splits.train, splits.valid, splits.test), bounds, bounds[1:], strict=False):
            if (start, stop) == (0, record.steps):
                part.append(record)
            elif stop > start:
                begin = 0 if window is None or part is splits.train else max(0, start - window - context)
                if stop - begin < lag + 2:
                    what = f"{counted(stop - begin, 'step')} of {record.id} {are(stop - begin)} too few for a split"
                    raise DataError(f"{record.where}: {what}: give at least {lag + 2}")
                own = record.part(begin, stop, first=start)
                own.before = self._before(record, begin)
                own.written = record.written and record.written.take(np.arange(begin, stop), record.steps)
                part.append(own)


def _at(records: Sequence[Record], indices: Indices) -> Iterator[Record]:
    """Yield some of the sequences of records, given by their ascending numbers among all."""
    stop = 0
    for record in records:
        start, stop = stop, stop + record.count
        own = indices[np.searchsorted(indices, start) : np.searchsorted(indices, stop)] - start
        if len(own):
            yield record if record.bunch is None else record.take(own)


def size_of(amount: float | None, total: int) -> int:
    """Return how many of `total` a share or a count amounts to."""
    if amount is None:
        return 0
    return amount if isinstance(amount, int) else max(1, round(amount * total))


def permutation(count: int, *keys: int) -> NDArray[np.int64]:
    """Return 0 … count - 1 in an order that depends on the keys alone: the same with every version of numpy.

    Raw bits are sorted: numpy guarantees a generator's bit stream across versions, but not its permutations.
    """
    bits = np.random.PCG64(np.random.SeedSequence(keys)).random_raw(count)
    return np.argsort(bits, kind="stable")
