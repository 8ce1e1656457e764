"""Whether training waits for its data: the share of a step that a batch from a memory-mapped copy takes.

``python -m tests.benchmarks.large_data`` writes waves, trains an epoch on a copy of them and one from memory, for
networks of several sizes, and prints the share of both.
"""

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from lstm_cli import train
from lstm_cli.data.batching.batches import Batches

FILES, UNITS = 8, (32, 128)


def write_waves(folder: Path) -> None:
    """Write 64 MB of numbers: 4,000 sequences of 500 steps of 8 numbers."""
    for number in range(FILES):
        x = np.random.default_rng(number).normal(size=(500, 500, 8)).astype(np.float32)
        np.savez(folder / f"{number}.npz", x=x, y=x[:, :, 0].sum(axis=1))


def share(folder: Path, cache: str, units: int) -> float:
    """Return the share of the time of an epoch, from its first batch to its last, that making the batches takes."""
    spans: list[tuple[float, float]] = []
    made = Batches._batch

    def timed(self: Batches, *given: Any) -> Any:
        start = time.perf_counter()
        batch = made(self, *given)
        if type(self) is Batches:  # those of training, not of the scores
            spans.append((start, time.perf_counter()))
        return batch

    Batches._batch = timed  # type: ignore[method-assign]
    try:
        data = {"train": "*.npz", "inputs": ["x"], "target": "y", "valid": None, "cache": cache}
        training = {"epochs": 1, "monitor": "train.loss", "batch_size": 32, "patience": None}
        config = {"data": {**data, "train": str(folder / "*.npz")}, "train": training, "model": {"layers": [units]}}
        with tempfile.TemporaryDirectory() as run:
            train(config, run=Path(run) / "run", verbosity=-1)
    finally:
        Batches._batch = made  # type: ignore[method-assign]
    spans = spans[-FILES * 500 // 32 :]  # without those that choose settings or look for the largest
    return sum(stop - start for start, stop in spans) / (spans[-1][1] - spans[0][0])


def main() -> None:
    """Print a line for each size of network."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_waves(folder)
        for units in UNITS:
            copied, held = share(folder, "always", units), share(folder, "never", units)
            line = f"{units:4} units: batches take {copied:.1%} of a step from a copy, {held:.1%} from memory"
            sys.stdout.write(line + "\n")


if __name__ == "__main__":
    main()
