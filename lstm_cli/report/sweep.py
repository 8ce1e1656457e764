"""The page of a sweep: its trials in parallel coordinates, what matters, their curves, and a table with links."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from lstm_cli.engine.metrics import direction
from lstm_cli.report.charts import Axis, Chart, Line
from lstm_cli.report.drawing import COLOURS, HEIGHT, WIDTH, Path, Tick
from lstm_cli.report.page import REFRESH, drawings
from lstm_cli.report.rendering import rendered
from lstm_cli.report.scales import Scale, label, scale_of
from lstm_cli.report.tables import BETTER, Column, Table
from lstm_cli.report.wording import capital
from lstm_cli.scores.titles import SPLITS, title
from lstm_cli.training.sinks.wording import number

DRAWN = 300  # trials in a chart, the best of them
POINTS = 12_000  # of all curves together
SHORT = 14  # characters of a choice beside an axis


@dataclass(frozen=True)
class Searched:
    """A key that is searched: its choices as JSON, or the bounds of its range."""

    key: str
    choices: tuple[str, ...] = ()
    low: float = 0.0
    high: float = 0.0
    log: bool = False


@dataclass(frozen=True)
class SweepTrial:
    """A trial.

    Attributes
    ----------
    name
        Of its run folder.
    state
        ``trained``, ``pruned``, ``failed``, ``stopped`` or ``running``.
    values
        By key, as JSON.
    value
        Its best monitored score.
    at
        Where that was, such as ``epoch 3``.
    scores
        Its monitored score over time, as pairs.
    note
        Why it failed, or on which machine its run is.
    here
        Whether its run is in this folder.
    """

    name: str
    state: str
    values: Mapping[str, str] = field(default_factory=dict)
    value: float | None = None
    at: str = ""
    scores: tuple[tuple[float, float], ...] = ()
    note: str = ""
    here: bool = True


@dataclass(frozen=True)
class SweepContents:
    """What the page says: the sweep's name, what it monitors, over what, its keys and trials, and what matters."""

    name: str
    monitor: str
    unit: str
    training: bool
    keys: tuple[Searched, ...]
    trials: tuple[SweepTrial, ...]
    importance: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Upright:
    """An axis of parallel coordinates: its name, where it stands from 0 to 1, and its labels."""

    name: str
    full: str
    at: float
    ticks: tuple[Tick, ...]

    @property
    def across(self) -> int:
        """The coordinate of x."""
        return round(self.at * WIDTH)


@dataclass(frozen=True)
class Parallel:
    """Parallel coordinates: axes side by side, and a line through its value on each for every trial."""

    axes: tuple[Upright, ...]
    paths: tuple[Path, ...]
    width: int = WIDTH
    height: int = HEIGHT

    @property
    def legend(self) -> tuple[Path, ...]:
        """The lines with a name."""
        return tuple(path for path in self.paths if path.name)


def page(contents: SweepContents) -> str:
    """Return the page of a sweep, one self-contained HTML file."""
    ranked = rank(contents)
    split, _, metric = contents.monitor.partition(".")
    name = f"{SPLITS.get(split, split)} {title(metric)}"
    return rendered(
        "sweep.html",
        contents=contents,
        refresh=REFRESH if contents.training else 0,
        headline=_headline(contents, ranked, name),
        monitor=f"{name} {BETTER[direction(metric)]}",
        importance=importance(contents),
        parallel=parallel(contents, ranked, name),
        curves=drawings([curves(contents, ranked, capital(name))]),
        others=max(0, len(ranked) - COLOURS),
        trials=[*ranked, *(trial for trial in contents.trials if trial not in ranked)],
        shown=number,
        short=short,
    )


def rank(contents: SweepContents) -> list[SweepTrial]:
    """Return the trials with a score, those trained to their end first, the best first."""
    sign = -1 if direction(contents.monitor.partition(".")[2]) == "max" else 1
    scored = [trial for trial in contents.trials if trial.value is not None]
    return sorted(scored, key=lambda trial: (trial.state != "trained", sign * (trial.value or 0.0)))


