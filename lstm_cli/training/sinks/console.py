"""Progress of a training run: a bar on a terminal, lines elsewhere, and the same lines in ``train.log``."""

import time
from collections.abc import Callable
from contextlib import suppress
from enum import IntEnum
from typing import Any, TextIO

from tqdm import tqdm

from lstm_cli.errors import on_one_line
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
from lstm_cli.training.sinks.sink import Sink

INTERVAL = 10.0  # seconds between two lines of progress


class Verbosity(IntEnum):
    """How much is shown."""

    QUIET = -1  # only warnings
    NORMAL = 0
    VERBOSE = 1  # learning rate, gradient norm and checkpoints too


def console(stream: TextIO, verbosity: int = Verbosity.NORMAL) -> Sink:
    """Return the sink that shows a run on a stream: a bar on a terminal unless quiet, else lines."""
    tolerant = _TolerantStream(stream)
    if stream.isatty() and verbosity > Verbosity.QUIET:
        return Bar(tolerant, verbosity)
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


class _Mean:
    """Mean loss of the updates since the last evaluation."""

    def __init__(self) -> None:
        self._sum, self._count = 0.0, 0

    def add(self, loss: float) -> float:
        self._sum, self._count = self._sum + loss, self._count + 1
        return self._sum / self._count


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
        self._loss = _Mean()
        self._start: Started | None = None
        self._line_at, self._line_step = clock(), 0

    def __call__(self, event: Event) -> None:
        """Handle one event."""
        if isinstance(event, Started):
            self._start, self._line_step, self._line_at = event, event.first_step, self._clock()
        if isinstance(event, StepDone):
            text = self._step(event)
        elif isinstance(event, Stopped):
            text = wording.stopped(event) if self._stops else None
        else:
            text = _line(event, self._verbosity)
        if isinstance(event, Evaluated):
            self._loss = _Mean()
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
            return f"first step after {wording.duration(passed)}: loss {wording.number(loss)}"
        more = wording.details(event) if self._verbosity >= Verbosity.VERBOSE else ""
        return wording.progress(event, start, loss, rate) + more


class Bar:
    """Shows a tqdm bar over all updates with loss, the latest score, steps per second and the time left.

    Parameters
    ----------
    stream
        A terminal.
    verbosity
        How much is shown.
    """

    def __init__(self, stream: Any, verbosity: int = Verbosity.NORMAL) -> None:
        self._stream, self._verbosity = stream, verbosity
        self._bar: Any = None
        self._loss = _Mean()
        self._start: Started | None = None
        self._score = ""
        self._epoch = -1

    def __call__(self, event: Event) -> None:
        """Handle one event."""
        if isinstance(event, StepDone):
            self._step(event)
            return
        if isinstance(event, Evaluated):
            self._loss = _Mean()
            name, value = next(iter(event.metrics.items()), ("loss", event.loss))
            where = f"{event.split}{wording.in_streams(event.streams)}"
            self._score = f", {where} {wording.title(name)} {wording.number(value)}"
        if isinstance(event, Finished):
            self.close()
        text = _line(event, self._verbosity)
        if text is not None:
            tqdm.write(text, file=self._stream)
        if isinstance(event, Started):
            self._open(event)

    def _open(self, start: Started) -> None:
        self._start = start
        self._bar = tqdm(
            total=start.total_steps,
            initial=start.first_step,
            file=self._stream,
            unit=" steps",
            dynamic_ncols=True,
            desc="first step",
        )

    def _step(self, event: StepDone) -> None:
        if self._bar is None or self._start is None:
            return
        if event.epoch != self._epoch:
            self._epoch = event.epoch
            self._bar.set_description_str(f"epoch {event.epoch + 1}/{self._start.epochs}", refresh=False)
        more = wording.details(event) if self._verbosity >= Verbosity.VERBOSE else ""
        text = f"loss {wording.number(self._loss.add(event.loss))}{self._score}{more}"
        self._bar.set_postfix_str(text, refresh=False)
        self._bar.update(event.step - self._bar.n)

    def close(self) -> None:
        """Close the bar, leaving it on the screen."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None
