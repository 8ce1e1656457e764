"""Scores of parts of the positions: by length, or by any value that each position has.

Legend: N positions.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_cli.scores.metrics import metrics_of
from lstm_cli.scores.positions import Positions

PARTS, LEAST = 5, 5  # ranges that lengths and other numbers are divided into, and how many of them one has at least
MOST_NUMBERS = 12  # numbers with more different values are divided into ranges
MISSING = "(missing)"
_FIGURES = ("sequences", "positions", "metrics")


def lengths_of(positions: Positions) -> NDArray[np.int64]:
    """Return the length of each position's sequence (N,): its steps that have an output."""
    return positions.dataset.lengths[positions.sequences]


def by_length(positions: Positions) -> list[dict[str, Any]]:
    """Return the scores of sequences of similar length, the shortest first.

    The ranges hold about as many sequences each. Every entry has ``low`` and ``high``, the shortest and the longest
    length in it, ``sequences``, ``positions`` and ``metrics``.
    """
    lengths = lengths_of(positions)
    first = np.flatnonzero(np.diff(positions.sequences, prepend=-1))
    parts = ranges(lengths, lengths[first])
    return [
        {"low": int(lengths[own].min()), "high": int(lengths[own].max()), **scores_of_part(positions, own)}
        for own in (parts == part for part in np.unique(parts))
    ]


def by_range_of_lengths(positions: Positions) -> dict[str, dict[str, Any]]:
    """Return the scores of `by_length` under names such as ``3 to 10``."""
    return {range_name(part): {name: part[name] for name in _FIGURES} for part in by_length(positions)}


def range_name(part: Mapping[str, Any]) -> str:
    """Return what to call an entry of `by_length`."""
    low, high = part["low"], part["high"]
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def by_value(positions: Positions, values: Sequence[Any]) -> dict[str, dict[str, Any]]:
    """Return the scores of the positions of each value: of names the most frequent first, numbers in their order.

    Numbers of many different values are divided into ranges that hold about as many positions each.

    Parameters
    ----------
    positions
    values
        One for each position (N): text, numbers, booleans or None.

    Returns
    -------
    groups
        By value: ``sequences``, ``positions`` and ``metrics``.
    """
    names, places = grouped(values)
    return {name: scores_of_part(positions, places == k) for k, name in enumerate(names)}


def grouped(values: Sequence[Any]) -> tuple[list[str], NDArray[np.int64]]:
    """Return the names of the groups that values are in, in order, and the group of each value (N,)."""
    shown = [MISSING if value is None else str(value) for value in values]
    counts = Counter(shown)
    numbers = _numbers(values)
    if numbers is None:
        names = sorted(counts, key=lambda name: (name == MISSING, -counts[name], name))
    elif len(set(numbers[~np.isnan(numbers)].tolist())) <= MOST_NUMBERS:
        own = dict(zip(shown, numbers.tolist(), strict=True))
        names = sorted(counts, key=lambda name: (name == MISSING, own[name]))
    else:
        return _of_ranges(numbers)
    places = {name: k for k, name in enumerate(names)}
    return names, np.array([places[name] for name in shown], np.int64)


def _numbers(values: Sequence[Any]) -> NDArray[np.float64] | None:
    """Return values as numbers, NaN for None; None if some are not finite numbers, or booleans."""
    try:
        found = np.array([np.nan if value is None else float(value) for value in values])
    except (TypeError, ValueError):
        return None
    given = np.array([value is not None for value in values], np.bool_)
    odd = any(isinstance(value, bool) for value in values) or not np.isfinite(found[given]).all() or not given.any()
    return None if odd else found


def _of_ranges(numbers: NDArray[np.float64]) -> tuple[list[str], NDArray[np.int64]]:
    """Return ranges of numbers by their lowest and highest, and the range of each number; the last: NaN."""
    known = ~np.isnan(numbers)
    parts = np.full(len(numbers), -1)
    _, parts[known] = np.unique(ranges(numbers[known], numbers[known]), return_inverse=True)
    count = int(parts.max()) + 1
    own = [numbers[parts == part] for part in range(count)]
    names = [f"{part.min():.12g} to {part.max():.12g}" for part in own]
    return names + [MISSING] * (not known.all()), np.where(known, parts, count)


def scores_of_part(positions: Positions, own: NDArray[np.bool_]) -> dict[str, Any]:
    """Return how many sequences and positions a part of the positions has, and its metrics."""
    part = positions.taken(own)
    figures = (len(np.unique(part.sequences)), len(part), metrics_of(part))
    return dict(zip(_FIGURES, figures, strict=True))


def ranges(values: NDArray[Any], of: NDArray[Any]) -> NDArray[np.int64]:
    """Return the range of each value (N,), from 0: at most `PARTS`, with about as many of the values `of` in each.

    Of few values there are fewer ranges, so that each has at least `LEAST` where they differ, but two if there can be.
    """
    parts = min(PARTS, max(2, len(of) // LEAST))
    cuts = np.unique(np.quantile(of, np.arange(1, parts) / parts, method="lower"))
    found: NDArray[np.int64] = np.searchsorted(cuts, values, side="left")
    return found
