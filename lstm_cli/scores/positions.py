"""What a predictor output and what was true, position by position: every figure derives from it.

Legend: N counted positions, D numbers, K labels.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_cli.data import Dataset
from lstm_cli.engine.task import Task


@dataclass(frozen=True, eq=False)
class Positions:
    """The counted positions of a data set, in the order of its sequences and their steps.

    Those of a closed loop are in the order of their sequences, of the windows of each, and of the steps of a window;
    windows may overlap.

    Attributes
    ----------
    task : Task
        What is predicted.
    dataset : Dataset
        Where the positions are from.
    sequences : int64 array (N,)
        Index of each position's sequence in the data set.
    steps : int64 array (N,)
        Its step in the data set's sequence, from 0; the last one for a target per sequence.
    truth, predicted : array
        Label indices (N,), int64, a truth of -1 for a label that training never saw; numbers (N, D) in original units,
        float64; or membership (N, K), bool.
    confidence : float64 array (N,) or None
        Of categories: the probability of the predicted label. Of sets: that of the whole predicted set, its labels
        independent. None for numbers and for predictors without probabilities.
    nats : float64 array (N,) or None
        Of categories and sets: the negative log-likelihood of the truth, NaN for a label that training never saw.
    turns : int64 array (N,) or None
        Of closed loops: steps since the last observed one, from 1.
    unseen : int64 array (N,) or None
        Of sets: how many true labels training never saw, which `truth` lacks; each of them is missed.
    curves : float64 array (N, C, D) or None
        Of numbers whose spread is predicted: quantiles, or what a Gaussian has in their place; see
        `lstm_cli.data.schema.heads`.
    """

    task: Task
    dataset: Dataset
    sequences: NDArray[np.int64]
    steps: NDArray[np.int64]
    truth: NDArray[Any]
    predicted: NDArray[Any]
    confidence: NDArray[np.float64] | None = None
    nats: NDArray[np.float64] | None = None
    turns: NDArray[np.int64] | None = None
    unseen: NDArray[np.int64] | None = None
    curves: NDArray[np.float64] | None = None

    def __len__(self) -> int:
        return len(self.sequences)

    @property
    def is_language_model(self) -> bool:
        """Whether the symbols that follow are predicted, whose score is the perplexity."""
        return self.task.kind == "category" and self.task.is_next

    @property
    def arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays that there are, by their names; all have the positions as their first axis."""
        names = ("sequences", "steps", "truth", "predicted", "confidence", "nats", "turns", "unseen", "curves")
        given = {name: getattr(self, name) for name in names}
        return {name: array for name, array in given.items() if array is not None}

    def predicted_as(
        self,
        predicted: NDArray[Any],
        *,
        confidence: NDArray[np.float64] | None = None,
        nats: NDArray[np.float64] | None = None,
    ) -> "Positions":
        """Return the positions as another predictor predicts them: nothing of what this one output is left."""
        return replace(self, predicted=predicted, confidence=confidence, nats=nats, curves=None)

    def taken(self, chosen: NDArray[Any]) -> "Positions":
        """Return some of the positions, chosen by an index or boolean array."""
        return replace(self, **{name: array[chosen] for name, array in self.arrays.items()})
