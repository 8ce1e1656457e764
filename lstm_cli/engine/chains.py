"""Batches of a model with a conditional random field: the chain of a sequence has all of its real steps.

Legend: N counted positions, M real steps.
"""

from dataclasses import replace

import numpy as np

from lstm_cli.data import Batch, Dataset
from lstm_cli.errors import DataError


def whole_chains(batch: Batch) -> Batch:
    """Return a batch in which every real step counts; the target of those that did not is unknown, their weight 0."""
    steps, places = np.flatnonzero(batch.mask), chain_places(batch)
    target, weight = np.full(len(steps), -1, np.int64), np.zeros(len(steps), batch.weight.dtype)
    weight[places] = batch.weight
    if batch.target is not None:
        target[places] = batch.target
    return replace(batch, counted=steps, target=None if batch.target is None else target, weight=weight)


def chain_places(batch: Batch) -> np.ndarray:
    """Return the places (N,) of a batch's counted positions among its real steps (M,)."""
    return np.searchsorted(np.flatnonzero(batch.mask), batch.counted)


def check_chain_weights(dataset: Dataset) -> None:
    """Raise a `DataError` where the steps of a sequence have different weights: a chain has one likelihood."""
    if dataset.weight is None:
        return
    counts = dataset.weight > 0
    weights, owners = dataset.weight[counts], np.repeat(np.arange(len(dataset.lengths)), dataset.lengths)[counts]
    different = np.flatnonzero((weights[1:] != weights[:-1]) & (owners[1:] == owners[:-1]))
    if len(different):
        what = "its steps have different weights, and with model.crf a sequence has one"
        where = dataset.where[int(owners[different[0]])]
        raise DataError(f"{where}: {what}: give them one, or leave loss.weight or model.crf out")
