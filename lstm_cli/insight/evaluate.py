"""The work of ``lstm evaluate``: from a run and data, or from positions that were collected, to an `Evaluation`."""

from collections.abc import Mapping

import numpy as np

from lstm_cli.insight.evaluation import Evaluation
from lstm_cli.scores.positions import Positions


def evaluation_of(
    positions: Positions, scores: Mapping[str, float], *, data: str, split: str | None = None
) -> Evaluation:
    """Return what positions that were collected say of a model.

    Parameters
    ----------
    positions
        From `scores.collect.scored_positions`.
    scores
        The loss and metrics from there.
    data
        What was evaluated, as it is shown.
    split
        Which data of the run that is, if it is one.
    """
    return Evaluation(
        data=data,
        split=split,
        sequences=len(np.unique(positions.sequences)),
        positions=len(positions),
        metrics=dict(scores),
        found=positions,
    )
