"""The loss and the metrics of a model over many batches."""

import json
import math

import numpy as np

from lstm_cli.data import Batch, Batches, Dataset
from lstm_cli.engine.column_metrics import accumulators, of_column
from lstm_cli.engine.evaluator import Evaluator, Scored
from lstm_cli.engine.merging import from_json, to_json
from lstm_cli.engine.metrics import Accumulator
from lstm_cli.engine.sets import Sets
from lstm_cli.engine.views import View, views
from lstm_cli.ranks import World


class Evaluation:
    """The loss and the metrics over batches, in order, with states carried where a batch continues the previous one.

    Parameters
    ----------
    evaluator : Evaluator
    batches : Batches
        The batches that will be added.
    """

    def __init__(self, evaluator: Evaluator, batches: Batches) -> None:
        self._evaluator, self._batches, self._dataset = evaluator, batches, batches.dataset
        # A sequence split over several batches counts once; every window of a closed loop counts separately.
        self._by_sequence = batches.normalize == "sequence" and batches.closed_loop is None
        self._metrics = accumulators(self._dataset.schema.target)
        self._loss = self._divisor = 0.0
        self._seen: set[int] = set()
        self._state: np.ndarray | None = None

    def add(self, batch: Batch) -> Scored:
        """Score one batch, and return what its scores are computed from."""
        scored: Scored = self._evaluator.scored(batch, self._state)
        self._state = scored.state
        self._loss, self._divisor = self._loss + scored.loss, self._divisor + batch.loss_divisor
        if self._by_sequence:
            self._seen.update(batch.sequences[batch.counted_sequences[batch.known]].tolist())
        for view in views(self._dataset, batch, scored):
            _add(self._metrics[view.column], view)
        return scored

    def over(self, world: World) -> "Evaluation":
        """Return the evaluation of what all ranks have added, on every rank the same to the last bit."""
        if world.size == 1:
            return self
        whole = Evaluation(self._evaluator, self._batches)
        for data in world.gathered(self._packed()):
            whole._add_packed(data)
        return whole

    def _packed(self) -> bytes:
        sums = {name: to_json(metrics) for name, metrics in self._metrics.items()}
        return json.dumps([self._loss, self._divisor, sorted(self._seen), sums]).encode()

    def _add_packed(self, data: bytes) -> None:
        loss, divisor, seen, sums = json.loads(data)
        self._loss, self._divisor = self._loss + loss, self._divisor + divisor
        self._seen.update(seen)
        for name, metrics in self._metrics.items():
            metrics.merge(from_json(sums[name], metrics))

    def result(self) -> tuple[float, dict[str, float]]:
        """Return the loss and the metrics of all batches so far; NaN if there was none."""
        divisor = len(self._seen) if self._by_sequence else self._divisor
        metrics: dict[str, float] = {}
        for column, found in self._metrics.items():
            metrics |= of_column(found.result(), column)
        return self._loss / divisor if divisor else math.nan, metrics


def _add(metrics: Accumulator, view: View) -> None:
    """Add the positions of one target to its metrics."""
    values = view.scored.losses if metrics.consumes == "losses" else view.scored.outputs
    found, truth = to_original_units(view.dataset, view.batch, values)
    if isinstance(metrics, Sets):
        metrics.update(found, truth, unknown=view.dataset.unseen(view.batch))
    else:
        metrics.update(found, truth)


def evaluate(evaluator: Evaluator, batches: Batches, world: World | None = None) -> tuple[float, dict[str, float]]:
    """Return the loss and the metrics over all batches, which are dealt to ranks; on each the same."""
    evaluation, world = Evaluation(evaluator, batches), World() if world is None else world
    with world.agreed():
        for batch in batches.dealt(world.rank, world.size):
            evaluation.add(batch)
    return evaluation.over(world).result()


def to_original_units(dataset: Dataset, batch: Batch, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return values and truth at the counted positions as the metrics expect them: numbers in original units.

    Where the spread of numbers is predicted, the values are the curves (C, N, D).
    """
    target = dataset.schema.target
    if target.kind != "number":
        return values, true_values(dataset, batch)
    curves = dataset.curves(batch, values)
    return curves if target.head.levels else curves[0], true_values(dataset, batch)


def true_values(dataset: Dataset, batch: Batch) -> np.ndarray:
    """Return the truth at the counted positions as the metrics expect it: numbers in original units."""
    if batch.target is None:
        raise ValueError("a batch without a target cannot be scored")
    return dataset.truth(batch) if dataset.schema.target.kind == "number" else batch.target
