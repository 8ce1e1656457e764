"""``metrics.jsonl``: one object per evaluation, appended and synced. `lstm_cli.run.metrics_log` reads it back."""

import json
from typing import Any

from lstm_cli.run.appended import AppendedFile
from lstm_cli.training.events import Evaluated, Event
from lstm_cli.typed_json import plain


class MetricsFile:
    """Appends one line per evaluation; a written line is complete and synced to the disk.

    Parameters
    ----------
    file
        The file.
    """

    def __init__(self, file: AppendedFile) -> None:
        self._file = file

    def __call__(self, event: Event) -> None:
        """Handle one event."""
        if isinstance(event, Evaluated):
            self._file.append((json.dumps(entry(event), allow_nan=False) + "\n").encode(), synced=True)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def entry(event: Evaluated) -> dict[str, Any]:
    """Return an evaluation as the object that is written; values that are not finite become null."""
    known: dict[str, Any] = {
        "step": event.step,
        "epoch": event.epoch,
        "split": event.split,
        "seconds": round(event.seconds, 3),
        "loss": event.loss,
        **event.metrics,
    }
    for name in ("train_loss", "learning_rate", "gradient_norm", "steps_per_second", "streams"):
        if (value := getattr(event, name)) is not None:
            known[name] = value
    written: dict[str, Any] = plain(known)
    return written
