"""The bar at the bottom of a terminal: how far a run is, its loss and score, its speed, and the time left."""

import time
from typing import Any

from tqdm import tqdm

from lstm_cli.training.events import Evaluated, Started, StepDone
from lstm_cli.training.sinks.mean import Mean
from lstm_cli.training.sinks.screen import Screen, columns, cut
from lstm_cli.training.sinks.table import cell, heading_of

REDRAWN = 0.1  # seconds between two pictures
SHORTEST = 5  # columns of the bar itself
NAME = 10  # of the name of a score
NUMBER = 6  # of a loss or score


class _Line(tqdm):  # type: ignore[misc]  # tqdm has no types
    """A bar with a text of ours behind it; tqdm draws it, and keeps it below what is written."""

    text = ""

    def refresh(self, *given: Any, **options: Any) -> None:
        """Draw the bar, once there is something to say."""
        if self.text:
            super().refresh(*given, **options)

    @property
    def format_dict(self) -> dict[str, Any]:
        """The values that the format may use."""
        return {**super().format_dict, "text": self.text}


class Bar:
    """A bar over all updates; its parts keep their places and widths.

    Parameters
    ----------
    stream, screen
        The terminal.
    start
        The event that opened the run.
    first
        The number of updates when the bar is shown first.
    """

    def __init__(self, stream: Any, screen: Screen, start: Started, first: int) -> None:
        self._stream, self._screen, self._start, self._first = stream, screen, start, first
        self._loss, self._mean = Mean(), 0.0
        self._score = " " * (NAME + 1 + NUMBER)
        self._began = time.monotonic()
        self._drawn_at = self._began - REDRAWN
        self._epoch = len(f"{start.epochs:,}")
        self._line = _Line(
            total=start.total_steps, initial=first, file=stream, leave=False, ncols=screen.width,
            bar_format="{desc}|{bar}|{text}", mininterval=0, maxinterval=1e9,
        )  # fmt: skip

    def step(self, event: StepDone) -> None:
        """Show an update."""
        self._mean = self._loss.add(event.loss)
        self._line.n = event.step
        self._draw(f"epoch {event.epoch + 1:>{self._epoch},}/{self._start.epochs:,}")

    def scoring(self) -> None:
        """Show that an evaluation is on its way."""
        self._draw("scoring")

    def evaluated(self, event: Evaluated, monitor: str) -> None:
        """Show a score from now on, and the mean loss of the updates that follow."""
        self._loss = Mean()
        monitored = monitor.partition(".")[2]
        name = monitored if monitored in event.metrics else next(iter(event.metrics), None)
        if name is not None:
            heading = cut(heading_of(name), NAME)
            value = cell(event.metrics[name], NUMBER)
            self._score = " " * (NAME - columns(heading)) + f"{heading} {value:>{NUMBER}}"

    def write_above(self, text: str) -> None:
        """Write lines above the bar."""
        tqdm.write(text, file=self._stream, end="")

    def close(self) -> None:
        """Remove the bar."""
        self._line.close()

    def _draw(self, what: str) -> None:
        now = time.monotonic()
        if now - self._drawn_at < REDRAWN:
            return
        self._drawn_at = now
        self._line.ncols = width = self._screen.width
        what = what.ljust(2 * self._epoch + 8)
        self._line.desc = what
        room, text = width - len(what) - 2 - SHORTEST, ""
        for part in (f"  loss {cell(self._mean, NUMBER):>{NUMBER}}", f"  {self._score}", *self._speed(now)):
            if columns(text) + columns(part) <= room:
                text += part
        self._line.text = text
        self._line.refresh()

    def _speed(self, now: float) -> tuple[str, str]:
        """Return the time left, and the updates per second."""
        done = self._line.n - self._first
        rate = done / max(now - self._began, 1e-9)
        left = clock((self._start.total_steps - self._line.n) / rate) if done else "?"
        return f" {left:>5} left", f" {_rate(rate) if done else '?':>5} steps/s"


def clock(seconds: float) -> str:
    """Return a time in at most 5 characters: 0:27, 12:05, 3h10, 12 h, 5 d."""
    total = round(seconds)
    hours, minutes = total // 3600, total % 3600 // 60
    if hours >= 10:
        return f"{hours} h" if hours < 100 else f"{min(hours // 24, 999)} d"
    return f"{hours}h{minutes:02d}" if hours else f"{minutes}:{total % 60:02d}"


def _rate(rate: float) -> str:
    """Return a number of 0 or more in at most 5 characters."""
    if rate >= 100:
        return f"{min(rate, 99999):.0f}"
    return f"{rate:.2f}" if rate >= 0.1 else f"{rate:.3f}"
