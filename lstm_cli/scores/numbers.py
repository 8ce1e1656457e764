"""The figures of predicted numbers, column by column.

Legend: N counted positions, D numbers at each, of which several may belong to one column: a vector, or its values at
several steps ahead.
"""

import math

import numpy as np

from lstm_cli.engine.metrics import Array, Numbers
from lstm_cli.scores.positions import Positions


def columns(positions: Positions) -> dict[str, dict[str, float]]:
    """Return the figures of each target column of numbers; see `figures`."""
    names = np.array(positions.task.output_columns)
    found = {}
    for name in dict.fromkeys(names.tolist()):
        own = names == name
        found[name] = figures(positions.truth[:, own], positions.predicted[:, own])
    return found


def figures(truth: Array, predicted: Array) -> dict[str, float]:
    """Return how far predictions (N, D) of one column are from its truth, in its unit.

    ``rmse``, ``mae`` and ``r2`` are those of `lstm_cli.engine.metrics`; ``bias`` is the mean of prediction minus truth,
    above 0 where predictions are too high; ``deviation`` is the standard deviation of the truth, of several numbers
    each about its own mean, which is the RMSE of predicting always these means.
    """
    metrics = Numbers(("column",) * truth.shape[1])
    with np.errstate(over="ignore", invalid="ignore"):  # a closed loop may leave all bounds
        metrics.update(predicted, truth)
        found = metrics.result()
        if found:
            found["bias"] = float((predicted - truth).mean())
            found["deviation"] = math.sqrt(np.asarray(truth, np.float64).var(axis=0).mean())
    return found