def importance(contents: SweepContents) -> Table | None:
    """Return how much of the differences between scores each key explains, or None if that is not known."""
    if not contents.importance:
        return None
    rows = [[key, f"{share:.2f}"] for key, share in contents.importance.items()]
    return Table([Column("key", number=False), Column("importance", bar=True)], rows)


def curves(contents: SweepContents, ranked: Sequence[SweepTrial], name: str) -> Chart:
    """Return the monitored score of all trials over time; the best ones in colours, the others behind them."""
    drawn = ranked[:DRAWN]
    lines = [Line("", trial.scores, naive=True) for trial in drawn[COLOURS:]]
    lines += [Line(trial.name, trial.scores) for trial in drawn[:COLOURS]]
    return Chart(name, lines, axes=(Axis(contents.unit),), points=max(2, POINTS // max(len(drawn), 1)))


def parallel(contents: SweepContents, ranked: Sequence[SweepTrial], name: str) -> Parallel | None:
    """Return the parallel coordinates of all trials with a score; None where there are fewer than two."""
    drawn = [trial for trial in ranked[:DRAWN] if all(key.key in trial.values for key in contents.keys)]
    if len(drawn) < 2:
        return None
    scores = [trial.value or 0.0 for trial in drawn]
    scale = scale_of(min(scores), max(scores))
    last = len(contents.keys)
    axes = [_upright(key, place / last, contents.keys) for place, key in enumerate(contents.keys)]
    axes.append(Upright(name, name, 1.0, tuple(Tick(scale(tick), label(tick)) for tick in scale.ticks(5))))
    paths = []
    for index, trial in enumerate(drawn):
        heights = [_height(key, trial.values[key.key]) for key in contents.keys] + [scale(trial.value or 0.0)]
        named = index < COLOURS
        kind = f"line s{index}" if named else "line naive n3"
        places = tuple((place / last, height) for place, height in enumerate(heights))
        paths.append(Path(trial.name if named else "", "line", kind, places))
    return Parallel(tuple(axes), tuple(reversed(paths)))


def _upright(searched: Searched, at: float, every: Sequence[Searched]) -> Upright:
    last = searched.key.rpartition(".")[2]
    unique = sum(other.key.rpartition(".")[2] == last for other in every) == 1
    return Upright(last if unique else searched.key, searched.key, at, _labels(searched))


def _labels(searched: Searched) -> tuple[Tick, ...]:
    if searched.choices:
        count = len(searched.choices)
        return tuple(Tick((k + 0.5) / count, _short(choice)) for k, choice in enumerate(searched.choices))
    scale = _scale(searched)
    inner = [tick for tick in scale.ticks(4) if 0.08 < scale(tick) < 0.92]
    return tuple(Tick(scale(tick), label(tick)) for tick in (searched.low, *inner, searched.high))


def _height(searched: Searched, value: str) -> float:
    if searched.choices:
        return (searched.choices.index(value) + 0.5) / len(searched.choices) if value in searched.choices else 0.0
    return _scale(searched)(float(value))


def _scale(searched: Searched) -> Scale:
    return Scale(searched.low, searched.high, logarithmic=searched.log)


def _short(choice: str) -> str:
    text = json.loads(choice) if choice.startswith('"') else choice
    return text if len(text) <= SHORT else f"{text[: SHORT - 1]}…"


def short(value: str) -> str:
    """Return a value as JSON, a number with at most four significant digits."""
    try:
        found = json.loads(value)
    except ValueError:
        return value
    return f"{found:.4g}" if isinstance(found, float) else value


def _headline(contents: SweepContents, ranked: Sequence[SweepTrial], name: str) -> str:
    states: Mapping[str, int] = {
        state: sum(trial.state == state for trial in contents.trials)
        for state in ("trained", "pruned", "failed", "stopped", "running")
    }
    counts = ", ".join(f"{count} {state}" for state, count in states.items() if count)
    if not ranked or ranked[0].state != "trained":
        return f"No trial is trained yet: {counts}." if counts else "No trial yet."
    return f"Best {name}: {number(ranked[0].value or 0.0)}, {ranked[0].name} ({counts})."
