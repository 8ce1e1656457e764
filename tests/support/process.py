"""The command `lstm-train` as a process of its own, training a run that does not end: for tests and benchmarks."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.paths import ROOT
from tests.support.runs import small, write_data

COMMAND = [sys.executable, "-c", "from lstm_cli.cli.start import train; train()"]

STUCK = """
import sys
def stuck(*_):
    sys.stderr.write("stuck\\n")
    while True:
        pass
"""  # the beginning of a module that a test puts in another one's place


def write_endless_config(folder: Path) -> Path:
    """Write a config, and its data, of a small run that does not end."""
    path = write_data(folder) / "config.yaml"
    path.write_text(json.dumps(small(train={"epochs": 100_000, "patience": None})))
    return path


class Process:
    """A running `lstm-train` and what it prints."""

    def __init__(self, config: Path, run: Path, *options: str, **environment: str) -> None:
        self.run, self._said = run, run.with_suffix(".stderr")
        with self._said.open("w") as stderr:
            self._process = subprocess.Popen(
                [*COMMAND, str(config), "-o", str(run), *options],
                env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
                stdout=subprocess.DEVNULL,
                stderr=stderr,
            )

    @property
    def said(self) -> str:
        return self._said.read_text()

    def wait_for(self, condition: Callable[[], bool]) -> None:
        while not condition():
            assert self._process.poll() is None, self.said
            time.sleep(0.01)

    def send(self, number: int) -> None:
        self._process.send_signal(number)

    def end(self, timeout: float | None = 60) -> int:
        return self._process.wait(timeout)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


@contextmanager
def started(*args: Path | str, **environment: str) -> Iterator[Process]:
    process = Process(*args, **environment)
    try:
        yield process
    finally:
        process.kill()
