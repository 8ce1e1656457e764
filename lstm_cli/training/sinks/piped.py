"""Progress for another process: lines of JSON on a pipe, read by `lstm_cli.training.members`."""

import json
import os
import time
from collections.abc import Mapping
from typing import Any

from lstm_cli.training.events import Evaluated, Event, Finished, Started, StepDone
from lstm_cli.training.sinks.metrics_file import entry

INTERVAL = 0.2  # seconds between two updates that are reported


class Piped:
    """Writes ``{"step": N, "total": N}`` to a file descriptor, at the start, now and then, and at the end.

    An evaluation is written as ``{"scored": …}``, with what ``metrics.jsonl`` has of it.

    Once nobody reads the pipe, writing raises `BrokenPipeError`, which ends the run after its state is saved.

    Parameters
    ----------
    descriptor
        Open for writing; closed at the end.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor, self._total, self._written_at = descriptor, 0, 0.0

    def __call__(self, event: Event) -> None:
        """Handle one event."""
        match event:
            case Started():
                self._total = event.total_steps
                self._advance(event.first_step)
            case StepDone() if time.monotonic() - self._written_at >= INTERVAL:
                self._advance(event.step)
            case Evaluated():
                self._write({"scored": entry(event)})
            case Finished():
                self._total = event.step
                self._advance(event.step)

    def close(self) -> None:
        """Close the pipe."""
        os.close(self._descriptor)

    def _advance(self, step: int) -> None:
        self._written_at = time.monotonic()
        self._write({"step": step, "total": self._total})

    def _write(self, content: Mapping[str, Any]) -> None:
        os.write(self._descriptor, (json.dumps(content) + "\n").encode())
