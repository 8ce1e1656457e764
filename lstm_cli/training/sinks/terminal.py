"""A run on a terminal: a header, a row per evaluation, a bar below them, and what came out.

No line takes more than 80 columns, and the bar always has the same parts of the same width.
"""

from collections.abc import Iterator
from typing import Any

from lstm_cli.errors import counted, duration, on_one_line
from lstm_cli.training.events import (
    CheckpointWritten,
    Compiling,
    Evaluated,
    Event,
    Finished,
    Note,
    Scoring,
    Started,
    StepDone,
    Stopped,
)
from lstm_cli.training.sinks import wording
from lstm_cli.training.sinks.bar import Bar
from lstm_cli.training.sinks.clock import Clock
from lstm_cli.training.sinks.screen import BOLD, FAINT, GREEN, YELLOW, Screen, columns, cut, wrapped
from lstm_cli.training.sinks.summary import Line, Summary
from lstm_cli.training.sinks.table import Table

ROWS = 40  # after which the headings are repeated
INDENT = "  "


class Terminal:
    """Shows a run on a terminal.

    Parameters
    ----------
    stream
        The terminal.
    verbose
        Whether the learning rate and checkpoints are shown too.
    """

    def __init__(self, stream: Any, *, verbose: bool = False) -> None:
        self._stream, self._verbose = stream, verbose
        self._screen = Screen(stream)
        self._live = not self._screen.is_dumb
        self._clock = Clock(self._write)
        self._bar: Bar | None = None
        self._start: Started | None = None
        self._table: Table | None = None
        self._rows = 0
        self._summary = Summary()
        self._compiling = False
        if self._live:
            self._clock.show(self._screen.shown("preparing …"))

    def __call__(self, event: Event) -> None:
        """Handle one event."""
        self._summary(event)
        match event:
            case StepDone():
                self._step(event)
            case Scoring() if self._bar is not None:
                self._bar.scoring()
            case Note():
                self._print(*self._note(event))
            case Started():
                self._open(event)
            case Compiling():
                self._compile()
            case Evaluated():
                self._evaluated(event)
            case CheckpointWritten() if self._verbose:
                text = f"step {event.step:,}: {event.kind} checkpoint written to {on_one_line(event.path)}"
                self._print(*wrapped(text.split(" "), self._screen.width, indent=INDENT))
            case Finished():
                self._end(event)
            case Stopped():
                self.close()

    def close(self) -> None:
        """Remove what moves; the message of what ends a run follows on a line of its own."""
        self._end_wait()
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _open(self, start: Started) -> None:
        self._start = start
        self._end_wait()
        name, *facts = header(start)
        width = self._screen.width
        name, facts = cut(name, width // 2), [cut(fact, width - len(INDENT)) for fact in facts]
        together = f"{name}   {facts[0]}"
        if columns(together) > width:
            together = f"{INDENT}{facts[0]}"
            self._print(self._screen.paint(name, BOLD))
        first, *rest = wrapped([together, *facts[1:]], width, between=" · ", indent=INDENT)
        self._print(self._screen.paint(name, BOLD) * first.startswith(name) + first.removeprefix(name), *rest)
        if self._live:
            self._clock.show(self._screen.shown("loading …"))

    def _compile(self) -> None:
        self._compiling = True
        text = self._screen.shown(f"{wording.COMPILING} …")
        if self._live:
            self._clock.show(text)
        else:
            self._print(text)

    def _end_wait(self) -> None:
        """Stop the clock; the time that compiling took stays on the screen."""
        seconds = self._clock.stop()
        if self._compiling and self._live:
            text = self._screen.shown(f"{wording.COMPILING} … {duration(seconds)}")
            self._compiling = False
            self._print(text)

    def _step(self, event: StepDone) -> None:
        if self._start is None:
            return
        if self._bar is None and self._live:
            self._end_wait()
            self._bar = Bar(self._stream, self._screen, self._start, event.step)
        if self._bar is not None:
            self._bar.step(event)

    def _evaluated(self, event: Evaluated) -> None:
        if self._start is None:
            return
        self._end_wait()
        if self._bar is not None and event.split != "test":
            self._bar.evaluated(event, self._start.monitor)
        width = self._screen.width
        if self._table is None:
            self._table = Table(self._start, event, width, verbose=self._verbose)
        if self._rows % ROWS == 0 and (event.split != "test" or not self._rows):
            self._print(self._screen.paint(self._table.heading(), FAINT))
        self._rows += 1
        row = self._table.row(event)
        self._print(self._screen.paint(row, GREEN) if wording.is_best(event) else row)

    def _end(self, event: Finished) -> None:
        self.close()
        width = self._screen.width
        self._print(*wrapped(self._summary.sentence(event).split(" "), width, indent=INDENT))
        for line in self._summary.lines(event):
            self._print(*self._final(line, width))

    def _final(self, line: Line, width: int) -> Iterator[str]:
        """Yield the lines of a label and what belongs to it; a command is continued as a shell reads it."""
        label = f"{line.label}: ".ljust(8)
        if len(label) > 8:
            yield self._screen.paint(label.rstrip(), BOLD)
            label = INDENT
        room = width - len(label)
        parts, between, end = line.parts, "; ", ""
        if line.command:
            between, end = " ", " \\"
        elif max(map(columns, parts)) > room:
            parts, between = tuple(between.join(parts).split(" ")), " "
        first, *rest = wrapped([label + parts[0], *parts[1:]], width, between=between, indent=" " * len(label), end=end)
        yield self._screen.paint(label, BOLD) + first.removeprefix(label)
        yield from rest

    def _note(self, note: Note) -> Iterator[str]:
        """Yield the lines of a note, whose words stay whole: a path that is cut cannot be copied."""
        for number, text in enumerate(wording.note(note).split("\n")):
            lines = wrapped(text.strip().split(" "), self._screen.width - len(INDENT), indent=INDENT)
            for line in lines:
                shown = INDENT + line if number else line
                yield self._screen.paint(shown, YELLOW) if note.warning else shown

    def _print(self, *lines: str) -> None:
        text = "".join(f"{self._screen.shown(line)}\n" for line in lines)
        if self._bar is not None:
            self._bar.write_above(text)
        else:
            self._clock.write_above(text)

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


def header(start: Started) -> list[str]:
    """Return the name of a run, and the facts that its header shows."""
    parameters = sum(part.parameters for part in start.model)
    network = ", ".join(part for part in (start.network, counted(parameters, "weight") if parameters else "") if part)
    length = f"{counted(start.epochs, 'epoch')}, {counted(start.total_steps, 'update')}"
    after = f"continues after update {start.first_step:,}" if start.first_step else ""
    return [on_one_line(start.run), *(part for part in (network, wording.sizes(start), length, after) if part)]
