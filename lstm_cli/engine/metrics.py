"""The metrics of an evaluation, as accumulators that receive the data piece by piece.

Legend: N counted positions, D numbers at each, K labels. Padding and steps without a target never reach an accumulator.
How the positions are divided into pieces affects only the last bits of a sum.

A new metric is an entry of `lstm_cli.config.train.METRICS`, which says whether smaller or larger is better, and a name
and a value in the accumulator of its kind of target here. Metrics of numbers have a value for each column where several
columns are predicted, such as ``rmse.load``.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from lstm_cli.config.train import METRICS, PER_COLUMN, Direction
from lstm_cli.data.schema.labelings import best_labels
from lstm_cli.engine.sets import Sets, unknown_labels
from lstm_cli.engine.spread import Spread
from lstm_cli.engine.task import Task

Array = NDArray[Any]

_LARGEST_EXPONENT = 700.0  # a larger one overflows a float64, and JSON has no infinity


class Accumulator(Protocol):
    """Collects the outputs and truth of one evaluation."""

    @property
    def consumes(self) -> Literal["outputs", "losses"]:
        """What the first argument of `update` contains: the network's outputs, or its losses (N,) in nats."""

    @property
    def names(self) -> tuple[str, ...]:
        """The metrics in the result, the most informative first."""

    def update(self, values: Array, truth: Array) -> None:
        """Add outputs (N, K), (N, D) or (C, N, D), or losses (N,), and the truth."""

    def merge(self, other: Self) -> None:
        """Add the positions of another accumulator of the same task."""

    def result(self) -> dict[str, float]:
        """Return the metrics of all positions so far; none where there were none."""


def accumulator(task: Task) -> Accumulator:
    """Return the empty accumulator of a task with one target."""
    match task.kind:
        case "category":
            return Symbols() if task.is_next else Categories(task.size)
        case "number":
            numbers = Numbers(task.output_columns)
            return Spread(numbers, task.head, task.output_columns) if task.head.levels else numbers
        case "set":
            return Sets()
        case "several":
            raise ValueError("several target columns have an accumulator each")


def direction(metric: str) -> Direction:
    """Return whether smaller or larger values of a metric, or of one column's, are better."""
    return METRICS[metric.partition(".")[0]]


