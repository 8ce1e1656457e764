"""Progress for another process: lines of JSON on a pipe, read by `lstm_cli.training.members`."""

import json
import os
import time

from lstm_cli.training.events import Event, Finished, Started, StepDone

INTERVAL = 0.2  # seconds between two updates that are reported


class Piped:
    """Writes ``{"step": N, "total": N}`` to a file descriptor, at the start, now and then, and at the end.

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
                self._write(event.first_step)
            case StepDone() if time.monotonic() - self._written_at >= INTERVAL:
                self._write(event.step)
            case Finished():
                self._total = event.step
                self._write(event.step)

    def close(self) -> None:
        """Close the pipe."""
        os.close(self._descriptor)

    def _write(self, step: int) -> None:
        self._written_at = time.monotonic()
        os.write(self._descriptor, (json.dumps({"step": step, "total": self._total}) + "\n").encode())
