"""Predictors that look at nothing: what a trained model must beat to have learnt something.

Legend: N counted rows, D numbers per row, K labels.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from lstm_cli.training.metrics import Array, Task, accumulator


@dataclass(frozen=True)
class Baseline:
    """A cheap predictor's score.

    Attributes
    ----------
    name
        What it predicts, as a reader of the report would say it.
    split
        What it was scored on: ``valid`` or ``test``.
    metrics
        The same metrics as the model's.
    """

    name: str
    split: str
    metrics: dict[str, float] = field(default_factory=dict)


_NAMES = {
    ("category", False): "the most frequent label",
    ("category", True): "symbol frequencies",
    ("number", False): "the mean",
    ("number", True): "the mean",
    ("set", False): "label frequencies",
    ("set", True): "label frequencies",
}


class Constant:
    """The best answer that ignores the input, fitted on training targets.

    The share of each label (one count added, so that no symbol is impossible) or the mean of each number.

    Parameters
    ----------
    task
        What is predicted.
    targets
        Pieces of the training truth: label indices (N,), numbers (N, D) or sets (N, K).
    """

    def __init__(self, task: Task, targets: Iterable[Array]) -> None:
        self._task = task
        total, rows = np.zeros(task.size), 0
        for truth in targets:
            if task.kind == "category":
                total += np.bincount(truth[truth >= 0], minlength=task.size)
            else:
                total += truth.reshape(-1, task.size).sum(axis=0, dtype=np.float64)
            rows += len(truth)
        self._answer = _answer(task.kind, total, rows)

    def score(self, split: str, targets: Iterable[Array]) -> Baseline:
        """Score the constant answer on pieces of a split's truth."""
        task = self._task
        metrics = accumulator(task.kind, size=task.size, is_next=task.is_next)
        for truth in targets:
            if metrics.consumes == "losses":
                metrics.update(-self._answer[truth], truth)
            else:
                metrics.update(np.broadcast_to(self._answer, (len(truth), task.size)), truth)
        return Baseline(_NAMES[task.kind, task.is_next], split, metrics.result())


def _answer(kind: str, total: Array, rows: int) -> Array:
    """Turn sums over the training rows into outputs (K,) or (D,): log-probabilities, log-odds or means."""
    if kind == "category":
        return np.log((total + 1) / (total + 1).sum())
    if kind == "set":
        return np.log((total + 1) / (rows - total + 1))
    return total / max(rows, 1)


def persistence(task: Task, split: str, pieces: Iterable[tuple[Array, Array]]) -> Baseline:
    """Score the forecast that nothing changes.

    Parameters
    ----------
    task
        What is predicted: numbers.
    split
        What the pieces are of.
    pieces
        Pairs (last value, truth), each (N, D), in original units.
    """
    metrics = accumulator(task.kind, size=task.size, is_next=task.is_next)
    for last, truth in pieces:
        metrics.update(last, truth)
    return Baseline("the last value", split, metrics.result())
