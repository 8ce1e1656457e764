"""From windows of sequences to the arrays of a batch, without a Python loop over steps.

Legend: T time, B batch, N counted positions.
"""

from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lstm_cli.data.batch import Batch
from lstm_cli.data.batching.windows import Windows
from lstm_cli.data.dataset import Dataset


def collate(
    dataset: Dataset,
    windows: Windows,
    *,
    carry: NDArray[np.int64] | None = None,
    normalize: Literal["step", "sequence"] = "step",
) -> Batch:
    """Return windows of a dataset as a batch, in the order given."""
    lengths, size = windows.lengths, len(windows)
    time = np.arange(int(lengths.max()))[:, np.newaxis]
    real = time < lengths
    first = dataset.offsets[windows.sequences] + windows.starts
    positions = np.where(real, first + time, 0)
    numbers, tokens = _inputs(dataset, real, positions)
    if dataset.schema.target.per == "sequence":
        counts = ~windows.warm_up
        if dataset.weight is not None:
            counts &= dataset.weight[windows.sequences] > 0
        counted = np.flatnonzero(counts)
        targets = windows.sequences[counted]
    else:
        counted = _counted(dataset, windows, real, positions)
        targets = positions.ravel()[counted]
    weight = np.ones(len(counted), np.float32) if dataset.weight is None else dataset.weight[targets]
    target, scaling = _targets(dataset, targets), None
    if target is not None and dataset.schema.target.class_weights is not None:
        weight *= np.array(dataset.schema.target.class_weights, np.float32)[target]
    if dataset.schema.layout.window is not None:
        scaling, target = dataset.scale_windows(numbers, target, lengths, counted % size)
    batch = Batch(
        lengths=lengths.copy(),
        mask=real.astype(np.float32),
        numbers=numbers,
        tokens=tokens,
        counted=counted,
        target=target,
        weight=weight,
        loss_divisor=0.0,
        sequences=windows.sequences.copy(),
        starts=windows.starts.copy(),
        carry=carry,
        observed=None if dataset.observed is None else dataset.observed[windows.sequences],
        scaling=scaling,
    )
    known = batch.known
    divisor = weight[known].sum(dtype=np.float64) if normalize == "step" else len(np.unique(counted[known] % size))
    return replace(batch, loss_divisor=float(divisor))


def _inputs(
    dataset: Dataset, real: NDArray[np.bool_], positions: NDArray[np.int64]
) -> tuple[NDArray[np.floating] | None, dict[str, NDArray[np.int32]]]:
    """Return numbers (T, B, I) and tokens (T, B) of the steps at positions (T, B), 0 on padding."""
    numbers = None if dataset.numbers is None else dataset.numbers[positions]
    tokens = {name: indices[positions] for name, indices in dataset.tokens.items()}
    for padded in (*tokens.values(), *([] if numbers is None else [numbers])):
        padded[~real] = 0
    return numbers, tokens


def _counted(
    dataset: Dataset, windows: Windows, real: NDArray[np.bool_], positions: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the flat positions of real steps that count: the last of each window where each has its own scaling."""
    counts = real & ~windows.warm_up
    if dataset.schema.layout.window is not None:
        counts[:-1] &= ~real[1:]
    if dataset.weight is not None:
        counts &= dataset.weight[positions] > 0
    return np.flatnonzero(counts)


def _targets(dataset: Dataset, places: NDArray[np.int64]) -> np.ndarray | None:
    if dataset.target is None:
        return None
    target = dataset.target[places]
    return target.astype(np.int64) if dataset.schema.target.kind == "category" else target
