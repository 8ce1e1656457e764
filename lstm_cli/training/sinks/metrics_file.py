"""``metrics.jsonl``: one object per evaluation, appended and synced, and cut back when a run is resumed."""

import json
import math
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from lstm_cli.errors import DiskError
from lstm_cli.files import disk_errors, open_own
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
        """Let go of the file."""
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
    for name in ("train_loss", "learning_rate"):
        if (value := getattr(event, name)) is not None:
            known[name] = value
    return {name: _finite(value) for name, value in known.items()}


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """Return the entries of a file, up to the first line that is not whole; none where there is no file."""
    return [entry for entry, _ in _entries(path)]


def trim_metrics(path: Path, step: int) -> list[dict[str, Any]]:
    """Cut a file back to what was known at a step, so that the resumed run leaves no gap and no double.

    A torn last line goes, entries after the step go, and so does the score on the test data, which ends a run and
    will be taken again.

    Parameters
    ----------
    path
        The file; nothing happens where it is missing.
    step
        Where the run goes on.

    Returns
    -------
    entries
        What is kept.
    """
    kept, size = [], 0
    for entry, end in _entries(path):
        if entry["step"] > step or entry["split"] == "test":
            break
        kept.append(entry)
        size = end
    if os.path.lexists(path):
        with os.fdopen(open_own(path, os.O_RDWR), "r+b") as file, disk_errors(path):
            if os.fstat(file.fileno()).st_size > size:
                file.truncate(size)
                os.fsync(file.fileno())
    return kept


def _entries(path: Path) -> list[tuple[dict[str, Any], int]]:
    """Return the leading entries that are whole, each with the offset of its end."""
    if not path.exists():
        return []
    found, end = [], 0
    for line in path.read_bytes().splitlines(keepends=True):
        entry = _parsed(line)
        if entry is None:
            break
        end += len(line)
        found.append((entry, end))
    return found


def _parsed(line: bytes) -> dict[str, Any] | None:
    if not line.endswith(b"\n"):
        return None
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) and {"step", "split"} <= entry.keys() else None
