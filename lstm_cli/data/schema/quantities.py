"""What numbers of a target are: quantities, or labels because few whole values recur, or vectors of zeros and ones."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_cli.data.formats.cells import Cells
from lstm_cli.data.formats.missing import MissingValues
from lstm_cli.data.schema.blocks import blocks
from lstm_cli.data.schema.summary import text_type
from lstm_cli.data.schema.symbols import is_hot
from lstm_cli.data.schema.values import flat

#: Whole numbers are labels if there are at most this many different ones, and fewer than this share of all values.
MOST_LABELS, SHARE = 20, 0.1


def recurs(values: Iterable[Any], missing: MissingValues) -> bool:
    """Return whether values are few whole numbers that recur, so that they are labels.

    Parameters
    ----------
    values
        One for each sequence: a number, cells or numbers per step.
    missing
        Which of them do not count.
    """
    different: set[float] = set()
    total = 0
    for value in values:
        numbers = _numbers(value, missing)
        total += len(numbers)
        for part in [numbers] if isinstance(numbers, list) else blocks([numbers]):
            different.update(set(part) if isinstance(part, list) else np.unique(part).tolist())
            if len(different) > MOST_LABELS or not all(number.is_integer() for number in different):
                return False
    return 1 < len(different) < SHARE * total


def _numbers(value: Any, missing: MissingValues) -> NDArray[np.float64] | list[float]:
    """Return the numbers among the values of a sequence that are not missing (N,)."""
    if isinstance(value, np.ndarray) and value.dtype.kind in "iufb":
        numbers = missing.blanked(value.astype(np.float64).ravel())
        return numbers[np.isfinite(numbers)]
    if isinstance(value, Cells) and (cells := value.numbers()) is not None:
        return cells[np.isfinite(cells)]
    given = [number for cell in flat(value) if not missing.is_missing(cell) and (number := _number(cell)) is not None]
    return [number for number in given if np.isfinite(number)]


def _number(cell: Any) -> float | None:
    if isinstance(cell, str):
        return float(cell) if text_type(cell) in ("int", "float") else None
    return float(cell) if isinstance(cell, int | float | np.number | np.bool_) else None


def share_of_hot(values: Iterable[Any], *, many: bool) -> float:
    """Return the share of values that are, or consist of, vectors of zeros and a single one, or with `many` of ones.

    Vectors of one number, or of different widths, are none.
    """
    count = found = 0
    widths: set[int] = set()
    for value in values:
        count += 1
        if isinstance(value, np.ndarray) and value.dtype.kind in "iufb" and value.ndim in (1, 2) and value.size:
            vectors = np.atleast_2d(value)
            widths.add(vectors.shape[1])
            found += bool(is_hot(vectors, many=many).all())
    return found / count if len(widths) == 1 and widths != {1} else 0.0
