"""The metrics of a set of labels per position.

Legend: N counted positions, K labels.
"""

from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


class Sets:
    """Negative log-likelihood, micro F1 and frame accuracy of a set of labels per position.

    The likelihood treats the labels as independent and is summed over them: nats per position. A label is predicted
    where its probability is above one half. With TP, FP and FN summed over all positions and labels, micro F1 is
    2 TP / (2 TP + FP + FN) and frame accuracy TP / (TP + FP + FN); both 0 where there are no true and no
    predicted labels.

    References
    ----------
    M. Bay, A. Ehmann, J. Downie (2009). Evaluation of multiple-F0 estimation and tracking systems. ISMIR.
    """

    consumes: Literal["outputs"] = "outputs"
    names = ("nll", "micro_f1", "frame_accuracy")

    def __init__(self) -> None:
        self._count = 0
        self._nats = 0.0
        self._hits = 0
        self._false = 0
        self._missed = 0
        self._unknown = 0

    def update(self, values: Array, truth: Array, unknown: int = 0) -> None:
        """Add positions: log-odds (N, K), truth (N, K) of 0 and 1, and the number of true labels without a column."""
        self.add(values > 0, truth > 0, set_nats(values, truth), unknown)

    def add(self, predicted: Array, present: Array, nats: Array, unknown: int = 0) -> None:
        """Add positions: predicted and true membership (N, K), the negative log-likelihoods (N,), and as `update`."""
        self._nats += float(nats.sum())
        self._count += len(present)
        self._hits += int((predicted & present).sum())
        self._false += int((predicted & ~present).sum())
        self._missed += int((present & ~predicted).sum()) + unknown
        self._unknown += unknown

    def merge(self, other: Self) -> None:
        """Add the positions of another accumulator of the same task."""
        for name in ("_nats", "_count", "_hits", "_false", "_missed", "_unknown"):
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def result(self) -> dict[str, float]:
        """Return the metrics of all positions so far; none where there were none."""
        if not self._count:
            return {}
        errors = self._false + self._missed
        metrics = {
            "nll": self._nats / self._count,
            "micro_f1": 2 * self._hits / max(2 * self._hits + errors, 1),
            "frame_accuracy": self._hits / max(self._hits + errors, 1),
        }
        return metrics | unknown_labels(self._unknown)


def set_nats(log_odds: Array, truth: Array) -> Array:
    """Return the negative log-likelihood of true sets (N, K) given log-odds (N, K), summed over labels: nats (N,)."""
    log_odds = np.asarray(log_odds, np.float64)
    nats: Array = np.logaddexp(0, np.where(truth > 0, -log_odds, log_odds)).sum(axis=1)
    return nats


def unknown_labels(count: int) -> dict[str, float]:
    """Return the number of labels that training never saw as a metric, if there are any."""
    return {"unknown_labels": count} if count else {}
