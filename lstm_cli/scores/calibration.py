"""Whether a model is as often right as it is confident.

References
----------
C. Guo, G. Pleiss, Y. Sun, K. Weinberger (2017). On Calibration of Modern Neural Networks. ICML.
"""

from typing import Any

import numpy as np

from lstm_cli.scores.labels import right
from lstm_cli.scores.positions import Positions

BINS = 15

#: What the figures mean of sets, which frame accuracy and F1 score label by label.
OF_SETS = (
    "of sets, confidence is the probability of the whole set, and a set, even an empty one, is right if no label is "
    "wrong or missing"
)


def calibration(positions: Positions) -> dict[str, Any]:
    """Return the expected calibration error, and the bins that it is computed from; empty without probabilities.

    Predictions are sorted by their confidence into bins of equal width, (0, 1/15], (1/15, 2/15], …; with n of N
    predictions in a bin, ECE = sum_bins n / N |accuracy - mean confidence|. Of sets a prediction is the whole set.

    Returns
    -------
    figures
        ``ece``, and ``bins`` that are not empty, each with ``low``, ``high``, ``count``, ``confidence``, ``accuracy``.
    """
    confidence = positions.confidence
    if confidence is None or not len(positions):
        return {}
    places = np.clip(np.ceil(confidence * BINS).astype(np.int64) - 1, 0, BINS - 1)
    counts = np.bincount(places, minlength=BINS)
    sure, hits = (np.bincount(places, weights=given, minlength=BINS) for given in (confidence, right(positions)))
    bins = [
        {
            "low": k / BINS,
            "high": (k + 1) / BINS,
            "count": int(counts[k]),
            "confidence": float(sure[k] / counts[k]),
            "accuracy": float(hits[k] / counts[k]),
        }
        for k in np.flatnonzero(counts).tolist()
    ]
    return {"ece": float(np.abs(sure - hits).sum() / len(positions)), "bins": bins}
