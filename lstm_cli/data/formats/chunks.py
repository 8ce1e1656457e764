"""What the cells of a chunk of a column of text are: numbers, missing, or other text.

Legend: C cells of a chunk.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_cli.data.formats.missing import MissingValues
from lstm_cli.data.formats.notation import Notation

#: The numbers of cells (C), NaN where missing, and which cells are neither (C), None if there are none.
Parsed = tuple[NDArray[np.float64], NDArray[np.bool_] | None]
#: The kinds of cells, by their number in `kinds_of`.
KINDS = ("str", "int", "float", "null")
_STR, _INT, _FLOAT, _NULL = range(4)

_NUMBER = r"^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$|^[-+]?(?i:inf|infinity|nan)$"
_FRACTION = "[.eEnN]"  # what only a number that is not written as a whole one has


def _fractions(chunk: Any, notation: Notation) -> NDArray[np.bool_]:
    """Return which cells (C), if they are numbers, are not written as whole ones."""
    import pyarrow.compute as pc

    plain = notation.plain(chunk)
    found = pc.match_substring(plain, ".")
    if found.true_count < len(chunk):
        found = pc.match_substring_regex(plain, _FRACTION)
    return np.asarray(found.fill_null(False).to_numpy(zero_copy_only=False))


def kinds_of(chunk: Any, notation: Notation, numbers: Parsed) -> NDArray[np.uint8]:
    """Return the kinds of cells (C), given what `numbers_of` returns for them."""
    kinds = np.where(_fractions(chunk, notation), np.uint8(_FLOAT), np.uint8(_INT))
    if numbers[1] is not None:
        kinds[numbers[1]] = _STR
    kinds[gaps_of(chunk, notation, numbers)] = _NULL
    return kinds


def gaps_of(chunk: Any, notation: Notation, numbers: Parsed | None = None) -> NDArray[np.bool_]:
    """Return which cells (C) are missing; `numbers` if `numbers_of` was called before."""
    missing = np.array(_missing(chunk, notation.missing).to_numpy(zero_copy_only=False))
    if notation.missing.numbers:  # listed numbers are NaN here, whatever their text
        values, bad = numbers or numbers_of(chunk, notation)
        missing |= np.isnan(values) if bad is None else np.isnan(values) & ~bad
    return missing


def _missing(chunk: Any, missing: MissingValues) -> Any:
    """Return which cells (C) are listed as missing text."""
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.is_in(chunk, value_set=pa.array(sorted(missing.texts), pa.string()))


def numbers_of(chunk: Any, notation: Notation) -> Parsed:
    """Return the numbers of cells (C), NaN where missing, and which cells are neither (C)."""
    import pyarrow as pa
    import pyarrow.compute as pc

    missing = _missing(chunk, notation.missing)
    bad, plain = None, pc.if_else(missing, None, notation.plain(chunk))
    try:
        numbers = pc.cast(plain, pa.float64())
    except pa.ArrowInvalid:
        plain = pc.if_else(pc.match_substring_regex(plain, _NUMBER), plain, None)
        numbers = pc.cast(plain, pa.float64())
    values = numbers.to_numpy(zero_copy_only=False)
    if np.count_nonzero(np.isnan(values)) > missing.true_count:  # an unlisted NaN is no number
        bad = np.isnan(values) & ~missing.to_numpy(zero_copy_only=False)
    return notation.missing.blanked(values), bad
