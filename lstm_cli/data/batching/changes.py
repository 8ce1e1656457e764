"""How much the numbers of a series change from step to step."""

import math

import numpy as np

from lstm_cli.data.dataset import Dataset

#: The change from step to step, relative to the deviation, below which numbers are smooth: they have hardly any noise.
_SMOOTH = 0.3


def relative_change(dataset: Dataset) -> float:
    """Return the root mean square of the change from step to step, relative to the deviation, over all numeric inputs.

    It is infinite where the target is not their next step, or they never change.
    """
    if not dataset.schema.predicts_inputs or dataset.numbers is None:
        return math.inf
    numbers = dataset.numbers.astype(np.float64)
    sequence = np.repeat(np.arange(len(dataset)), dataset.lengths)
    inner = np.diff(numbers, axis=0)[sequence[1:] == sequence[:-1]]
    variance = float(numbers.var(axis=0).sum())
    return math.sqrt(float((inner**2).mean(axis=0).sum()) / variance) if len(inner) and variance else math.inf


def is_smooth(dataset: Dataset) -> bool:
    """Return whether numbers are predicted that change so little from step to step that precision grows for long."""
    return relative_change(dataset) < _SMOOTH
