"""Progress of several trainings: a bar over all on a terminal, lines elsewhere, and their scores."""

import time
from typing import TextIO

from tqdm import tqdm

from lstm_cli.errors import counted, on_lines, on_one_line
from lstm_cli.scores.titles import short_title
from lstm_cli.training.members.lines import Lines
from lstm_cli.training.members.processes import Advanced, Ended, MemberEvent, Said
from lstm_cli.training.members.run import Training
from lstm_cli.training.members.train import Trained
from lstm_cli.training.sinks.console import INTERVAL
from lstm_cli.training.sinks.wording import number


class Shown(Lines):
    """Shows what happens on a stream.

    Parameters
    ----------
    stream
        Standard error.
    count
        How many members there are.
    quiet
        Show only what members say.
    """

    def __init__(self, stream: TextIO, count: int, *, quiet: bool) -> None:
        super().__init__(stream)
        self._count, self._quiet = count, quiet
        self._steps: dict[str, tuple[int, int]] = {}
        self._ended = 0
        self._line_at = time.monotonic()

    def __call__(self, event: MemberEvent, training: Training) -> None:
        """Show an event."""
        match event:
            case Said():
                self._write(f"{event.member}: {on_lines(event.text)}")
            case Advanced():
                if not self._steps:
                    self._open(training)
                self._steps[event.member] = (event.step, event.total)
                self._advance()
            case Ended():
                self._ended += not event.code
                if not self._quiet and not event.code:
                    self._write(f"{event.member}: trained ({self._ended} of {self._count})")

    def _open(self, training: Training) -> None:
        if self._quiet:
            return
        if self._stream.isatty():
            self._bar = tqdm(total=1, file=self._stream, leave=False, desc=counted(self._count, "run"), unit="update")
        else:
            self._write(f"{counted(self._count, 'run')}, {training.together} at a time")

    def _advance(self) -> None:
        done = sum(step for step, _ in self._steps.values())
        known = [total for _, total in self._steps.values()]
        total = sum(known) + max(known) * (self._count - len(known))  # those that have not begun are as long
        if self._bar is not None:
            self._bar.total, self._bar.n = total, done
            self._bar.refresh()
        elif not self._quiet and time.monotonic() - self._line_at >= INTERVAL:
            self._line_at = time.monotonic()
            self._write(f"{self._ended} of {counted(self._count, 'run')} trained, update {done:,} of {total:,}")


def scores_text(trained: Trained) -> str:
    """Return the mean and the deviation of every score, and the score of each member."""
    lines = []
    for split, values in trained.spread.items():
        for name, mean in values["mean"].items():
            each = ", ".join(number(scores[name]) for scores in trained.scores[split].values())
            deviation = number(values["deviation"][name])
            lines.append(f"{split} {short_title(name)}: {number(mean)} ± {deviation} ({each})")
    run, found = on_one_line(trained.folder), trained.out_of_fold
    if found is None:
        return "\n".join([*lines, f"next: lstm evaluate {run}", f"      lstm-predict {run} DATA -o predictions.csv"])
    for name, value in found.scores.items():
        lines.append(f"out of fold {short_title(name)}: {number(value)}, of {counted(found.sequences, 'sequence')}")
    return "\n".join([*lines, f"next: {on_one_line(found.file)} has the prediction of each by the fold without it"])
