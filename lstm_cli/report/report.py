"""``report.html``: curves and tables of a run, kept up to date while it trains."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from lstm_cli.report import page
from lstm_cli.run.files import replace_file
from lstm_cli.run.names import REPORT
from lstm_cli.training.events import Evaluated, Event, Finished, Rolled, Started
from lstm_cli.training.sinks import wording
from lstm_cli.training.sinks.metrics_file import entry

INTERVAL = 10.0  # seconds between two versions of the file


class Report:
    """Writes the report into the run folder after evaluations, at most once per interval, and at the end.

    The file is replaced as a whole each time.

    Parameters
    ----------
    interval
        Seconds between two versions.
    clock
        Returns seconds.
    """

    def __init__(self, *, interval: float = INTERVAL, clock: Callable[[], float] = time.monotonic) -> None:
        self._interval, self._clock = interval, clock
        self._entries: list[Mapping[str, Any]] = []
        self._start: Started | None = None
        self._rolled: Rolled | None = None
        self._status = "training has not ended"
        self._written_at = -interval
        self._changed = False

    def __call__(self, event: Event) -> None:
        """Handle one event."""
        match event:
            case Started():
                self._start, self._entries = event, list(event.earlier)
            case Evaluated():
                self._entries.append(entry(event))
                self._changed = True
            case Rolled():
                self._rolled, self._changed = event, True
            case Finished():
                self._status = wording.finished(event)
                self._changed = True
        if self._changed and self._clock() - self._written_at >= self._interval:
            self._write()

    def _write(self) -> None:
        if self._start is None:
            return
        text = page.render(self._start, self._entries, self._status, self._rolled)
        replace_file(self._start.folder / REPORT, text.encode(errors="backslashreplace"))
        self._written_at, self._changed = self._clock(), False

    def close(self) -> None:
        """Write the report if it is out of date."""
        if self._changed:
            self._write()
