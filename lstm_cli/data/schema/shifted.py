"""Targets and weights at the steps that predict them.

Legend: T steps, D numbers per step, H steps predicted at once.
"""

from typing import cast

import numpy as np
from numpy.typing import NDArray


def within(
    given: NDArray[np.floating] | None, lag: int, kept: int, *, first: int, stop: int
) -> NDArray[np.floating] | None:
    """Return the weights of the kept steps: 0 before `first` and from `stop` on; None if all are 1."""
    if given is None and first <= 0 and kept <= stop:
        return None
    weight = np.ones(kept, np.float32) if given is None else given[lag : lag + kept].copy()
    weight[: max(first, 0)] = 0
    weight[max(stop, 0) :] = 0
    return weight


def later(values: np.ndarray | None, ahead: int, kept: int, horizon: int = 1) -> np.ndarray | None:
    """Return the values (T, H * D) from `ahead` steps later on for each kept step, zeros beyond the end."""
    if values is None:
        return None
    if horizon > 1:
        each = [later(values, ahead + step, kept) for step in range(horizon)]
        return np.concatenate(cast(list[np.ndarray], each), axis=1)
    found = values[ahead : ahead + kept]
    if len(found) < kept:
        found = np.concatenate([found, np.zeros((kept - len(found), *values.shape[1:]), values.dtype)])
    return found


def all_later(values: NDArray[np.bool_], ahead: int, kept: int, horizon: int) -> NDArray[np.bool_]:
    """Return whether all `horizon` values from `ahead` steps later on are known, for each kept step (T,)."""
    each = [later(values, ahead + step, kept) for step in range(horizon)]
    known: NDArray[np.bool_] = np.logical_and.reduce(cast(list[NDArray[np.bool_]], each))
    return known
