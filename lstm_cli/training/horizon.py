"""The error of a closed loop against the horizon, and a few trajectories.

Legend: N counted positions, K compared numbers.
"""

from collections.abc import Iterator
from copy import copy
from dataclasses import replace

import numpy as np

from lstm_cli.data import Batch, Batches, Dataset, Schema, Split
from lstm_cli.engine.evaluation import to_original_units
from lstm_cli.insight.explanation import Numbers, Trajectory
from lstm_cli.training.job import Job
from lstm_cli.typed_json import plain

SEQUENCES_SHOWN, NUMBERS_SHOWN = 3, 2  # trajectories in the report, and numbers of each


def rolled(job: Job, split: Split) -> tuple[Numbers, tuple[Trajectory, ...]]:
    """Run the closed loop over a split; return the RMSE at each of its steps, and a few trajectories.

    The errors are over all sequences, in original units; None where no sequence has that step.
    """
    batches = _counting_every_step(job.scored[split])
    dataset = batches.dataset
    squares, counts = np.zeros(0), np.zeros(0)
    shown: list[Trajectory] = []
    for batch in batches.epoch(0):
        _, values, _ = job.evaluator(batch, None)
        found, wanted = to_original_units(dataset, batch, values)
        turns = _turns(batch)
        longest = max(len(squares), int(turns.max(initial=-1)) + 1)
        squares, counts = (np.pad(sums, (0, longest - len(sums))) for sums in (squares, counts))
        with np.errstate(over="ignore"):
            np.add.at(squares, turns, np.square(found - wanted).mean(axis=1))
        np.add.at(counts, turns, 1)
        if len(shown) < SEQUENCES_SHOWN * NUMBERS_SHOWN:
            shown += _trajectories(batch, dataset, found, wanted)
    with np.errstate(invalid="ignore"):
        errors = np.sqrt(squares / counts)
    return _finite(errors), tuple(shown[: SEQUENCES_SHOWN * NUMBERS_SHOWN])


def _finite(values: np.ndarray) -> Numbers:
    """Return numbers of any shape (…,) as a tuple, None for those that are not finite."""
    return tuple(plain(values.tolist()))


def _counting_every_step(batches: Batches) -> Batches:
    """Return the same batches of a closed loop, with every step counted."""
    if batches.closed_loop is None:
        raise ValueError("only a closed loop has a horizon")
    every = copy(batches)
    every.closed_loop = replace(batches.closed_loop, at="every")
    return every


def _observed(batch: Batch) -> np.ndarray:
    """Return the observed steps of each counted position's sequence (N,)."""
    if batch.observed is None:
        raise ValueError("only a closed loop has observed steps")
    return batch.observed[batch.counted_sequences]


def _turns(batch: Batch) -> np.ndarray:
    """Return the step of the closed loop, from 0, at each counted position (N,)."""
    turns: np.ndarray = batch.counted_times - (_observed(batch) - 1)
    return turns


def _trajectories(batch: Batch, dataset: Dataset, found: np.ndarray, wanted: np.ndarray) -> Iterator[Trajectory]:
    """Yield the first compared numbers (N, K) of every sequence that has one, by sequence."""
    columns, observed, names = batch.counted_sequences, _observed(batch), _names(dataset.schema)
    for column in range(len(batch.lengths)):
        own = columns == column
        if not own.any():
            continue
        name = f"Sequence {dataset.ids[batch.sequences[column]]}"
        if batch.starts is not None and len(dataset) == 1:
            name = f"From step {batch.starts[column] + observed[own][0]:,}"
        for k in range(min(NUMBERS_SHOWN, found.shape[1])):
            yield Trajectory(f"{name}, {names[k]}", _finite(found[own, k]), _finite(wanted[own, k]))


def _names(schema: Schema) -> list[str]:
    """Return the names of the compared numbers."""
    layout = schema.layout
    if layout.closed_loop is not None:
        return [f"{layout.inputs[0].name}[{element}]" for element in layout.closed_loop.elements]
    return [
        f"{column.name}[{k}]" if column.width > 1 else column.name
        for column in layout.next_columns
        for k in range(column.width)
    ]
