"""Forecasts of several steps and their errors, step by step ahead.

Legend: N forecasts, H steps ahead, D numbers at each step.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lstm_cli.scores.positions import Positions

Numbers = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Forecasts:
    """What was predicted for several steps ahead, and what came.

    Attributes
    ----------
    truth, predicted : float64 arrays (N, H, D)
        In original units; NaN where a step has no truth, or no prediction: it does not count.
    columns
        The column that each of the D numbers is a value of.
    """

    truth: Numbers
    predicted: Numbers
    columns: tuple[str, ...]

    @classmethod
    def of(cls, positions: Positions) -> "Forecasts | None":
        """Return the positions of a model that predicts several steps; None for another one.

        H are the steps that are predicted at once, or the turns of a closed loop: a loop is a forecast, and one that
        has fewer turns than the longest is continued by NaN.
        """
        target = positions.dataset.schema.target
        if target.kind != "number" or (positions.turns is None and target.horizon == 1):
            return None
        names = target.output_columns[: target.width]
        if positions.turns is None:
            return cls(target.by_step(positions.truth), target.by_step(positions.predicted), names)
        turns = positions.turns - 1
        loops = np.stack([positions.sequences, positions.steps - turns])
        changes = (np.diff(loops, axis=1) != 0).any(axis=0)
        rows = np.concatenate([[0], np.cumsum(changes)])
        shape = (int(rows[-1]) + 1, int(turns.max()) + 1, target.width)
        truth, predicted = np.full(shape, np.nan), np.full(shape, np.nan)
        truth[rows, turns], predicted[rows, turns] = positions.truth, positions.predicted
        return cls(truth, predicted, names)

    @property
    def steps(self) -> int:
        """H."""
        return int(self.truth.shape[1])

    @property
    def counted(self) -> NDArray[np.bool_]:
        """Which numbers (N, H, D) have a truth."""
        return ~np.isnan(self.truth)

    def errors(self) -> dict[str, list[float]]:
        """Return the errors at each step ahead: ``mae`` and ``rmse``, of several columns as ``mae.COLUMN``.

        They are NaN at a step where nothing counts, or where a prediction is NaN.
        """
        return {name: values.tolist() for name, values in self._errors(axis=(0, 2)).items()}

    def overall(self) -> dict[str, float]:
        """Return the errors over all steps ahead, under the names of `errors`, and the bias."""
        return {name: float(values) for name, values in self._errors(axis=(0, 1, 2), bias=True).items()}

    def _errors(self, axis: tuple[int, ...], *, bias: bool = False) -> dict[str, Numbers]:
        """Return the errors averaged over axes, of one column after the other."""
        names = np.array(self.columns)
        found = {}
        for name in dict.fromkeys(self.columns):
            own = names == name
            suffix = "" if len(set(self.columns)) == 1 else f".{name}"
            counted = self.counted[..., own]
            with np.errstate(over="ignore", invalid="ignore"):  # a closed loop may leave all bounds
                errors = np.where(counted, self.predicted[..., own] - self.truth[..., own], 0)
                found[f"mae{suffix}"] = _mean(np.abs(errors), counted, axis)
                found[f"rmse{suffix}"] = np.sqrt(_mean(np.square(errors), counted, axis))
                if bias:
                    found[f"bias{suffix}"] = _mean(errors, counted, axis)
        return found


def _mean(values: Numbers, counted: NDArray[np.bool_], axis: tuple[int, ...]) -> Numbers:
    """Return the mean over axes of values (N, H, D), which are 0 where they do not count."""
    mean: Numbers = values.sum(axis=axis) / counted.sum(axis=axis)
    return mean


def horizons(forecasters: Mapping[str, Positions]) -> dict[str, dict[str, list[float]]]:
    """Return the errors of several forecasters at each step ahead; empty if the task is not of several steps.

    Parameters
    ----------
    forecasters
        Positions of each, such as of the ``model``, ``last`` and ``seasonal_24``, all over the same truth.

    Returns
    -------
    errors
        Of each forecaster ``{"mae": […], "rmse": […]}``; see `Forecasts.errors`.
    """
    found = {name: Forecasts.of(positions) for name, positions in forecasters.items()}
    return {name: forecasts.errors() for name, forecasts in found.items() if forecasts is not None}