def scores_of(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return the loss and the metrics among the values of an evaluation, in their order."""
    return {name: value for name, value in entry.items() if name.partition(".")[0] in METRICS}


def improves(metric: str, value: float, best: float | None) -> bool:
    """Return whether a value is strictly better than the best so far; a first value always is, a later NaN never."""
    if best is None:
        return True
    if math.isnan(best):
        return not math.isnan(value)
    return value < best if direction(metric) == "min" else value > best


class Categories:
    """Accuracy and macro F1 of one label per position.

    F1 of a label is 2 TP / (2 TP + FP + FN); macro F1 is its mean over the labels that occur in truth or predictions.
    A truth of -1 is a label that training never saw: an error in both, counted as ``unknown_labels``.
    """

    consumes: Literal["outputs"] = "outputs"
    names = ("accuracy", "macro_f1")

    def __init__(self, size: int) -> None:
        self._true = np.zeros(size + 1, np.int64)  # the last entry is the unknown label
        self._predicted = np.zeros(size + 1, np.int64)
        self._hits = np.zeros(size + 1, np.int64)

    def update(self, values: Array, truth: Array) -> None:
        """Add positions: outputs for a category, see `data.schema.labelings`, and label indices (N,)."""
        self.add(best_labels(values, len(self._true) - 1), truth)

    def add(self, predicted: Array, truth: Array) -> None:
        """Add positions: the predicted and the true label indices (N,)."""
        labels = len(self._true)
        truth = np.where(truth < 0, labels - 1, truth)
        self._true += np.bincount(truth, minlength=labels)
        self._predicted += np.bincount(predicted, minlength=labels)
        self._hits += np.bincount(truth[truth == predicted], minlength=labels)

    def merge(self, other: Self) -> None:
        """Add the positions of another accumulator of the same task."""
        self._true += other._true
        self._predicted += other._predicted
        self._hits += other._hits

    def result(self) -> dict[str, float]:
        """Return the metrics of all positions so far; none where there were none."""
        count = int(self._true.sum())
        if not count:
            return {}
        occurring = self._true + self._predicted
        f1 = 2 * self._hits[occurring > 0] / occurring[occurring > 0]
        metrics = {"accuracy": int(self._hits.sum()) / count, "macro_f1": float(f1.mean())}
        return metrics | unknown_labels(int(self._true[-1]))


class Symbols:
    """Perplexity and bits per step of a language model, from its cross-entropy at each position in nats.

    perplexity = exp(mean nats), bits = mean nats / ln 2. A symbol that training never saw (-1) has no probability: such
    positions are left out and counted as ``unknown_labels``; where there are no others, the metrics are NaN.
    """

    consumes: Literal["losses"] = "losses"
    names = ("perplexity", "bits")

    def __init__(self) -> None:
        self._nats = 0.0
        self._count = 0
        self._unknown = 0

    def update(self, values: Array, truth: Array) -> None:
        """Add positions: cross-entropies (N,), neither weighted nor smoothed, and symbol indices (N,)."""
        known = truth >= 0
        self._nats += float(values[known].sum(dtype=np.float64))
        self._count += int(known.sum())
        self._unknown += int((~known).sum())

    def merge(self, other: Self) -> None:
        """Add the positions of another accumulator of the same task."""
        self._nats += other._nats
        self._count += other._count
        self._unknown += other._unknown

    def result(self) -> dict[str, float]:
        """Return the metrics of all positions so far; none where there were none."""
        if not self._count:
            return dict.fromkeys(self.names, math.nan) | unknown_labels(self._unknown) if self._unknown else {}
        mean = self._nats / self._count
        metrics = {"perplexity": math.exp(min(mean, _LARGEST_EXPONENT)), "bits": mean / math.log(2)}
        return metrics | unknown_labels(self._unknown)


class Numbers:
    """RMSE, MAE and R² of D numbers per position, in the units of the truth.

    RMSE and MAE are taken over all N·D numbers together; R² = 1 - squared error / squared deviation from the mean, per
    output, and then the mean over outputs. Numbers of several columns, which may have different units, have all of them
    per column instead, as ``rmse.COLUMN``, and R², which has no unit, over all outputs too.

    As in scikit-learn an output whose truth is constant has R² 1 if it is predicted exactly, else 0. Mean and deviation
    of the truth are merged piece by piece (Chan, Golub and LeVeque 1983), which loses no digits where the mean is large
    and the deviation small.

    Parameters
    ----------
    columns
        The column that each of the D numbers is a value of.
    """

    consumes: Literal["outputs"] = "outputs"

    def __init__(self, columns: Sequence[str]) -> None:
        size = len(columns)
        self._columns = {name: [k for k in range(size) if columns[k] == name] for name in dict.fromkeys(columns)}
        self._count = 0
        self._mean = np.zeros(size)
        self._deviation = np.zeros(size)  # sum of squared deviations of the truth from its mean
        self._squared = np.zeros(size)
        self._absolute = np.zeros(size)
        self._lowest = np.full(size, np.inf)  # rounding hides that a truth is constant, its range does not
        self._highest = np.full(size, -np.inf)

    @property
    def names(self) -> tuple[str, ...]:
        """The metrics in the result, the most informative first."""
        if len(self._columns) == 1:
            return PER_COLUMN
        return ("r2", *(f"{metric}.{column}" for column in self._columns for metric in PER_COLUMN))

    def update(self, values: Array, truth: Array) -> None:
        """Add positions: predictions and truth (N, D), or (N,) where D is 1."""
        truth = np.asarray(truth, np.float64).reshape(-1, len(self._mean))
        if not len(truth):
            return
        error = np.asarray(values, np.float64).reshape(truth.shape) - truth
        self._squared += np.square(error).sum(axis=0)
        self._absolute += np.abs(error).sum(axis=0)
        self._lowest = np.minimum(self._lowest, truth.min(axis=0))
        self._highest = np.maximum(self._highest, truth.max(axis=0))
        self._merge(len(truth), truth.mean(axis=0), np.square(truth - truth.mean(axis=0)).sum(axis=0))

    def merge(self, other: Self) -> None:
        """Add the positions of another accumulator of the same task."""
        if not other._count:
            return
        self._squared += other._squared
        self._absolute += other._absolute
        self._lowest = np.minimum(self._lowest, other._lowest)
        self._highest = np.maximum(self._highest, other._highest)
        self._merge(other._count, other._mean, other._deviation)

    def _merge(self, count: int, mean: Array, deviation: Array) -> None:
        total = self._count + count
        gap = mean - self._mean
        self._deviation += deviation + np.square(gap) * (self._count * count / total)
        self._mean += gap * (count / total)
        self._count = total

    def result(self) -> dict[str, float]:
        """Return the metrics of all positions so far; none where there were none."""
        if not self._count:
            return {}
        constant = self._lowest == self._highest
        r2 = np.where(constant, self._squared == 0, 1 - self._squared / np.where(constant, 1, self._deviation))
        found = {column: self._of(outputs, r2) for column, outputs in self._columns.items()}
        if len(found) == 1:
            return next(iter(found.values()))
        named = {f"{name}.{column}": value for column, own in found.items() for name, value in own.items()}
        return {"r2": float(r2.mean())} | named

    def _of(self, outputs: Sequence[int], r2: Array) -> dict[str, float]:
        """Return the metrics of some of the outputs together, given R² of each (D,)."""
        return {
            "rmse": math.sqrt(self._squared[outputs].mean() / self._count),
            "mae": float(self._absolute[outputs].mean() / self._count),
            "r2": float(r2[outputs].mean()),
        }
