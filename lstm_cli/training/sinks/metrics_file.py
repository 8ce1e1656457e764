"""``metrics.jsonl``: one object per evaluation, appended and synced. `lstm_cli.run.metrics_log` reads it back."""

import json
import math
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from lstm_cli.errors import DiskError
from lstm_cli.run.files import disk_errors, open_own
from lstm_cli.training.events import Evaluated, Event


class MetricsFile:
    """Appends one line per evaluation; a line that is there is whole and on the disk.

    Parameters
    ----------
    path
        The file; created where it is missing. A symbolic link is refused.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = open_own(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def __call__(self, event: Event) -> None:
        """Take one event."""
        if isinstance(event, Evaluated):
            self._append((json.dumps(entry(event), allow_nan=False) + "\n").encode())

    def _append(self, line: bytes) -> None:
        size = os.fstat(self._descriptor).st_size
        try:
            with disk_errors(self._path, len(line)):
                left = line
                while left:
                    left = left[os.write(self._descriptor, left) :]
                os.fsync(self._descriptor)
        except DiskError:
            with suppress(OSError):
                os.ftruncate(self._descriptor, size)
            raise

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)


def entry(event: Evaluated) -> dict[str, Any]:
    """Return an evaluation as the object that is written: what is not finite becomes null."""
    known: dict[str, Any] = {
        "step": event.step,
        "epoch": event.epoch,
        "split": event.split,
        "seconds": round(event.seconds, 3),
        "loss": event.loss,
        **event.metrics,
    }
    for name in ("train_loss", "learning_rate", "streams"):
        if (value := getattr(event, name)) is not None:
            known[name] = value
    return {name: _finite(value) for name, value in known.items()}


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
