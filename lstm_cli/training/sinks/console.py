"""Progress of a training run: a table and a bar on a terminal, lines elsewhere, and these in ``train.log``."""

import time
from collections.abc import Callable
from contextlib import suppress
from enum import IntEnum
from typing import Any, TextIO

from lstm_cli.errors import duration, on_one_line
from lstm_cli.run.appended import AppendedFile
from lstm_cli.training.events import (
    CheckpointWritten,
    Compiling,
    Evaluated,
    Event,
    Finished,
    Note,
    Started,
    StepDone,
    Stopped,
)
from lstm_cli.training.sinks import wording
from lstm_cli.training.sinks.mean import Mean
from lstm_cli.training.sinks.sink import Sink
from lstm_cli.training.sinks.summary import Summary
from lstm_cli.training.sinks.terminal import Terminal

INTERVAL = 10.0  # seconds between two lines of progress


class Verbosity(IntEnum):
    """How much is shown."""

    QUIET = -1  # only warnings
    NORMAL = 0
    VERBOSE = 1  # learning rate, gradient norm and checkpoints too


def console(stream: TextIO, verbosity: int = Verbosity.NORMAL) -> Sink:
    """Return the sink that shows a run on a stream: a table and a bar on a terminal unless quiet, else lines."""
    tolerant = _TolerantStream(stream)
    if stream.isatty() and verbosity > Verbosity.QUIET:
        return Terminal(tolerant, verbose=verbosity >= Verbosity.VERBOSE)
    return Lines(tolerant, verbosity)


class _TolerantStream:
    """A terminal or a pipe that its reader may close; further output is then lost, but the run continues."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        with suppress(OSError):
            self._stream.write(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def log_lines(file: AppendedFile) -> Sink:
    """Return the sink that appends the run's lines to a log file."""
    return Lines(_Log(file), close=file.close, stops=True)


class _Log:
    """A file that grows, as a stream of text."""

    def __init__(self, file: AppendedFile) -> None:
        self._file = file

    def write(self, text: str) -> None:
        self._file.append(text.encode(errors="backslashreplace"))  # names of files may hold any byte

    def flush(self) -> None:
        """Do nothing: every write reaches the file at once."""


def _line(event: Event, verbosity: int) -> str | None:
    """Return the line for an event other than `StepDone`, if it gets one."""
    if isinstance(event, Note) and (event.warning or verbosity > Verbosity.QUIET):
        return wording.note(event)
    if verbosity == Verbosity.QUIET:
        return None
    match event:
        case Started():
            return wording.started(event)
        case Compiling():
            return f"{wording.COMPILING} …"
        case Evaluated():
            return wording.evaluated(event)
        case Finished():
            return wording.finished(event)
        case CheckpointWritten() if verbosity >= Verbosity.VERBOSE:
            return f"step {event.step:,}: {event.kind} checkpoint written to {on_one_line(event.path)}"
    return None


class Lines:
    """Writes plain lines: one per interval on the updates, and one on the first update of a session.

    Parameters
    ----------
    stream
        Anything with `write` and `flush`.
    verbosity
        How much is shown.
    interval
        Seconds between two lines of progress.
    clock
        Returns seconds.
    close
        Called at the end.
    stops
        Whether a line says what stopped the run: not where the message of its exception follows.
    """

    def __init__(
        self,
        stream: Any,
        verbosity: int = Verbosity.NORMAL,
        *,
        interval: float = INTERVAL,
        clock: Callable[[], float] = time.monotonic,
        close: Callable[[], object] = lambda: None,
        stops: bool = False,
    ) -> None:
        self._stream, self._verbosity, self._interval, self._clock = stream, verbosity, interval, clock
        self._close, self._stops = close, stops
        self._loss, self._summary = Mean(), Summary()
        self._start: Started | None = None
        self._line_at, self._line_step = clock(), 0

    def __call__(self, event: Event) -> None:
        """Handle one event."""
        self._summary(event)
        if isinstance(event, Started):
            self._start, self._line_step, self._line_at = event, event.first_step, self._clock()
        if isinstance(event, StepDone):
            text = self._step(event)
        elif isinstance(event, Stopped):
            text = wording.stopped(event) if self._stops else None
        else:
            text = _line(event, self._verbosity)
        if isinstance(event, Evaluated):
            self._loss = Mean()
        if text is not None and isinstance(event, Finished):
            text = "\n".join([self._summary.sentence(event), *map(str, self._summary.lines(event))])
        if text is not None:
            self._stream.write(text + "\n")
            self._stream.flush()

    def close(self) -> None:
        """Call the given `close`."""
        self._close()

    def _step(self, event: StepDone) -> str | None:
        loss, now, start = self._loss.add(event.loss), self._clock(), self._start
        first = start is not None and event.step == start.first_step + 1
        passed = now - self._line_at
        if start is None or self._verbosity == Verbosity.QUIET or not (first or passed >= self._interval):
            return None
        rate = (event.step - self._line_step) / max(passed, 1e-9)
        self._line_at, self._line_step = now, event.step
        if first:
            return f"first step after {duration(passed)}: loss {wording.number(loss)}"
        more = wording.details(event) if self._verbosity >= Verbosity.VERBOSE else ""
        return wording.progress(event, start, loss, rate) + more
