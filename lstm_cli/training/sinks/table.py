"""The evaluations of a run as a table: one aligned row each, of as many columns as fit into the terminal."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lstm_cli.scores.titles import short_title
from lstm_cli.training.events import Evaluated, Started
from lstm_cli.training.sinks import wording
from lstm_cli.training.sinks.screen import columns, cut

GAP = 2  # blanks between two columns
NUMBER = 7  # columns of a number, at least
HEADING = 16  # columns of a heading, at most
MARK = "*"
ROOMY = 40  # columns of a terminal whose rows say in how many streams a split was scored
_BETWEEN = " " * GAP


@dataclass(frozen=True)
class Column:
    """A column: its heading, its width, and its cell for an evaluation."""

    heading: str
    width: int
    cell: Callable[[Evaluated], str]


class Table:
    """The table of a run.

    Parameters
    ----------
    start
        The event that opened the run.
    first
        Its first evaluation, which has the metrics that all of them have.
    width
        The columns of the terminal.
    verbose
        Whether the learning rate is shown too.
    """

    def __init__(self, start: Started, first: Evaluated, width: int, *, verbose: bool = False) -> None:
        self.tail = wording.in_streams(first.streams) if width >= ROOMY else ""
        room = width - GAP - len(MARK) - columns(self.tail)
        self._columns = _fitting(_columns(start, first, verbose=verbose), room)

    def heading(self) -> str:
        """Return the line of headings."""
        return _BETWEEN.join(" " * (each.width - columns(each.heading)) + each.heading for each in self._columns)

    def row(self, event: Evaluated) -> str:
        """Return the row of an evaluation; the best so far is marked."""
        cells = _BETWEEN.join(column.cell(event).rjust(column.width) for column in self._columns)
        return (
            f"{cells}  {MARK if wording.is_best(event) else ' '}{self.tail if event.split != 'test' else ''}".rstrip()
        )


def heading_of(metric: str) -> str:
    """Return a metric's name as the heading of a column."""
    return cut(short_title(metric), HEADING)


def cell(value: float | None, width: int) -> str:
    """Return a number that takes at most `width` columns, of which there are 6 or more; nothing for None."""
    if value is None:
        return ""
    size = abs(value)
    text = f"{value:.0f}" if 1000 <= size < 1e6 else f"{value:.4f}" if 5e-4 <= size < 0.01 else wording.number(value)
    for digits in (3, 2, 1, 0):
        if len(text) > width and 0.01 <= size < 1000:
            text = f"{value:.{digits}f}"
    for digits in (1, 0):
        if len(text) > width:
            text = f"{value:.{digits}e}"
    return text if len(text) <= width else f"{value:.0e}".replace("e-0", "e-").replace("e+0", "e+")


def _columns(start: Started, first: Evaluated, *, verbose: bool) -> list[tuple[int, Column]]:
    """Return all columns in their order, each with its rank: lower ranks are kept where not all fit."""
    split, _, monitored = start.monitor.partition(".")
    found = [
        (0, _whole("epoch", start.epochs, lambda event: "test" if event.split == "test" else f"{event.epoch:,}")),
        (3, _whole("step", start.total_steps, lambda event: "" if event.split == "test" else f"{event.step:,}")),
        (4, _number("train", lambda event: event.train_loss)),
    ]
    if first.split != "train":
        found.append((1, _number(first.split, lambda event: event.loss)))
    for rank, name in enumerate(first.metrics, start=6):
        if name == monitored and split == first.split:
            found.append((2, _metric(name)))
        elif "." not in name:  # those of single columns are in metrics.jsonl
            found.append((rank, _metric(name)))
    if verbose:
        found.append((5, _number("rate", lambda event: event.learning_rate)))
    return found


def _metric(name: str) -> Column:
    return _number(heading_of(name), lambda event: event.metrics.get(name))


def _number(heading: str, value: Callable[[Evaluated], float | None]) -> Column:
    width = max(columns(heading), NUMBER)
    return Column(heading, width, lambda event: cell(value(event), width))


def _whole(heading: str, most: int, text: Callable[[Evaluated], str]) -> Column:
    return Column(heading, max(len(heading), len(f"{most:,}")), text)


def _fitting(ranked: Sequence[tuple[int, Column]], room: int) -> list[Column]:
    """Return the columns that fit, by rank, in their order; the first always does."""
    kept: list[Column] = []
    for _, column in sorted(ranked, key=lambda pair: pair[0]):
        if not kept or sum(other.width + GAP for other in kept) + column.width <= room:
            kept.append(column)
    return [column for _, column in ranked if column in kept]
