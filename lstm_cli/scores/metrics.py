"""The metrics of positions that were collected: the same as of the batches that they are from."""

import numpy as np

from lstm_cli.engine.metrics import Accumulator, Categories, Numbers, accumulator
from lstm_cli.engine.sets import Sets
from lstm_cli.engine.task import Task
from lstm_cli.scores.positions import Positions


def metrics_of(positions: Positions) -> dict[str, float]:
    """Return the metrics of positions, of a model or of any other predictor; none where there are no positions.

    They equal those of `engine.evaluation` up to the last bits of sums. Without `nats`, as for predictors without
    probabilities, those that need them are left out.
    """
    if not len(positions):
        return {}
    metrics = accumulator(positions.task) if positions.curves is not None else of_points(positions.task)
    if positions.is_language_model and positions.nats is None:
        return {}
    add_positions(metrics, positions)
    found = metrics.result()
    likely = positions.nats is not None or positions.curves is not None
    return found if likely else {name: value for name, value in found.items() if name != "nll"}


def of_points(task: Task) -> Accumulator:
    """Return the empty accumulator of a task for predictors without a spread, as naive ones are."""
    return Numbers(task.output_columns) if task.kind == "number" else accumulator(task)


def add_positions(metrics: Accumulator, positions: Positions) -> None:
    """Add positions to the accumulator of their task."""
    truth, nats, unseen = positions.truth, positions.nats, positions.unseen
    if isinstance(metrics, Sets):
        given = np.zeros(0) if nats is None else nats
        metrics.add(positions.predicted, truth, given, 0 if unseen is None else int(unseen.sum()))
    elif isinstance(metrics, Categories):
        metrics.add(positions.predicted, truth)
    elif positions.curves is not None:
        metrics.update(positions.curves.swapaxes(0, 1), truth)
    else:
        metrics.update(positions.predicted if nats is None else nats, truth)
