"""How far ahead a closed loop can be trusted: the error against the horizon, and a few trajectories.

Legend: B batch, N rows, K compared numbers, S steps of the loop.
"""

from collections.abc import Iterator
from typing import Literal

import numpy as np

from lstm_cli.config.config import Config
from lstm_cli.data import Batch, Data, Dataset, Schema, evaluation_batches
from lstm_cli.training.events import Rolled, Trajectory
from lstm_cli.training.loop import to_original_units
from lstm_cli.training.step import Evaluator

SEQUENCES, NUMBERS = 3, 2  # that are shown, and of each


def rolled(config: Config, evaluator: Evaluator, data: Data) -> Rolled:
    """Run the loop over the test data, or where there are none over the validation or training data."""
    splits: tuple[Literal["test", "valid", "train"], ...] = ("test", "valid", "train")
    split = next(name for name in splits if getattr(data, name) is not None)
    dataset: Dataset = getattr(data, split)
    batches = evaluation_batches(config, dataset, every_step=True)
    squares, counts, shown = np.zeros(0), np.zeros(0), []
    for batch in batches.epoch(0):
        _, values, _ = evaluator(batch, None)
        found, wanted = to_original_units(dataset, batch, values)
        turns = _turns(batch)
        longest = max(len(squares), int(turns.max(initial=-1)) + 1)
        squares, counts = (np.pad(sums, (0, longest - len(sums))) for sums in (squares, counts))
        with np.errstate(over="ignore"):
            np.add.at(squares, turns, np.square(found - wanted).mean(axis=1))
        np.add.at(counts, turns, 1)
        if len(shown) < SEQUENCES * NUMBERS:
            shown += _trajectories(batch, dataset, found, wanted)
    with np.errstate(invalid="ignore"):
        errors = np.sqrt(squares / counts)
    return Rolled(split, tuple(errors.tolist()), tuple(shown[: SEQUENCES * NUMBERS]))


def _turns(batch: Batch) -> np.ndarray:
    """Return the step of the loop, from 0, that each row is (N,)."""
    time, columns = batch.counted_times, batch.counted_sequences
    return time - (batch.observed[columns] - 1)


def _trajectories(batch: Batch, dataset: Dataset, found: np.ndarray, wanted: np.ndarray) -> Iterator[Trajectory]:
    columns = batch.counted_sequences
    names = _names(dataset.schema)
    for column in range(len(batch.lengths)):
        own = columns == column
        name = f"Sequence {dataset.ids[batch.sequences[column]]}"
        if batch.starts is not None and len(dataset) == 1:
            name = f"From step {batch.starts[column] + batch.observed[column]:,}"
        for k in range(min(NUMBERS, found.shape[1])):
            if own.any():
                yield Trajectory(f"{name}, {names[k]}", tuple(found[own, k].tolist()), tuple(wanted[own, k].tolist()))


def _names(schema: Schema) -> list[str]:
    """Return what the compared numbers are called."""
    layout = schema.layout
    if layout.closed_loop is not None:
        return [f"{layout.inputs[0].name}[{element}]" for element in layout.closed_loop.elements]
    return [
        f"{column.name}[{k}]" if column.width > 1 else column.name
        for column in layout.next_columns
        for k in range(column.width)
    ]
