"""Sequences of items that are not held: they are made anew each time they are gone through."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar

Item = TypeVar("Item")
Made = TypeVar("Made")


class Again(Sequence[Item]):
    """Items that a function yields anew each time, so that data larger than memory can be gone through.

    Parameters
    ----------
    make
        Yields all items.
    count
        How many they are; None: they are counted when that is asked.
    """

    def __init__(self, make: Callable[[], Iterable[Item]], *, count: int | None = None) -> None:
        self._make, self._count = make, count

    def __iter__(self) -> Iterator[Item]:
        return iter(self._make())

    def __len__(self) -> int:
        if self._count is None:
            self._count = sum(1 for _ in self)
        return self._count

    def __bool__(self) -> bool:
        return next((True for _ in self), False) if self._count is None else self._count > 0

    def __getitem__(self, index: Any) -> Any:
        return next(islice(self, int(index), None))


def like(given: Sequence[Any], make: Callable[[], Iterable[Item]]) -> Sequence[Item]:
    """Return the items that a function yields: a list where the given ones are one, else made anew each time."""
    return list(make()) if isinstance(given, list) else Again(make)


def each(given: Sequence[Item], change: Callable[[Item], Made]) -> Sequence[Made]:
    """Return what a function makes of each item, as `like`."""
    return like(given, lambda: map(change, given))
