"""Which cells have no value: empty ones, None and NaN always, and what the config lists in `data.missing.values`."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_cli.config.table import MISSING


@dataclass(frozen=True)
class MissingValues:
    """Tells which cells are missing.

    Texts are compared without the blanks around them, and as they are written. A listed number is compared as a
    number: -200 is also ``"-200.0"``.

    Attributes
    ----------
    values
        What counts as missing, as the config lists it.
    """

    values: tuple[str | int | float, ...] = MISSING

    @cached_property
    def texts(self) -> frozenset[str]:
        """The listed texts, and the empty one."""
        return frozenset(["", *(value.strip() for value in self.values if isinstance(value, str))])

    @cached_property
    def numbers(self) -> frozenset[float]:
        """The listed numbers, also those that are listed as text; without NaN."""
        return frozenset(number for number in map(_number, self.values) if number is not None and number == number)

    def is_missing(self, cell: Any) -> bool:
        """Return whether a text, a number or None is missing."""
        if cell is None:
            return True
        if isinstance(cell, str):
            text = cell.strip()
            return text in self.texts or (bool(self.numbers) and self._lists(_number(text)))
        if isinstance(cell, bool | np.bool_) or not isinstance(cell, int | float | np.integer | np.floating):
            return False
        return bool(cell != cell) or self._lists(_number(cell))

    def _lists(self, number: float | None) -> bool:
        return number is not None and number in self.numbers

    def among(self, cells: Iterable[Any]) -> NDArray[np.bool_]:
        """Return for each cell whether it is missing (T,)."""
        return np.fromiter((self.is_missing(cell) for cell in cells), np.bool_)

    def blanked(self, numbers: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return numbers of any shape with NaN in place of the listed ones."""
        if not self.numbers:
            return numbers
        return np.where(np.isin(numbers, list(self.numbers)), np.nan, numbers)


def _number(value: str | float | np.integer[Any] | np.floating[Any]) -> float | None:
    """Return a number, or a text that represents one; None for other text, and beyond float64."""
    if isinstance(value, str) and ("_" in value or not value.isascii()):
        return None  # what only Python takes for a number
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None
