"""How sequences are divided so that each part has the classes in proportion, or whole groups.

Legend: N sequences, K folds.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]


def stratified(order: Sequence[int] | Indices, labels: Iterable[Any], size: int) -> list[int]:
    """Return the first of an order that keep classes in proportion.

    Of each class, `size` times its share in the order is chosen, rounded down or up; where that holds for the first
    `size` of the order, they are the ones. No class loses its last one, if that can be avoided.

    Parameters
    ----------
    order
        Indices in random order (N,).
    labels
        The class of every index.
    size
        How many to choose.
    """
    order = np.asarray(order)
    classes = class_numbers(labels)[order]
    counts = np.bincount(classes)
    exact = size * counts / len(order)
    least, most = (np.minimum(share.astype(np.int64), counts - 1) for share in (np.floor(exact), np.ceil(exact)))
    least, most = np.maximum(least, 0), np.maximum(most, 0)  # of a class that is not in the order
    turns = _turns(classes)
    # Of those that a class may have beyond its least, the first ones of all classes.
    more = np.flatnonzero((turns == least[classes]) & (least < most)[classes])
    chosen = turns < least[classes]
    chosen[more[: max(0, size - int(least.sum()))]] = True
    rest = np.flatnonzero(~chosen)[: max(0, size - int(chosen.sum()))]
    return [*order[chosen].tolist(), *order[rest].tolist()]


def class_numbers(labels: Iterable[Any]) -> Indices:
    """Return the class of every label, numbered in the order in which they occur (N,)."""
    numbers = dict[str, int]()
    return np.fromiter((numbers.setdefault(str(label), len(numbers)) for label in labels), np.int64)


def _turns(classes: Indices) -> Indices:
    """Return how many of the same class were before (N,)."""
    sorting = np.argsort(classes, kind="stable")
    turns = np.empty_like(classes)
    turns[sorting] = np.arange(len(classes)) - np.searchsorted(classes[sorting], classes[sorting])
    return turns


def dealt(classes: Indices, count: int) -> Indices:
    """Return the fold of each of a list of sequences (N,), from 0; folds differ by at most one sequence.

    They are dealt out class by class, as cards are, so that folds differ by at most one in each class too.

    Parameters
    ----------
    classes
        The class of each (N,), in the random order in which they are dealt.
    count
        K.
    """
    folds = np.empty_like(classes)
    folds[np.argsort(classes, kind="stable")] = np.arange(len(classes)) % count
    return folds


def dealt_groups(sizes: Sequence[int], count: int) -> list[int]:
    """Return the fold of each group of sequences, from 0: the largest first, each to the fold with the fewest.

    Parameters
    ----------
    sizes
        Of the groups, in random order.
    count
        K, at most as many as groups.
    """
    totals, folds = [0] * count, [0] * len(sizes)
    for group in sorted(range(len(sizes)), key=lambda group: -sizes[group]):
        folds[group] = min(range(count), key=totals.__getitem__)
        totals[folds[group]] += sizes[group]
    return folds
