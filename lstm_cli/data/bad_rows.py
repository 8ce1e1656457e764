"""The policy for sequences and rows of tables that cannot be used."""

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from typing import Any, TypeVar

from lstm_cli.data.formats.raw import BadRow, RawSequence
from lstm_cli.errors import DataError, and_more, counted

Given = TypeVar("Given")
Made = TypeVar("Made")

#: Skipping stops above this number of bad rows or sequences if they also exceed this share.
MAX_BAD = 10
MAX_BAD_SHARE = 0.1


class BadRowPolicy:
    """The policy for sequences of a file that cannot be used: the first is raised, or all are skipped and counted.

    Of a table, rows are skipped and counted: a sequence loses the rows that cannot be used.

    Parameters
    ----------
    name
        The file's name in messages.
    skip
        Skip bad rows and sequences; otherwise raise the first.
    """

    def __init__(self, name: str, *, skip: bool) -> None:
        self.name, self.skip = name, skip
        self._total = self._bad = 0
        self._noun = "sequence"
        self._first: list[str] = []

    def like(self) -> "BadRowPolicy":
        """Return a policy that does the same, and has counted nothing."""
        return BadRowPolicy(self.name, skip=self.skip)

    def good(self, items: Generator[Given | DataError, None, None]) -> Generator[Given, None, None]:
        """Yield the good sequences of a reader, which is closed at the end, whatever the end is."""
        with closing(items):
            for item in items:
                if isinstance(item, DataError):
                    self._total += 1
                    self._reject(item)
                    continue
                if _is_of_rows(item):
                    self._noun = "row"
                self._total += _rows(item)
                yield item

    def converted(self, make: Callable[[Given], Made], items: Generator[Given, None, None]) -> Iterator[Made]:
        """Yield the result of `make` for each item that it accepts; the items are closed at the end."""
        with closing(items):
            for item in items:
                rest: Given | None = item
                while rest is not None:
                    try:
                        result = make(rest)
                    except DataError as error:
                        rest = self._without(error, rest)
                    else:
                        yield result
                        break

    def notes(self) -> list[str]:
        """Return a note on what was skipped, or raise if it is too much."""
        if not self._bad:
            return []
        shown = "".join(f"\n  {message}" for message in self._first)
        more = and_more(self._bad - len(self._first), "\n  ")
        count = f"{self.name}: {self._bad:,} of {counted(self._total, self._noun)}"
        if self._bad == self._total:
            raise DataError(f"{count} cannot be used, none is left: correct them{shown}{more}")
        if self._bad > MAX_BAD and self._bad > MAX_BAD_SHARE * self._total:
            raise DataError(f"{count} cannot be used, more than data.on_error: skip allows: correct them{shown}{more}")
        return [f"{count} {'was' if self._bad == 1 else 'were'} skipped:{shown}{more}"]

    def _without(self, error: DataError, item: Any) -> Any:
        """Count what an error makes unusable, and return what is left of the item; None if nothing is."""
        if not isinstance(error, BadRow):
            self._reject(error, _rows(item))
            return None
        # The first few are named one by one. Then all of one kind are dropped together: each is a new attempt.
        rest = error.rest if len(self._first) < MAX_BAD else error.rest_of_kind
        left = _rows(rest)
        self._reject(error, _rows(item) - left)
        return rest if left else None

    def _reject(self, error: DataError, rows: int = 1) -> None:
        if not self.skip:
            raise error
        self._bad += rows
        if len(self._first) < MAX_BAD:
            self._first.append(str(error))


def _is_of_rows(item: Any) -> bool:
    return isinstance(item, RawSequence) and item.rows


def _rows(item: Any) -> int:
    """Return how many rows of a table an item has; of any other, how many sequences it is."""
    if not isinstance(item, RawSequence):
        return 1
    return len(item.steps_at or ()) if item.rows else item.count
