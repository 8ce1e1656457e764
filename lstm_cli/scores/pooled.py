"""The positions of several models of the same kind as those of one: each predicted what it had not seen.

Labels are numbered anew, as each model numbers those of its own training data. Legend: N positions, K labels.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_cli.data.schema.target import Target
from lstm_cli.engine.column_metrics import of_column
from lstm_cli.scores.metrics import metrics_of
from lstm_cli.scores.positions import Positions


def pooled_metrics(found: Sequence[Mapping[str, Positions]]) -> dict[str, float]:
    """Return the metrics of all positions, by target column as `scores.collect.scored_targets` returns them."""
    columns = dict.fromkeys(column for each in found for column in each)
    metrics: dict[str, float] = {}
    for column in columns:
        metrics |= of_column(metrics_of(pooled([each[column] for each in found if column in each])), column)
    return metrics


def pooled(parts: Sequence[Positions]) -> Positions:
    """Return the positions of a target from several models as one; sequences and steps are those of each."""
    task = parts[0].dataset.schema.target
    if task.labels is not None:
        labels = tuple(dict.fromkeys(label for part in parts for label in part.dataset.schema.target.labels or ()))
        task = replace(task, labels=labels, size=len(labels), class_weights=None)
        parts = [_renumbered(part, task) for part in parts]
    arrays = {name: np.concatenate([part.arrays[name] for part in parts]) for name in parts[0].arrays}
    return Positions(task, parts[0].dataset, **arrays)


def _renumbered(positions: Positions, target: Target) -> Positions:
    """Return positions with labels numbered as those of another target, which has them all."""
    own, places = positions.dataset.schema.target, {label: place for place, label in enumerate(target.labels or ())}
    numbers = np.array([places[label] for label in own.labels or ()], np.int64)
    if own.kind == "set":

        def spread(given: NDArray[Any]) -> NDArray[Any]:
            found = np.zeros((len(given), target.size), given.dtype)
            found[:, numbers] = given
            return found

        return replace(positions, truth=spread(positions.truth), predicted=spread(positions.predicted))
    numbers = np.append(numbers, -1)  # a label that training never saw stays one
    return replace(positions, truth=numbers[positions.truth], predicted=numbers[positions.predicted])
