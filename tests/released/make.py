"""Makes the runs of a released checkpoint format: later versions have to load them, predict with them and resume them.

Run once for a new format, at its release, from the top of the clone; what an older version wrote is never made again:

    python -m tests.released.make tests/released/format-2

A format's folder holds the data, one config and one run for each entry of `CONFIGS`, stopped in the middle of an epoch,
and ``expected.json``: what each run predicted then, and what its metrics were after it was resumed to its end.
"""

import json
import shutil
import signal
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import lstm_cli
from lstm_cli.config import load_config
from lstm_cli.data import encode, read_sequences
from lstm_cli.errors import Interrupted
from lstm_cli.run.names import ENVIRONMENT, LOCK
from lstm_cli.training.events import Event, StepDone
from tests.support.runs import SERIES, TEXT, Watcher, metrics, train, watched, write_data

# Defaults that have changed since: what the runs were started with.
BEFORE = {"format-1": ["train.schedule.warmup=200"]}
STOPS = {"labels": 5, "text": 13, "series": 7}  # at this step, in the middle of an epoch after an evaluation
# Of every cell, every kind of state and of target. What is scaled by minmax is the same to the last bit everywhere.
CONFIGS: dict[str, dict[str, Any]] = {
    "labels": {
        "data": {"train": "gestures.jsonl", "inputs": ["x"], "target": "y", "valid": 0.25, "scale": "minmax"},
        "model": {
            "layers": [{"size": 3, "cell": "lstm"}, {"size": 2, "cell": "gru"}],
            "bidirectional": True,
            "pool": "attention",
            "recurrent_dropout": 0.2,
        },
        "optimizer": {"name": "adam", "learning_rate": 0.03},
        "train": {"epochs": 5, "batch_size": 3, "accumulate": 2, "patience": None},
    },
    "text": {
        "data": TEXT,
        "model": {"cell": "gru", "embedding": 3, "layers": [4]},
        "optimizer": {"name": "rmsprop", "momentum": 0.5, "learning_rate": 0.01},
        "train": {"epochs": 3, "batch_size": 2, "schedule": {"name": "plateau", "patience": 0}},
    },
    "series": {
        "precision": "float64",
        "data": {**SERIES, "transform": {"a": "difference"}, "scale": "minmax"},
        "model": {"cell": "rnn", "layers": [4], "residual": True},
        "train": {"epochs": 3, "batch_size": 2, "evaluate_every": "5 steps"},
    },
}


def make(folder: Path) -> None:
    """Fill a new folder."""
    folder.mkdir()
    write_data(folder)
    expected = {}
    for name, config in CONFIGS.items():
        (folder / f"{name}.yaml").write_text(json.dumps({"threads": 1, **config}, indent=1) + "\n")
        stopped(folder, name)
        tidy(folder / name)
        expected[name] = {"answers": predictions(folder, name), "metrics": resumed(folder, name)}
    (folder / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


class Stops(Watcher):
    """Asks a run to stop at a step."""

    def __init__(self, step: int) -> None:
        super().__init__()
        self._step = step

    def __call__(self, event: Event) -> None:
        super().__call__(event)
        if isinstance(event, StepDone) and event.step == self._step:
            signal.raise_signal(signal.SIGTERM)


def stopped(folder: Path, name: str) -> None:
    """Train a run, and stop it."""
    with suppress(Interrupted):
        watched(load_config(folder / f"{name}.yaml"), folder / name, Stops(STOPS[name]))


def tidy(run: Path) -> None:
    """Remove what says more of the machine than of the run, and what nothing reads."""
    for name in (LOCK, "report.html", "train.log"):
        (run / name).unlink()
    environment = json.loads((run / ENVIRONMENT).read_text())
    (run / ENVIRONMENT).write_text(json.dumps({key: environment[key] for key in ("seed", "versions")}, indent=1) + "\n")


def predictions(folder: Path, name: str) -> dict[str, Any]:
    """Return the scores of a run on its training data, and the last outputs for the first sequence."""
    run = lstm_cli.load(folder / name)
    data = folder / run.config.data.train
    first = next(run.outputs(encode(run.schema, row) for row in read_sequences(data, run.schema)))
    return {"scores": run.evaluate(data), "outputs": first.values[-3:].tolist()}


def resumed(folder: Path, name: str) -> list[dict[str, Any]]:
    """Return the metrics of a copy of a run that was resumed to its end."""
    with tempfile.TemporaryDirectory() as scratch:
        copy = shutil.copytree(folder, Path(scratch) / "copy")
        defaults = [] if "schedule" in CONFIGS[name]["train"] else BEFORE.get(folder.name, [])
        train(load_config(copy / f"{name}.yaml", defaults), copy / name, resume=True)
        return metrics(copy / name)


if __name__ == "__main__":
    make(Path(sys.argv[1]))
