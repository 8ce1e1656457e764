"""Tiny real runs in this process: data, configs, stops after any event, and what they leave in their folders."""

import json
import os
import signal
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lstm_cli.api import train_run
from lstm_cli.config import Config, config_from_mapping
from lstm_cli.errors import Interrupted
from lstm_cli.run.checkpoint import PARTS, load
from lstm_cli.run.names import BEST, LAST
from lstm_cli.training.events import Compiling, Evaluated, Event, Finished, Note, Result, Started
from lstm_cli.training.sinks import Sink
from tests.support.config import merged
from tests.support.data import read_jsonl

SMALL = {
    "threads": 1,
    "data": {"train": "gestures.jsonl", "inputs": ["x"], "target": "y", "valid": 0.25},
    "model": {"layers": [4]},
    "train": {"epochs": 3, "batch_size": 3},
}
TEXT = {"train": "text.txt", "valid": 0.25, "window": 6, "carry_state": True}
SERIES = {"train": "series.csv", "inputs": ["a"], "target": "next", "valid": 0.25, "window": 5, "carry_state": True}
SYMBOLS = 20  # of each sample of text
TIMES = ("seconds", "steps_per_second")  # of a line of metrics.jsonl: they differ from run to run
DROPS = {"dropout": 0.3, "recurrent_dropout": 0.25}


def write_data(folder: Path, *, sequences: int = 17) -> Path:
    """Put a file of each kind into a folder: sequences with a label each, a text, a long series."""
    draw = np.random.default_rng(3)
    with (folder / "gestures.jsonl").open("w") as file:
        for number in range(sequences):
            x = draw.normal(size=(draw.integers(1, 7), 2)).round(3).tolist()
            row = {"id": f"s{number}", "x": x, "y": "up" if x[-1][0] > 0 else "down", "steps": [a > b for a, b in x]}
            file.write(json.dumps(row) + "\n")
    (folder / "text.txt").write_text("".join(draw.choice(list("abc de"), size=160).tolist()))
    series = np.sin(np.arange(90) / 4) + draw.normal(size=90) / 9
    (folder / "series.csv").write_text("\n".join(["a", *(f"{value:.4f}" for value in series)]) + "\n")
    return folder


def small(**changes: Any) -> dict[str, Any]:
    """`SMALL` with changes, section by section; a `data` that names a file to train on replaces the section."""
    replaced = {"data"} if "train" in changes.get("data", {}) else set()
    return merged({key: value for key, value in SMALL.items() if key not in replaced}, changes)


def small_config(folder: Path, **changes: Any) -> Config:
    return config_from_mapping(small(**changes), folder)


class Watcher(Sink):
    """A sink that keeps the events, and does something after one of them."""

    def __init__(self, after: int | None = None, act: Callable[[], None] = lambda: None) -> None:
        self.events: list[Event] = []
        self._after, self._act, self._started = after, act, False

    def __call__(self, event: Event) -> None:
        if isinstance(event, Started):
            self.events.clear()  # what was noted before it does not count
            self._started = True
            return
        if isinstance(event, Compiling):  # only where no test before has compiled the same kernels
            return
        self.events.append(event)
        if self._started and len(self.events) == self._after:
            self._act()

    def close(self) -> None:
        pass

    def of(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


def watched(config: Config, folder: Path, watcher: Watcher, **options: Any) -> Result:
    """Train with the watcher as a sink, without waiting for the disk, and with short samples of text in the report."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda descriptor: None)
        patch.setattr("lstm_cli.insight.samples.CHARACTERS", SYMBOLS)
        return train_run(config, folder, sinks=[watcher], verbosity=-1, **options)


def train(config: Config, folder: Path, **options: Any) -> Watcher:
    watcher = Watcher()
    watched(config, folder, watcher, **options)
    return watcher


def train_in_sessions(config: Config, folder: Path, stops: Sequence[int]) -> int:
    """Train, stopped by SIGINT after `stops[k]` events of session k; return how many sessions there were."""
    for session, after in enumerate(stops):
        watcher = Watcher(after, lambda: signal.raise_signal(signal.SIGINT))
        try:
            watched(config, folder, watcher, resume=session > 0)
        except Interrupted as error:
            assert error.exit_code == 130
            if not watcher.of(Note):  # a skipped update is a step without a StepDone event
                assert load(folder / LAST).position["step"] == max(event.step for event in watcher.events)
        else:
            assert len(watcher.of(Finished)) == 1
            return session + 1
    train(config, folder, resume=bool(stops))
    return len(stops) + 1


class Died(BaseException):
    """What ends a session as a kill would: nothing is saved on the way out."""


def die() -> None:
    raise Died


def train_with_deaths(config: Config, folder: Path, deaths: Sequence[int]) -> None:
    """Train to the end in sessions, each of which dies after its number of events."""
    for session, after in enumerate(deaths):
        with suppress(Died):
            watched(config, folder, Watcher(after, die), resume=session > 0)
    train(config, folder, resume=bool(deaths))


class Whole:
    """Runs in one session, each done once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        write_data(folder)
        self._count = 0
        self._done: dict[str, Path] = {}

    def new(self) -> Path:
        self._count += 1
        return self.folder / f"run-{self._count}"

    def of(self, name: str, changes: dict[str, Any]) -> Path:
        if name not in self._done:
            self._done[name] = self.new()
            train(small_config(self.folder, **changes), self._done[name])
        return self._done[name]


def metrics(folder: Path) -> list[dict[str, Any]]:
    """The lines of metrics.jsonl without the values of `TIMES`."""
    lines = read_jsonl(folder / "metrics.jsonl")
    return [{name: value for name, value in line.items() if name not in TIMES} for line in lines]


def assert_same(one: Path, other: Path) -> None:
    """Two runs have the same result: every bit of both checkpoints, and every evaluation."""
    for name in (LAST, BEST):
        left, right = load(one / name), load(other / name)
        for part in PARTS:
            arrays, others = getattr(left, part), getattr(right, part)
            assert arrays.keys() == others.keys()
            for key, array in arrays.items():
                assert array.dtype == others[key].dtype
                assert array.tobytes() == others[key].tobytes(), f"{name}: {part} {key}"
        positions = [{**state.position, "seconds": 0} for state in (left, right)]
        assert positions[0] == positions[1]
    assert metrics(one) == metrics(other)


def evaluations(watcher: Watcher) -> list[Evaluated]:
    return watcher.of(Evaluated)
