"""Which labels are right, and which are taken for which.

A label of the data that training never saw cannot be predicted: it has a row of its own in a confusion matrix, but no
column, and no precision, recall and F1. That it is predicted as something counts against the precision of that label.

Legend: N positions, K labels.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_cli.scores.positions import Positions

MOST_LABELS = 200  # of a confusion matrix
MOST_CONFUSED = 20


def names_of(positions: Positions) -> list[str]:
    """Return the names of all labels, in the order of their indices."""
    return [str(name) for name in positions.dataset.schema.target.labels or ()]


def has_classes(positions: Positions) -> bool:
    """Return whether a task has labels to tell apart; symbols of a language model, which may be many, are none."""
    return positions.task.kind == "set" or (positions.task.kind == "category" and not positions.task.is_next)


def classes(positions: Positions) -> dict[str, dict[str, float]]:
    """Return precision, recall, F1 and support of each label that is true or predicted somewhere, by its name.

    precision = TP / (TP + FP), recall = TP / (TP + FN), F1 = 2 TP / (2 TP + FP + FN), each 0 where its divisor is; and
    the support is TP + FN.
    """
    if not has_classes(positions):
        return {}
    true, predicted, hits = _counts(positions)
    found = {}
    for k, name in enumerate(names_of(positions)):
        if true[k] or predicted[k]:
            found[name] = {
                "precision": hits[k] / max(predicted[k], 1),
                "recall": hits[k] / max(true[k], 1),
                "f1": 2 * hits[k] / (true[k] + predicted[k]),
                "support": int(true[k]),
            }
    return found


def _counts(positions: Positions) -> tuple[list[int], list[int], list[int]]:
    """Return how often each label (K) is true, predicted, and both."""
    truth, predicted, size = positions.truth, positions.predicted, positions.task.size
    if positions.task.kind == "set":
        counts = [given.sum(axis=0) for given in (truth, predicted, truth & predicted)]
    else:
        chosen = (truth[truth >= 0], predicted, truth[truth == predicted])
        counts = [np.bincount(given, minlength=size) for given in chosen]
    true, guessed, hits = (count.tolist() for count in counts)
    return true, guessed, hits


def confusion(positions: Positions, *, most: int = MOST_LABELS) -> dict[str, Any]:
    """Return the confusion matrix of categories, over the labels that are true or predicted somewhere.

    Returns
    -------
    matrix
        ``labels``; ``counts``, a list for each true label with a count for each predicted one; and, where the data has
        labels that training never saw, ``unknown``, such a list for all of these. Empty for other kinds of targets, and
        for more than `most` labels.
    """
    if positions.task.kind != "category" or not has_classes(positions):
        return {}
    size = positions.task.size
    true, predicted, _ = _counts(positions)
    present = np.flatnonzero(np.add(true, predicted))
    if not 0 < len(present) <= most:
        return {}
    place = np.zeros(size, np.int64)
    place[present] = np.arange(len(present))
    width = len(present)
    rows = np.where(positions.truth < 0, width, place[positions.truth])
    counts = np.bincount(rows * width + place[positions.predicted], minlength=(width + 1) * width)
    matrix = counts.reshape(width + 1, width)
    names = names_of(positions)
    found: dict[str, Any] = {"labels": [names[k] for k in present], "counts": matrix[:-1].tolist()}
    return found | ({"unknown": matrix[-1].tolist()} if matrix[-1].any() else {})


def confused(positions: Positions, *, most: int = MOST_CONFUSED) -> list[dict[str, Any]]:
    """Return the pairs of a true label and another one predicted for it, with their counts, the most frequent first.

    Pairs of the same count are in the order of the labels. A truth that training never saw is None.
    """
    if positions.task.kind != "category" or not has_classes(positions):
        return []
    wrong = positions.truth != positions.predicted
    truth, predicted, size = positions.truth[wrong], positions.predicted[wrong], positions.task.size
    pairs, counts = np.unique(np.where(truth < 0, size, truth) * size + predicted, return_counts=True)
    names = [*names_of(positions), None]
    order = np.argsort(-counts, kind="stable")[:most]
    return [
        {"truth": names[pair // size], "predicted": names[pair % size], "count": count}
        for pair, count in zip(pairs[order].tolist(), counts[order].tolist(), strict=True)
    ]


def right(positions: Positions) -> NDArray[np.bool_]:
    """Return which predictions (N,) of labels are right; of a set, all of it."""
    if positions.task.kind != "set":
        found: NDArray[np.bool_] = positions.truth == positions.predicted
        return found
    same: NDArray[np.bool_] = (positions.truth == positions.predicted).all(axis=1)
    return same if positions.unseen is None else same & (positions.unseen == 0)
