"""What the outputs for a category say: a score of each label, or what a conditional random field decodes.

A field's outputs (N, K + 1) are the probability of each label at a step, summed over the labelings of its sequence, and
the number of the step's label in the best labeling, which need not be the likeliest at that step.

Legend: N positions, K labels.
"""

import numpy as np
from numpy.typing import NDArray


def best_labels(outputs: NDArray[np.floating], labels: int) -> NDArray[np.int64]:
    """Return the predicted label (N,) of outputs (N, K), or (N, K + 1) of a field."""
    if outputs.shape[1] > labels:
        return outputs[:, labels].astype(np.int64)
    found: NDArray[np.int64] = outputs.argmax(axis=1)
    return found


def label_shares(outputs: NDArray[np.floating], labels: int) -> NDArray[np.float64]:
    """Return the probability of each label (N, K) of outputs (N, K), or (N, K + 1) of a field."""
    values = outputs.astype(np.float64)
    if outputs.shape[1] > labels:
        return values[:, :labels]
    found: NDArray[np.float64] = np.exp(values - np.logaddexp.reduce(values, axis=1, keepdims=True))
    return found


def share_of(outputs: NDArray[np.floating], label: NDArray[np.int64], labels: int) -> NDArray[np.float64]:
    """Return the probability (N,) of one label for each of outputs (N, K), or (N, K + 1) of a field."""
    own = np.take_along_axis(outputs, label[:, np.newaxis], axis=1)
    if outputs.shape[1] > labels:
        return own[:, 0].astype(np.float64)
    relative = outputs - own
    np.exp(relative, out=relative)  # vocabularies are large: no array of doubles
    found: NDArray[np.float64] = 1 / relative.sum(axis=1, dtype=np.float64)
    return found
