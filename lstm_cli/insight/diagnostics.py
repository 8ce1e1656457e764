"""How information flows through a model's recurrent layers, measured on a few sequences.

Legend: T time, B batch, N counted positions, n sequences.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lstm_cli.data import Batch, Batches, Dataset
from lstm_cli.data.batching.collate import collate
from lstm_cli.data.batching.windows import Windows
from lstm_cli.engine.diagnostics import Probe
from lstm_cli.insight.explanation import Diagnostics, LagNorms, Saturation

SEQUENCES = 32  # that are looked at
STEPS = 400  # of each, the last ones before an output that counts
VALUES_HELD = 1 << 26  # numbers that are held for all their steps: of a large network, steps are fewer
LAGS = 200
NEARLY = 0.9  # of an activation that nearly has its highest value

#: Lowest value of the activations that saturate at both ends; their highest is 1.
_LOWEST = {"sigmoid": 0.0, "tanh": -1.0, "softsign": -1.0}


def diagnosed(probe: Probe, batches: Batches) -> Diagnostics:
    """Return how far back the gradient reaches and how saturated the gates are, on a few sequences of a split.

    Of a closed loop it is the first batch of the split, and the gradient is the one through the loop.
    """
    batch: Batch | None
    if batches.closed_loop is not None:
        batch = _last_outputs(next(batches.epoch(0)))
    else:
        batch = sample(batches.dataset, max(2, min(STEPS, VALUES_HELD // (SEQUENCES * probe.values_per_step))))
    if batch is None:
        return Diagnostics()
    return Diagnostics(_gradient_by_lag(probe, batch), tuple(_saturation(probe, batch)))


def sample(dataset: Dataset, steps: int = STEPS) -> Batch | None:
    """Return a batch of some steps before each of a few outputs that count, spread over a dataset; None if none counts.

    Of each sequence it is the last such output; where there are fewer sequences than `SEQUENCES`, outputs are spread
    over all steps. Only the last output of each window counts, with a weight of 1.
    """
    ends = _ends(dataset)
    if not len(ends):
        return None
    sequences = np.searchsorted(dataset.offsets, ends, side="right") - 1
    most = min(steps, dataset.schema.layout.window or steps)
    starts = np.maximum(dataset.offsets[sequences], ends + 1 - most)
    order = np.argsort(starts - ends, kind="stable")  # the longest first
    lengths, starts = (ends + 1 - starts)[order], (starts - dataset.offsets[sequences])[order]
    return _last_outputs(collate(dataset, Windows(sequences[order], starts, lengths, np.zeros(len(order), np.bool_))))


def _last_outputs(batch: Batch) -> Batch:
    """Return a batch of which only the last output of each sequence counts, with a weight of 1."""
    last = _last_counted(batch)
    target = None if batch.target is None else batch.target[last]
    weight = np.ones(len(last), batch.weight.dtype)
    return replace(batch, counted=batch.counted[last], target=target, weight=weight, scaling=None)


def _ends(dataset: Dataset) -> NDArray[np.int64]:
    """Return the places of up to `SEQUENCES` outputs that count, among all steps of a dataset."""
    last = dataset.offsets[1:] - 1
    if dataset.schema.target.per == "sequence":
        counts = np.ones(len(last), np.bool_) if dataset.weight is None else dataset.weight > 0
        return _spread(last[counts])
    if dataset.weight is None:
        counted = np.arange(dataset.offsets[-1])
    else:
        counted = np.flatnonzero(dataset.weight > 0)
        before = np.searchsorted(counted, last, side="right") - 1
        last = np.unique(counted[before[before >= 0]])
    return _spread(last if len(last) >= SEQUENCES else counted)


def _spread(places: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return at most `SEQUENCES` of some places, spread evenly, the last one among them."""
    count = min(SEQUENCES, len(places))
    return places[np.arange(1, count + 1) * len(places) // max(count, 1) - 1]


def _last_counted(batch: Batch) -> NDArray[np.int64]:
    """Return the indices among the counted positions (N,) of each sequence's last one with a loss."""
    known = np.flatnonzero(batch.known)
    columns = batch.counted_sequences[known]
    last = np.full(len(batch.lengths), -1)
    np.maximum.at(last, columns, known)  # positions are in the order of steps
    return np.sort(last[last >= 0])


def _gradient_by_lag(probe: Probe, batch: Batch) -> LagNorms | None:
    """Return the mean norm of the gradient by how many steps the input lies before the output.

    The mean is over the longer half of the sequences, and the same ones at every lag.
    """
    columns = batch.counted_sequences
    times = batch.counted_times if probe.model.sizes.per == "step" else batch.lengths[columns] - 1
    if not len(times):
        return None
    found = probe.input_gradient_norms(batch)
    longest = min(LAGS, int(np.median(times)))
    long = times >= longest
    lags = np.arange(longest + 1)
    norms = [float(found[times[long] - lag, columns[long]].mean()) for lag in lags]
    return LagNorms(tuple(lags.tolist()), tuple(norm if np.isfinite(norm) else None for norm in norms))


def _saturation(probe: Probe, batch: Batch) -> Iterator[Saturation]:
    """Yield the shares of nearly lowest and nearly highest values of each gate that has such values."""
    for gate in probe.gates(batch):
        if gate.activation not in _LOWEST or not np.isfinite(gate.values).all():
            continue
        lowest = _LOWEST[gate.activation]
        low = lowest + (1 - NEARLY)
        yield Saturation(gate.layer, gate.name, float((gate.values < low).mean()), float((gate.values > NEARLY).mean()))
