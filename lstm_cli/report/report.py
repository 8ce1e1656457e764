"""``report.json`` and ``report.html``: kept up to date while a run trains, complete at its end."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from lstm_cli.errors import LstmError
from lstm_cli.report import page
from lstm_cli.report.contents import Contents, NextCommand, to_json
from lstm_cli.report.description import described, earlier_notes
from lstm_cli.run.files import replace_file
from lstm_cli.run.names import REPORT, REPORT_DATA
from lstm_cli.training.ending import resume_command
from lstm_cli.training.events import Evaluated, Event, Explained, Finished, Note, Started, Stopped
from lstm_cli.training.sinks import wording
from lstm_cli.training.sinks.metrics_file import entry

INTERVAL = 10.0  # seconds between two versions of the page, at least
SHARE = 0.01  # of the run's time that the page may take while it trains
NOTES = 50  # the most that are shown

Entry = Mapping[str, Any]


class Report:
    """Writes the report into the run folder at the start, after evaluations, and at the end.

    While the run trains, the next version is due when 100 times the duration of the last one has passed, and at least
    `interval`. Both files are replaced as a whole each time. A page that cannot be made ends the run only when its
    training is complete.

    Parameters
    ----------
    interval
        Seconds between two versions, at least.
    clock
        Returns seconds.
    """

    def __init__(self, *, interval: float = INTERVAL, clock: Callable[[], float] = time.monotonic) -> None:
        self._interval, self._clock = interval, clock
        self._notes: list[str] = []
        self._entries: list[Entry] = []
        self._start: Started | None = None
        self._contents: Contents | None = None
        self._due_at = 0.0
        self._failure: Exception | None = None

    def __call__(self, event: Event) -> None:
        """Handle one event."""
        match event:
            case Note():
                self._add_note(event)
            case Started():
                self._start, self._entries = event, list(event.earlier)
                self._notes = list(dict.fromkeys([*earlier_notes(event), *self._notes]))[:NOTES]
                self._write(described(event))
            case Evaluated():
                self._entries.append(entry(event))
                if self._contents is not None and self._clock() >= self._due_at:
                    self._write(self._contents)
            case Explained() if self._contents is not None:
                self._contents = replace(self._contents, explanation=event.explanation)
            case Finished() | Stopped() if self._contents is not None and self._contents.state == "training":
                commands = self._start.next_commands if self._start is not None and self._entries else ()
                self._write(at_end(self._contents, event, commands))

    def _add_note(self, note: Note) -> None:
        text = wording.note(note)
        if len(self._notes) < NOTES and text not in self._notes:
            self._notes.append(text)

    def _write(self, contents: Contents) -> None:
        began = self._clock()
        self._contents = replace(contents, notes=tuple(self._notes))
        try:
            write(self._contents, self._entries)
        except LstmError:
            raise
        except Exception as error:
            self._failure = self._failure or error
        now = self._clock()
        self._due_at = now + max(self._interval, (now - began) / SHARE)

    def close(self) -> None:
        """Raise what kept the page from being made; else the report is complete, as the end of a run is an event."""
        if self._failure is not None:
            raise self._failure


def at_end(contents: Contents, event: Finished | Stopped, commands: Sequence[tuple[str, str]]) -> Contents:
    """Return the contents with how the run has ended, and the commands to type next."""
    if isinstance(event, Stopped):
        return stopped(contents, event.reason, commands)
    following = tuple(NextCommand(*each) for each in commands)
    return replace(contents, state="finished", status=wording.finished(event), next=following)


def stopped(contents: Contents, reason: str, commands: Iterable[tuple[str, str]] = ()) -> Contents:
    """Return the contents of a run that stopped before its end; `commands` work with its best state."""
    following = tuple(NextCommand(*each) for each in (resume_command(Path(contents.folder)), *commands))
    return replace(contents, state="stopped", status=reason, next=following)


def write(contents: Contents, entries: Sequence[Entry], *, page_only: bool = False) -> None:
    """Write both files of the report, or only the page, into the folder of its run."""
    folder = Path(contents.folder)
    if not page_only:
        replace_file(folder / REPORT_DATA, to_json(contents).encode())
    replace_file(folder / REPORT, page.render(contents, entries).encode(errors="backslashreplace"))
