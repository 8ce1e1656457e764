"""Random small trainings: data of any kind and format, and a config."""

import json
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tests.support.config import merged
from tests.support.scoring import BACKWARD, FORMATS, TASKS, WINDOWS, Task, content_of, of_numbers, sequences
from tests.support.worlds import ALONE, CLOSED, write_world

PER_SEQUENCE = {"a label", "a label, mean over steps", "a label, ts", "numbers at the end", "a set"}
OPTIMIZERS = [
    "sgd", "adagrad", "adadelta", "rmsprop", "adamw", "nadam",
    {"name": "adam", "learning_rate": 0.01}, {"name": "sgd", "learning_rate": 0.1, "momentum": 0.9},
]  # fmt: skip
SCHEDULES = [
    "constant", "exponential", {"name": "cosine", "warmup": 3}, {"name": "linear", "warmup": 2},
    {"name": "plateau", "patience": 0, "factor": 0.5},
]  # fmt: skip
LOOPS = {"a system": CLOSED, "a series of its own": ALONE}


@dataclass(frozen=True)
class World:
    """Data and a config that trains on it.

    Attributes
    ----------
    name
        What is special about it.
    config
        The path of the config; the data lies beside it.
    test
        The file to predict.
    options
        What `lstm-predict` needs for it.
    task, truth
        How scores are computed from predictions, and the content of `test`; None for closed loops.
    """

    name: str
    config: Path
    settings: dict[str, Any]
    test: Path
    options: list[str] = field(default_factory=list)
    task: Task | None = None
    truth: Any = None

    def scores(self, rows: list[dict[str, Any]]) -> dict[str, float]:
        """The scores of predictions, computed by scikit-learn and numpy."""
        if self.task is None:
            return {}
        if self.task.data.get("target") == {"column": "end", "kind": "number", "per": "sequence"}:
            rows = [row | {"end": True} for row in rows]
        return self.task.score(self.task.truth(self.truth), rows)


def draw_world(draw: random.Random, folder: Path) -> World:
    """Draw data and a config, and write both into a folder."""
    folder.mkdir()
    rng = np.random.default_rng(draw.getrandbits(32))
    if draw.random() < 0.15:
        return _closed_loop(draw, folder)
    name, task = draw.choice([*TASKS.items(), *_formats().items()])
    windows = [w for w in WINDOWS if w == "no window" or name not in PER_SEQUENCE]
    window = draw.choice(windows)
    given = content_of(task, rng), content_of(task, rng)
    train, test = (task.write(folder / f"{k}{task.suffix}", rows) for k, rows in zip(("a", "b"), given, strict=True))
    valid = draw.choice([test.name, test.name, 0.25])
    settings = _settings(draw, both_ways=name in BACKWARD and "carried" not in window, pooled=name in PER_SEQUENCE)
    data = {"train": train.name, "valid": valid, "test": test.name, **task.data, **WINDOWS[window]}
    settings = merged(settings, {"data": data, "model": task.model})
    options = ["--probabilities"] if task.probabilities else []
    config = _write(folder, settings)
    return World(f"{name}, {window}", config, settings, test, options, task, given[1])


def _formats() -> dict[str, Task]:
    """A task for every other format."""
    target = {"column": "sum", "kind": "number", "per": "step"}
    return {
        f"a number per step,{suffix}": Task(
            writer, of_numbers, sequences("sum"), suffix=suffix, probabilities=False, inputs=inputs, target=target
        )
        for suffix, (writer, inputs) in FORMATS.items()
    }


def _settings(draw: random.Random, *, both_ways: bool, pooled: bool) -> dict[str, Any]:
    """Everything of a config but its data."""
    threads = draw.choice([1, 1, 2])
    model = {
        "cell": draw.choice(["lstm", "gru", "rnn"]),
        "layers": draw.choice([[48]] if threads == 2 else [[4], [6, 4], [3, 5]]),
        "embedding": 3,
        "bidirectional": both_ways and draw.random() < 0.5,
        "initial_state": draw.choice(["learned", "zeros"]),
        "dropout": draw.choice([0.0, 0.3]),
        "recurrent_dropout": draw.choice([0.0, 0.25]),
    }
    if pooled:
        model["pool"] = draw.choice(["last", "mean", "max", "attention"])
    return {
        "seed": draw.randrange(1000),
        "threads": threads,
        "precision": draw.choice(["float32", "float32", "float64"]),
        "model": model,
        "optimizer": draw.choice(OPTIMIZERS),
        "train": {
            "epochs": draw.randint(8, 30),
            "batch_size": draw.randint(2, 6),
            "accumulate": draw.choice([1, 1, 2]),
            "bucket": draw.random() < 0.5,
            "schedule": draw.choice(SCHEDULES),
            "patience": draw.choice([None, None, 3]),
            "evaluate_every": draw.choice(["epoch", "2 epochs", "7 steps"]),
            "checkpoint_every": draw.choice(["epoch", "1 steps", "3 steps", "20 steps", "10min"]),
        },
    }


def _closed_loop(draw: random.Random, folder: Path) -> World:
    """A network that drives a system, or feeds itself its predictions."""
    name = draw.choice(list(LOOPS))
    write_world(folder)
    settings = merged(
        LOOPS[name],
        {
            "seed": draw.randrange(1000),
            "train": {
                "epochs": draw.randint(10, 40),
                "checkpoint_every": draw.choice(["1 steps", "3 steps", "epoch", "10min"]),
                "schedule": draw.choice(["constant", "cosine"]),
            },
        },
    )
    test = folder / settings["data"]["train"]
    options = ["--steps", "4", *(["--trust"] if name == "a system" else [])]
    return World(f"closed loop: {name}", _write(folder, settings), settings, test, options)


def _write(folder: Path, settings: dict[str, Any]) -> Path:
    path = folder / "config.yaml"
    path.write_text(json.dumps(settings, indent=1))
    return path
