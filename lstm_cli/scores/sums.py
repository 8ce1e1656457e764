"""The sums over positions that metrics are functions of: of every kind of target.

A metric that is no function of sums has no confidence interval, and is not here.

Legend: N positions, S units (sequences or parts of one), R sets of sums, C sums, K labels that occur, D numbers.
"""

import math
from collections.abc import Iterable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from lstm_cli.scores.positions import Positions

Array = NDArray[Any]

_LARGEST_EXPONENT = 700.0
#: A deviation is rounding where it is below this share of the squares that it is a difference of.
_ROUNDING = 1e-12


class Sums(Protocol):
    """What the metrics of positions are computed from."""

    @property
    def count(self) -> int:
        """C."""

    def totals(self, units: NDArray[np.int64], count: int) -> Array:
        """Return the sums (S, C) over the positions of each of `count` units; `units` (N,) says whose each one is."""

    def metrics(self, sums: Array) -> dict[str, Array]:
        """Return each metric (R,) from sums (R, C)."""


def sums_of(positions: Positions) -> Sums | None:
    """Return the sums of positions; None where metrics need probabilities, which there are not."""
    match positions.task.kind:
        case "number":
            return _Numbers(positions)
        case "set":
            return _Sets(positions)
        case "category" if not positions.task.is_next:
            return _Categories(positions)
    return None if positions.nats is None else _Symbols(positions.nats, positions.truth >= 0)


def _summed(columns: Iterable[Array], units: NDArray[np.int64], count: int) -> Array:
    """Return the sums of columns (N,) over each unit, (S, C)."""
    with np.errstate(over="ignore", invalid="ignore"):  # a closed loop may leave all bounds
        return np.stack([np.bincount(units, weights=column, minlength=count) for column in columns], axis=1)


class _Categories:
    """Accuracy and macro F1: how often each label is true, predicted, and both; -1 is a label like the others."""

    def __init__(self, positions: Positions) -> None:
        labels, places = np.unique(np.concatenate([positions.truth, positions.predicted]), return_inverse=True)
        self._truth, self._predicted = np.split(places, 2)
        self._labels = len(labels)

    @property
    def count(self) -> int:
        return 3 * self._labels

    def totals(self, units: NDArray[np.int64], count: int) -> Array:
        hits = self._truth == self._predicted
        given = ((units, self._truth), (units, self._predicted), (units[hits], self._truth[hits]))
        size = count * self._labels
        counts = [np.bincount(own * self._labels + place, minlength=size) for own, place in given]
        return np.concatenate([part.reshape(count, self._labels) for part in counts], axis=1).astype(np.float64)

    def metrics(self, sums: Array) -> dict[str, Array]:
        true, predicted, hits = np.split(sums, 3, axis=1)
        occurring = true + predicted
        f1 = np.where(occurring > 0, 2 * hits / np.maximum(occurring, 1), 0).sum(axis=1)
        return {"accuracy": hits.sum(axis=1) / true.sum(axis=1), "macro_f1": f1 / (occurring > 0).sum(axis=1)}


class _Symbols:
    """Perplexity and bits: nats of the known symbols, and how many these are."""

    count = 2

    def __init__(self, nats: Array, known: Array) -> None:
        self._nats, self._known = np.where(known, nats, 0), known

    def totals(self, units: NDArray[np.int64], count: int) -> Array:
        return _summed((self._nats, self._known), units, count)

    def metrics(self, sums: Array) -> dict[str, Array]:
        mean = sums[:, 0] / sums[:, 1]
        return {"perplexity": np.exp(np.minimum(mean, _LARGEST_EXPONENT)), "bits": mean / math.log(2)}


class _Sets:
    """Negative log-likelihood, micro F1 and frame accuracy: nats, positions, and labels that are right and wrong."""

    count = 4

    def __init__(self, positions: Positions) -> None:
        unseen = 0 if positions.unseen is None else positions.unseen
        self._nats = positions.nats
        self._hits = (positions.predicted & positions.truth).sum(axis=1)
        self._errors = (positions.predicted ^ positions.truth).sum(axis=1) + unseen

    def totals(self, units: NDArray[np.int64], count: int) -> Array:
        ones = np.ones(len(units))
        return _summed((ones if self._nats is None else self._nats, ones, self._hits, self._errors), units, count)

    def metrics(self, sums: Array) -> dict[str, Array]:
        nats, count, hits, errors = sums.T
        return ({} if self._nats is None else {"nll": nats / count}) | {
            "micro_f1": 2 * hits / np.maximum(2 * hits + errors, 1),
            "frame_accuracy": hits / np.maximum(hits + errors, 1),
        }


class _Numbers:
    """RMSE, MAE and R²: squared and absolute errors, and sums of the truth about its mean and of their squares."""

    def __init__(self, positions: Positions) -> None:
        self._columns = np.array(positions.task.output_columns)
        self._positions = positions

    @property
    def count(self) -> int:
        return 1 + 4 * len(self._columns)

    def totals(self, units: NDArray[np.int64], count: int) -> Array:
        truth = self._positions.truth
        with np.errstate(over="ignore", invalid="ignore"):
            error, deviation = (self._positions.predicted - truth).T, (truth - truth.mean(axis=0)).T
            columns = (np.ones((1, len(units))), np.square(error), np.abs(error), deviation, np.square(deviation))
        return _summed((column for part in columns for column in part), units, count)

    def metrics(self, sums: Array) -> dict[str, Array]:
        count, (squared, absolute, mean, squares) = sums[:, :1], np.split(sums[:, 1:], 4, axis=1)
        deviation = squares - np.square(mean) / count
        constant = deviation <= _ROUNDING * squares
        r2 = np.where(constant, squared == 0, 1 - squared / np.where(constant, 1, deviation))
        names = list(dict.fromkeys(self._columns.tolist()))
        found = {} if len(names) == 1 else {"r2": r2.mean(axis=1)}
        for name in names:
            own = self._columns == name
            suffix = "" if len(names) == 1 else f".{name}"
            found |= {
                f"rmse{suffix}": np.sqrt(squared[:, own].mean(axis=1) / count[:, 0]),
                f"mae{suffix}": absolute[:, own].mean(axis=1) / count[:, 0],
                f"r2{suffix}": r2[:, own].mean(axis=1),
            }
        return found
