"""Progress of a sweep: a bar over all trials on a terminal, lines elsewhere, and what was found."""

import time
from collections.abc import Mapping
from typing import TextIO

from tqdm import tqdm

from lstm_cli.errors import counted, on_lines, on_one_line
from lstm_cli.report.sweep import short
from lstm_cli.run.sweep import LINK, PAGE, trial_name
from lstm_cli.scores.titles import short_title
from lstm_cli.sweeps.events import Began, Closed, Noted, SweepEvent, Swept
from lstm_cli.sweeps.run import Sweep
from lstm_cli.sweeps.trials import Found
from lstm_cli.training.members.lines import Lines
from lstm_cli.training.members.processes import Advanced, Said
from lstm_cli.training.sinks.console import INTERVAL
from lstm_cli.training.sinks.wording import number


class Shown(Lines):
    """Shows what happens on a stream.

    Parameters
    ----------
    stream
        Standard error.
    quiet
        Show only what trials say, and notes.
    """

    def __init__(self, stream: TextIO, *, quiet: bool) -> None:
        super().__init__(stream)
        self._quiet = quiet
        self._shares: dict[str, float] = {}
        self._line_at = time.monotonic()
        self._opened = False

    def __call__(self, event: SweepEvent, sweep: Sweep) -> None:
        """Show an event."""
        match event:
            case Noted():
                self._write(on_one_line(event.text))
            case Said():
                self._write(f"{event.member}: {on_lines(event.text)}")
            case Began():
                self._open(sweep)
                self._begin(event)
            case Advanced():
                self._shares[event.member] = event.step / max(event.total, 1)
                self._advance(sweep)
            case Closed():
                self._shares.pop(event.member, None)
                if event.trial is not None and not self._quiet:
                    self._write(f"{event.member}: {_outcome(event.trial, sweep.monitor)}")

    def _open(self, sweep: Sweep) -> None:
        if self._quiet or self._opened:
            return
        self._opened = True
        if self._stream.isatty():
            form = "{desc} {percentage:3.0f}%|{bar}| {elapsed}<{remaining}"
            self._bar = tqdm(total=1.0, file=self._stream, leave=False, bar_format=form)
        else:
            self._write(f"{counted(sweep.trials, 'trial')}, {sweep.together} at a time")

    def _begin(self, event: Began) -> None:
        if not self._quiet:
            how = "continued: " if event.trial.again else ""
            self._write(f"{trial_name(event.trial.number)}: {how}{values_text(event.trial.values)}")

    def _advance(self, sweep: Sweep) -> None:
        if self._quiet:
            return
        due = time.monotonic() - self._line_at >= (1.0 if self._bar is not None else INTERVAL)
        if not due:
            return
        self._line_at = time.monotonic()
        done = sum(trial.state in ("trained", "pruned", "failed") for trial in sweep.study.found())
        best = sweep.study.best()
        found = "" if best is None else f", best {_score(best, sweep.monitor)}"
        text = f"{done} of {counted(sweep.trials, 'trial')}, {len(self._shares)} training{found}"
        if self._bar is not None:
            self._bar.desc = text
            self._bar.n = min((done + sum(self._shares.values())) / sweep.trials, 1.0)
            self._bar.refresh()
        else:
            self._write(text)


def values_text(values: Mapping[str, str]) -> str:
    """Return the values of a trial, numbers with few digits."""
    return on_one_line(" ".join(f"{key}={short(value)}" for key, value in values.items()))


def found_text(found: Swept, monitor: str) -> str:
    """Return what a sweep has found, and the next commands."""
    best, run = found.best, on_one_line(found.folder)
    states = [trial.state for trial in found.trials]
    kinds = ("trained", "pruned", "failed", "stopped", "running")
    counts = ", ".join(f"{states.count(kind)} {kind}" for kind in kinds if kind in states)
    lines = [f"{counted(len(states), 'trial')}: {counts}"]
    lines += [found.stopped] * bool(found.stopped)
    where = f" ({best.place})" if best.place else ""
    lines.append(f"best: {trial_name(best.number)}{where}: {_score(best, monitor)}: {values_text(best.values)}")
    lines.append(f"report: {run}/{PAGE}")
    return "\n".join(
        [*lines, f"next: lstm evaluate {run}/{LINK}", f"      lstm-predict {run}/{LINK} DATA -o predictions.csv"]
    )


def _outcome(trial: Found, monitor: str) -> str:
    match trial.state:
        case "trained":
            return _score(trial, monitor)
        case "pruned":
            return f"stopped early: {_score(trial, monitor)} is worse than the median"
        case "failed":
            return f"failed: {on_one_line(trial.reason)}"
        case _:
            return "stopped, its state saved"


def _score(trial: Found, monitor: str) -> str:
    split, _, metric = monitor.partition(".")
    value = "?" if trial.value is None else number(trial.value)
    return f"{split} {short_title(metric)} {value}"
