"""What a training has led to: its best score beside a naive one, the report, and the next command."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isnan, nan
from typing import Any

from lstm_cli.engine.metrics import direction, scores_of
from lstm_cli.errors import on_one_line
from lstm_cli.run.metrics_log import best_entry
from lstm_cli.run.names import REPORT
from lstm_cli.scores.skill import is_perfect
from lstm_cli.scores.titles import title
from lstm_cli.training.events import Baseline, Evaluated, Event, Finished, Started
from lstm_cli.training.sinks import wording
from lstm_cli.training.sinks.metrics_file import entry
from lstm_cli.training.sinks.wording import in_streams, number

Entry = Mapping[str, Any]


@dataclass(frozen=True)
class Line:
    """A line at the end of a run: its label, and the parts that stay whole on a narrow terminal."""

    label: str
    parts: tuple[str, ...]
    command: bool = False

    def __str__(self) -> str:
        return f"{self.label}: {(' ' if self.command else '; ').join(self.parts)}"


class Summary:
    """Keeps the evaluations that the end of a run is about."""

    def __init__(self) -> None:
        self._start: Started | None = None
        self._best: Entry | None = None
        self._test: Entry | None = None
        self._last_step = self._evaluations = 0

    def __call__(self, event: Event) -> None:
        """Handle one event."""
        if isinstance(event, Started):
            self._start = event
            self._best = best_entry(event.monitor, event.earlier)
            self._evaluations, self._last_step = len(event.earlier), max((e["step"] for e in event.earlier), default=0)
        elif isinstance(event, Evaluated) and event.split == "test":
            self._test = entry(event)
        elif isinstance(event, Evaluated):
            self._evaluations, self._last_step = self._evaluations + 1, event.step
            if event.improved or self._best is None:
                self._best = entry(event)

    def sentence(self, finished: Finished) -> str:
        """Return how the run has ended, and whether there was anything to do in this session."""
        idle = self._start is not None and 0 < self._start.first_step == finished.step
        return f"{'nothing left to train: ' if idle else ''}{wording.finished(finished)}"

    def lines(self, finished: Finished) -> Iterator[Line]:
        """Yield the last lines of a run that has finished."""
        start = self._start
        if start is None:
            return
        if self._best is not None:
            yield Line("best", tuple(self._scores(start, self._best)))
            if not finished.early and self._improving(start, self._best):
                longer = start.longer or ("more epochs may help",)
                yield Line("still improving at the last epoch", longer, command=bool(start.longer))
        yield Line("report", (on_one_line(start.folder / REPORT),))
        if start.next_commands:
            yield Line("next", tuple(on_one_line(start.next_commands[0][0]).split(" ")), command=True)

    def _improving(self, start: Started, best: Entry) -> bool:
        """Return whether the last evaluation was the best of several, and the score that is shown could be better."""
        name = headline(start.monitor, best)
        return best["step"] == self._last_step and self._evaluations > 1 and not is_perfect(name, best[name])

    def _scores(self, start: Started, best: Entry) -> Iterator[str]:
        """Yield the best score, that on the test data, and a naive one.

        Without validation data only the loss of the updates is known during training: the test data has a score of its
        own then.
        """
        name = headline(start.monitor, best)
        split = best["split"] + in_streams(best.get("streams"))
        yield f"epoch {best['epoch']:,}, {split} {_score(name, best)}"
        tested = None if self._test is None else headline(start.monitor, self._test)
        if self._test is not None and tested is not None:
            named = "" if tested == name and best["split"] == "valid" else f"{title(tested)} "
            naive = strongest(tested, start.baselines, "test")
            yield f"test {named}{_number(self._test[tested])}" + (
                "" if naive is None else f" ({_shown(naive, tested)})"
            )
        elif best["split"] == "train" and "test" not in start.sizes:
            yield "no validation or test data"
        elif (naive := strongest(name, start.baselines, best["split"])) is not None:
            yield _shown(naive, name)


def headline(monitor: str, scored: Entry) -> str:
    """Return the score to name first: the monitored one, or the most informative metric where that is the loss."""
    monitored = monitor.partition(".")[2]
    if monitored != "loss" and scored.get(monitored) is not None:
        return monitored
    return next((name for name in scores_of(scored) if name != "loss"), "loss")


def strongest(metric: str, baselines: Sequence[Baseline], split: str) -> Baseline | None:
    """Return the naive predictor with the best value of a metric on a split; None where none has one."""
    rated = [naive for naive in baselines if naive.split == split and not isnan(naive.metrics.get(metric, nan))]
    sign = 1 if direction(metric) == "min" else -1
    return min(rated, key=lambda naive: sign * naive.metrics[metric], default=None)


def _shown(naive: Baseline, metric: str) -> str:
    return f"{on_one_line(naive.title)} {number(naive.metrics[metric])}"


def _score(name: str, best: Entry) -> str:
    """Return a score with its name, or why there is none."""
    if best[name] is None and best.get("unknown_labels"):
        return f"has no {title(name)}, as training saw none of its labels"
    return f"{title(name)} {_number(best[name])}"


def _number(value: float | None) -> str:
    return "not finite" if value is None else number(value)
