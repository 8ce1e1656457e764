"""Naive predictors, mostly without input, that a trained model must beat to be useful: what they know and predict.

Legend: N counted positions, D numbers at each, K labels, H steps predicted at once.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_cli.data import Batch, Batches, Dataset
from lstm_cli.data.schema.schema import Schema
from lstm_cli.engine.evaluation import to_original_units
from lstm_cli.errors import brief
from lstm_cli.scores.positions import Positions
from lstm_cli.scores.seasons import seasons_of, whole_seasons
from lstm_cli.typed_json import WrongValue, built

Array = NDArray[Any]
Indices = NDArray[np.int64]

LAST, _SEASONAL = "last", "seasonal_"


@dataclass(frozen=True)
class Naive:
    """What naive predictors know of the training data. All of it is JSON, and a run keeps it.

    Attributes
    ----------
    totals
        Of labels: at how many positions each of them was true (K,). Of numbers: the mean of each in original units.
    count
        Number of positions that they are from.
    periods
        The seasons of the series, in steps, ascending.
    """

    totals: tuple[float, ...]
    count: int
    periods: tuple[int, ...] = ()

    @classmethod
    def fitted(cls, batches: Batches) -> "Naive":
        """Return what the targets that count in training batches say."""
        dataset = batches.dataset
        task = dataset.schema.target
        total, count = np.zeros(task.size), 0
        for batch in counting(batches):
            truth = to_original_units(dataset, batch, batch.target)[1] if batch.target is not None else np.zeros(0)
            if task.kind == "category":
                total += np.bincount(truth[truth >= 0], minlength=task.size)
            else:
                total += truth.reshape(-1, task.size).sum(axis=0, dtype=np.float64)
            count += len(truth)
        if task.kind == "number":
            total /= max(count, 1)
        return cls(tuple(total.tolist()), count, seasons_of(dataset))

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: Any, schema: Schema) -> "Naive":
        """Return what `to_json` described, or raise the `WrongValue` that says what is wrong, also for the schema."""
        naive = built(cls, content)
        if len(naive.totals) != schema.target.size:
            raise WrongValue(f"expected {schema.target.size} values, got {len(naive.totals)}", "totals")
        if not np.isfinite(naive.totals).all() or naive.count < 0 or min(naive.periods, default=2) < 2:
            raise WrongValue("expected finite totals, a count and periods of at least 2 steps")
        return naive

    def predictors(self, schema: Schema) -> dict[str, str]:
        """Return the names of the predictors that fit the target of a schema, each with a title for the user."""
        target = schema.target
        if schema.layout.closed_loop is not None:
            return {}  # of a system: the undriven one, which needs the model
        if target.kind == "set":
            return {"frequencies": "label frequencies"}
        if target.kind == "category":
            return {"frequencies": "symbol frequencies"} if target.is_next else {"majority": self._always(schema)}
        titles = {"mean": "the mean"}
        if target.ahead and schema.predicted_numbers:
            titles[LAST] = "the last value"
            titles |= {f"{_SEASONAL}{period}": f"the value {period:,} steps ago" for period in self.periods}
        return titles

    def outputs(self, name: str, dataset: Dataset, sequences: Indices, steps: Indices, turns: Indices | None) -> Array:
        """Return what a predictor outputs at positions (N,), as a network does.

        Log-probabilities (N, K) of categories, log-odds (N, K) of sets, numbers (N, H * D) in original units.

        Parameters
        ----------
        name
            One of `predictors`.
        dataset
            With the values that are known.
        sequences, steps, turns
            As in `Positions`.
        """
        target = dataset.schema.target
        if name == LAST or name.startswith(_SEASONAL):
            period = int(name.removeprefix(_SEASONAL)) if name != LAST else None
            return _earlier(dataset, sequences, steps, turns, self.periods, period)
        return np.broadcast_to(self._constant(target.kind), (len(steps), target.size))

    def positions(self, name: str, found: Positions) -> Positions:
        """Return what a predictor predicts at the positions of a model's predictions."""
        outputs = self.outputs(name, found.dataset, found.sequences, found.steps, found.turns)
        kind, truth = found.task.kind, found.truth
        if kind == "number":
            return replace(found, predicted=outputs, confidence=None, nats=None)
        if kind == "category":
            constant = self._constant(kind)
            best = int(constant.argmax())
            return replace(
                found,
                predicted=np.full(len(found), best),
                confidence=np.full(len(found), np.exp(constant[best])),
                nats=np.where(truth < 0, np.nan, -constant[truth]),
            )
        nats = np.logaddexp(0, np.where(truth > 0, -outputs, outputs)).sum(axis=1)
        return replace(found, predicted=outputs > 0, confidence=None, nats=nats)

    def _constant(self, kind: str) -> Array:
        """Return the outputs (K,) or (D,) that are the same everywhere; one count is added to that of each label."""
        total: Array = np.array(self.totals)
        if kind == "category":
            total = np.log((total + 1) / (total + 1).sum())
        elif kind == "set":
            total = np.log((total + 1) / (self.count - total + 1))
        return total

    def _always(self, schema: Schema) -> str:
        labels = schema.target.labels or ()
        return f'always "{brief(labels[int(np.argmax(self.totals))])}"'


def _earlier(
    dataset: Dataset,
    sequences: Indices,
    steps: Indices,
    turns: Indices | None,
    periods: tuple[int, ...],
    period: int | None,
) -> Array:
    """Return values (N, H * D) that are known where a forecast is made: the last, or those of the same season before.

    Where a sequence does not reach back that far, the value of the next shorter season is taken, at last the last one.
    """
    target = dataset.schema.target
    origins = steps if turns is None else steps - turns + 1
    reach = (steps - origins + target.ahead)[:, np.newaxis] + np.arange(target.horizon)
    places = np.broadcast_to(origins[:, np.newaxis], reach.shape)
    for season in periods if period is not None else ():
        if season <= (period or 0):
            back = origins[:, np.newaxis] + reach - whole_seasons(season, reach)
            places = np.where(back >= 0, back, places)
    owners = np.repeat(sequences, target.horizon)
    return dataset.values_at(owners, places.reshape(-1)).reshape(len(steps), target.size)


def counting(batches: Batches) -> Iterator[Batch]:
    """Yield the batches with targets that count."""
    return (batch for batch in batches.epoch(0) if len(batch.counted))
