"""How much the numbers of a series change from step to step."""

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from lstm_cli.data.dataset import Dataset

#: The change from step to step, relative to the deviation, below which numbers are smooth: they have hardly any noise.
_SMOOTH = 0.3
#: Steps that are looked at at a time: the numbers may be larger than memory.
_ROWS = 1 << 16


def relative_change(dataset: Dataset) -> float:
    """Return the root mean square of the change from step to step, relative to the deviation, over all numeric inputs.

    It is infinite where the target is not their next step, or they never change.
    """
    if not dataset.schema.predicts_inputs or dataset.numbers is None:
        return math.inf
    numbers, steps, count = dataset.numbers, len(dataset.numbers), 0
    mean = sum(block.sum(axis=0) for _, block in _blocks(numbers)) / max(steps, 1)
    squares, changes = np.zeros(numbers.shape[1]), np.zeros(numbers.shape[1])
    for start, block in _blocks(numbers, more=1):
        squares += np.square(block[:_ROWS] - mean).sum(axis=0)
        inner = np.ones(len(block) - 1, np.bool_)
        first, last = np.searchsorted(dataset.offsets, (start + 1, start + len(block)))
        inner[dataset.offsets[first:last] - start - 1] = False  # from one sequence to the next
        changes += np.square(np.diff(block, axis=0)[inner]).sum(axis=0)
        count += int(inner.sum())
    variance = float(squares.sum()) / max(steps, 1)
    return math.sqrt(float(changes.sum()) / count / variance) if count and variance else math.inf


def _blocks(numbers: NDArray[np.floating], *, more: int = 0) -> Iterator[tuple[int, NDArray[np.float64]]]:
    """Yield where each block of steps begins, and its numbers in double precision, with `more` steps after its last."""
    for start in range(0, len(numbers), _ROWS):
        yield start, numbers[start : start + _ROWS + more].astype(np.float64)


def is_smooth(dataset: Dataset) -> bool:
    """Return whether numbers are predicted that change so little from step to step that precision grows for long."""
    return relative_change(dataset) < _SMOOTH
