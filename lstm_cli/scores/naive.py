"""Naive predictors, mostly without input, that a trained model must beat to be useful: what they know and predict.

Legend: N counted positions, D numbers at each, K labels, H steps predicted at once.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_cli.data import Batches
from lstm_cli.data.schema.schema import Schema
from lstm_cli.engine.evaluation import true_values
from lstm_cli.engine.sets import set_nats
from lstm_cli.errors import brief
from lstm_cli.scores.collect import places
from lstm_cli.scores.positions import Positions
from lstm_cli.scores.seasons import seasonal_steps, seasons_of
from lstm_cli.typed_json import WrongValue, built

Array = NDArray[Any]

LAST, SEASONAL = "last", "seasonal_"
_LARGEST = 2**53  # of counts, which floats hold


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
        total, count, turns = np.zeros(task.size), 0, 1
        for truth, last in _truths(batches):
            turns = max(turns, last)
            if task.kind == "category":
                total += np.bincount(truth[truth >= 0], minlength=task.size)
            else:
                total += truth.reshape(-1, task.size).sum(axis=0, dtype=np.float64)
            count += len(truth)
        if task.kind == "number":
            total /= max(count, 1)
        return cls(tuple(total.tolist()), count, seasons_of(dataset, turns))

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
        most = naive.count if schema.target.kind == "set" else sum(naive.totals)
        if schema.target.kind != "number" and not 0 <= min(naive.totals) <= max(naive.totals) <= most < _LARGEST:
            raise WrongValue("expected how often each label occurs", "totals")
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
            titles |= {f"{SEASONAL}{period}": f"the value {period:,} steps ago" for period in self.periods}
        return titles

    def positions(self, name: str, found: Positions) -> Positions:
        """Return what one of the `predictors` predicts at positions, which are those of a model or of the truth."""
        kind, truth = found.task.kind, found.truth
        if name == LAST or name.startswith(SEASONAL):
            period = 0 if name == LAST else int(name.removeprefix(SEASONAL))
            predicted = self._earlier(found, period)[0]
            return found.predicted_as(predicted)
        constant, count = self._constant(kind), len(found)
        if kind == "number":
            predicted = np.broadcast_to(constant, (count, len(constant)))
            return found.predicted_as(predicted)
        if kind == "category":
            best = int(constant.argmax())
            nats = np.where(truth < 0, np.nan, -constant[truth])
            sure = np.exp(constant[best])
            return found.predicted_as(np.full(count, best), confidence=np.full(count, sure), nats=nats)
        sure = np.exp(-np.logaddexp(0, -np.abs(constant)).sum())
        predicted = np.broadcast_to(constant > 0, (count, len(constant)))
        return found.predicted_as(predicted, confidence=np.full(count, sure), nats=set_nats(constant, truth))

    def stand_ins(self, name: str, found: Positions) -> int:
        """Return at how many positions a shorter season, or the last value, stands in for some value of a season."""
        if not name.startswith(SEASONAL):
            return 0
        return int(np.count_nonzero(~self._earlier(found, int(name.removeprefix(SEASONAL)))[1]))

    def titles(self, found: Positions) -> dict[str, str]:
        """Return the `predictors` of positions with their titles; see `titles_of`."""
        names = self.predictors(found.dataset.schema)
        return titles_of(names, {name: self.stand_ins(name, found) for name in names}, len(found))

    def _earlier(self, found: Positions, period: int) -> tuple[Array, Array]:
        """Return values (N, H * D) that are known where a forecast is made, and which rows (N,) are all of the season.

        They are of the same season before, or for a period of 0 the last ones; see `seasonal_steps`.
        """
        dataset, target = found.dataset, found.dataset.schema.target
        origins = found.steps if found.turns is None else found.steps - found.turns + 1
        first = found.steps - origins + target.ahead  # how far the first value is from the origin
        reach = first[:, np.newaxis] + np.arange(target.horizon)
        seasons = [season for season in self.periods if season <= period]
        start = -dataset.known_before[found.sequences, np.newaxis]
        steps, known = seasonal_steps(origins[:, np.newaxis], reach, seasons, start)
        owners = np.repeat(found.sequences, target.horizon)
        values = dataset.values_at(owners, steps.reshape(-1)).reshape(len(found), target.size)
        return values, np.asarray(known.all(axis=1))

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


def titles_of(names: Mapping[str, str], stand_ins: Mapping[str, int], count: int) -> dict[str, str]:
    """Return predictors with titles that say what they predict at `count` positions.

    A season that other values stand in for at some positions is one of at most as many steps; one that they stand in
    for everywhere is left out.
    """
    return {
        name: title if not stand_ins[name] else title.replace("the value ", "the value ≤")
        for name, title in names.items()
        if not stand_ins[name] or stand_ins[name] < count
    }


def _truths(batches: Batches) -> Iterator[tuple[Array, int]]:
    """Yield the truth at the positions that count, in pieces, with the last step of a closed loop in each, else 1."""
    dataset = batches.dataset
    if batches.closed_loop is None and dataset.schema.target.kind != "number" and dataset.target is not None:
        yield dataset.target if dataset.weight is None else dataset.target[dataset.weight > 0], 1  # without batches
        return
    for batch in batches.epoch(0):
        if len(batch.counted) and batch.target is not None:
            last = int(places(dataset, batch)["turns"].max()) if batch.observed is not None else 1
            yield true_values(dataset, batch), last
