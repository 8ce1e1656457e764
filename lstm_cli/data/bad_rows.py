"""What is done with rows that cannot be used: stop at the first, or skip some and say so."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from lstm_cli.errors import DataError, and_more

Given = TypeVar("Given")
Made = TypeVar("Made")

#: Skipping stops above so many bad rows if they are also more than this share.
MOST_ROWS = 10
MOST_SHARE = 0.1


class BadRowPolicy:
    """Counts the bad rows of one file.

    Parameters
    ----------
    name
        The file, as messages show it.
    skip
        Skip bad rows; else the first one is raised.
    """

    def __init__(self, name: str, *, skip: bool) -> None:
        self.name, self.skip = name, skip
        self._rows = self._bad = 0
        self._first: list[str] = []

    def rows(self, items: Iterable[Given | DataError]) -> Iterator[Given]:
        """Yield the good rows of a reader."""
        for item in items:
            self._rows += 1
            if isinstance(item, DataError):
                self._reject(item)
            else:
                yield item

    def made(self, make: Callable[[Given], Made], items: Iterable[Given]) -> Iterator[Made]:
        """Yield what is made of rows, but for those it cannot be made of."""
        for item in items:
            try:
                result = make(item)
            except DataError as error:
                self._reject(error)
            else:
                yield result

    def notes(self) -> list[str]:
        """Return what was skipped, or raise if that is too much."""
        if not self._bad:
            return []
        shown = "".join(f"\n  {message}" for message in self._first)
        more = and_more(self._bad - len(self._first), "\n  ")
        count = f"{self.name}: {self._bad:,} of {self._rows:,} rows"
        if self._bad == self._rows:
            raise DataError(f"{count} cannot be used, none is left: correct them{shown}{more}")
        if self._bad > MOST_ROWS and self._bad > MOST_SHARE * self._rows:
            raise DataError(f"{count} cannot be used, more than data.on_error: skip allows: correct them{shown}{more}")
        return [f"{count} were skipped:{shown}{more}"]

    def _reject(self, error: DataError) -> None:
        if not self.skip:
            raise error
        self._bad += 1
        if len(self._first) < MOST_ROWS:
            self._first.append(str(error))
