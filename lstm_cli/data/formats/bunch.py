"""Short sequences in bunches: what many that follow each other have in common, so that none is an object of its own.

The columns of a bunch hold the steps of its sequences end to end.

Legend: n sequences, S steps of all of them.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Sequences in a bunch, at most.
MOST = 1 << 13
#: Steps that they have on average, at most: longer ones are objects of their own.
STEPS = 16


class Lazy(Sequence[Any]):
    """Items that are looked up on access; equal to a list of them."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Lazy | list) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({list(self)!r:.200})"


class Taken(Lazy):
    """Some items of a sequence, looked up only on access.

    Parameters
    ----------
    items
    places
        Which of them (n,).
    """

    def __init__(self, items: Sequence[Any], places: NDArray[np.int64]) -> None:
        self._items, self._places = items, places

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, index: Any) -> Any:
        return self._items[int(self._places[index])]


class Joined(Lazy):
    """Items of several sequences, one after the other."""

    def __init__(self, parts: Sequence[Sequence[Any]]) -> None:
        self._parts = parts
        self._ends = np.cumsum([len(part) for part in parts]).tolist()

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    @property
    def counted(self) -> bool:
        """Whether they are whole numbers without gaps."""
        ranges = [part for part in self._parts if isinstance(part, range)]
        return len(ranges) == len(self._parts) and all(a.stop == b.start for a, b in pairwise(ranges))

    def __iter__(self) -> Iterator[Any]:
        return chain.from_iterable(self._parts)

    def __getitem__(self, index: Any) -> Any:
        place = range(len(self))[index]
        part = bisect_right(self._ends, place)
        return self._parts[part][place - self._ends[part]]


def compact(numbers: list[int]) -> list[int] | range:
    """Return ascending numbers as a range, if there are no gaps between them."""
    return range(numbers[0], numbers[-1] + 1) if numbers[-1] - numbers[0] == len(numbers) - 1 else numbers


@dataclass(frozen=True, eq=False)
class Bunch:
    """What sequences end to end have each for itself.

    Attributes
    ----------
    ids, places : sequences (n,)
        Their ids, and their places in the file.
    lengths : int64 array (n,)
        Steps of each.
    whole
        Columns with one value for each sequence (n,), not for each step (S,).
    """

    ids: Sequence[Any]
    places: Sequence[str]
    lengths: NDArray[np.int64]
    whole: frozenset[str] = frozenset()

    def __len__(self) -> int:
        return len(self.lengths)

    @cached_property
    def starts(self) -> NDArray[np.int64]:
        """Where each sequence begins (n,)."""
        return np.cumsum(self.lengths) - self.lengths

    def of(self, step: int) -> tuple[str, int]:
        """Return the place of the sequence that has one of the S steps, and the number of the step in it."""
        index = int(np.searchsorted(self.starts, step, side="right")) - 1
        return self.places[index], step - int(self.starts[index])

    def steps(self, which: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return which of the S steps belong to some of the sequences."""
        lengths = self.lengths[which]
        before = np.cumsum(lengths) - lengths
        return np.repeat(self.starts[which] - before, lengths) + np.arange(int(lengths.sum()))

    def take(self, which: NDArray[np.int64]) -> "Bunch":
        """Return some of the sequences."""
        return replace(self, ids=Taken(self.ids, which), places=Taken(self.places, which), lengths=self.lengths[which])

    def cut(self, values: Any, *, whole: bool = False) -> Iterator[Any]:
        """Yield the values of a column for each sequence: one as Python's own if it is `whole`, else a step's each."""
        if whole:
            yield from (value.item() if isinstance(value, np.generic) else value for value in values)
            return
        for start, length in zip(self.starts.tolist(), self.lengths.tolist(), strict=True):
            yield _part(values, start, start + length)

    def within(self, first: int, last: int) -> NDArray[np.bool_]:
        """Return which of the S steps are neither among the first nor among the last of their sequence."""
        inner = np.ones(int(self.lengths.sum()), np.bool_)
        ends = self.starts + self.lengths
        for distance in range(first):
            inner[self.starts + distance] = False
        for distance in range(1, last + 1):
            inner[ends - distance] = False
        return inner


def _part(values: Any, start: int, stop: int) -> Any:
    """Return the steps of a column, or their places, from one to another."""
    return values[start:stop] if isinstance(values, list | np.ndarray) else values.take(np.arange(start, stop))
