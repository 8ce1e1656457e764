"""Tables of a page, as columns and cells; the template ``table.html`` writes them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lstm_cli.engine.metrics import direction
from lstm_cli.errors import counted
from lstm_cli.report.contents import Contents
from lstm_cli.report.evaluated import evaluated
from lstm_cli.report.evaluations import Entry, best_of, data_of, last_of, metrics_of, scored_on
from lstm_cli.report.wording import digits
from lstm_cli.scores.titles import SPLITS, title
from lstm_cli.training.sinks.wording import in_streams, number

EVALUATIONS_SHOWN = 300  # in the table, the latest ones
BETTER = {"min": "↓", "max": "↑", "none": ""}  # beside a metric: the direction in which it is better
CELLS = 6000  # the most of that table


@dataclass(frozen=True)
class Column:
    """A column: its heading, and whether it holds numbers, a share that a bar shows too, or texts that are read on."""

    name: str
    number: bool = True
    bar: bool = False
    prose: bool = False  # of a long text the beginning is shown: its end could be taken for what follows


@dataclass(frozen=True)
class Table:
    """A table: the first cell of each row names it."""

    columns: Sequence[Column]
    rows: Sequence[Sequence[str]]
    caption: str = ""


def shown(value: float | None) -> str:
    """Return a cell's text for a number that may be missing."""
    return "" if value is None else number(value)


@dataclass(frozen=True)
class Judgement:
    """The scores of the best weights on one split, beside the naive ones: what the scores' tables show."""

    split: str
    what: str
    metrics: Mapping[str, float | None]
    intervals: Mapping[str, Sequence[float | None]]
    validation: Mapping[str, float | None]
    naive: Mapping[str, Mapping[str, float | None]]
    skill: Mapping[str, Mapping[str, float | None]]

    def best_skill(self, metric: str) -> float | None:
        """Return the skill against the best naive predictor: the smallest."""
        found = [value for own in self.skill.values() if (value := own.get(metric)) is not None]
        return min(found, default=None)


def judgement(contents: Contents, entries: Sequence[Entry]) -> Judgement | None:
    """Return the scores of the best weights: of the explanation, else of the run's own evaluations."""
    best = best_of(contents.monitor, entries)
    own = evaluated(contents.explanation)
    metrics, intervals = own.metrics, own.intervals
    if contents.explanation is not None and metrics:
        split = contents.explanation.split
        titles = {score.name: score.title for score in contents.baselines} | dict(own.titles)
        naive = {titles.get(name, name): scores for name, scores in own.baselines.items()}
        skill = {titles.get(name, name): scores for name, scores in own.skill.items()}
        counts = f"{counted(own.sequences, 'sequence')}, {counted(own.positions, 'target')}"
        what = f"{SPLITS.get(split, split)} data: {counts}"
    else:
        entry = last_of(entries, "test") or best
        if entry is None:
            return None
        split, what, skill, intervals = entry["split"], data_of(entry), {}, {}
        metrics = {name: entry.get(name) for name in metrics_of(entry)}
        naive = {score.title: score.metrics for score in contents.baselines if score.split == split}
    validation = best if best is not None and best["split"] == "valid" != split else {}
    return Judgement(split, what, metrics, intervals, validation, naive, skill)


def scores(found: Judgement) -> Table:
    """Return the scores over all columns: a row for each metric."""
    names = [name for name in metrics_of(found.metrics) if "." not in name]
    naive = {title: own for title, own in found.naive.items() if any(own.get(name) is not None for name in names)}
    columns = [Column("metric", number=False), Column(SPLITS.get(found.split, found.split))]
    columns += [Column("95 % interval")] * bool(found.intervals)
    streams = found.validation.get("streams")
    columns += [Column(f"validation{in_streams(int(streams) if streams else None)}")] * bool(found.validation)
    columns += [*(Column(title) for title in naive), *[Column("skill")] * bool(found.skill)]
    rows = []
    for name in names:
        row = [f"{title(name)} {BETTER[direction(name)]}".rstrip(), shown(found.metrics[name])]
        row += [_interval(found.intervals.get(name))] * bool(found.intervals)
        row += [shown(found.validation.get(name))] * bool(found.validation)
        row += [shown(own.get(name)) for own in naive.values()]
        row += [_skill(found.best_skill(name))] * bool(found.skill)
        rows.append(row)
    return Table(columns, rows)


def columns_table(found: Judgement) -> Table | None:
    """Return the scores of each of several columns, with those of naive predictors for the first metric."""
    dotted = [name.partition(".") for name in metrics_of(found.metrics) if "." in name]
    if not dotted:
        return None
    metrics = list(dict.fromkeys(metric for metric, _, _ in dotted))
    first = metrics[0]
    columns = [Column("column", number=False), *(Column(title(metric)) for metric in metrics)]
    columns += [Column(f"{title(first)}, {naive}") for naive in found.naive]
    columns += [Column(f"skill in {title(first)}")] * bool(found.skill)
    rows = []
    for column in dict.fromkeys(column for _, _, column in dotted):
        key = f"{first}.{column}"
        row = [column, *(shown(found.metrics.get(f"{metric}.{column}")) for metric in metrics)]
        row += [shown(own.get(key)) for own in found.naive.values()]
        row += [_skill(found.best_skill(key))] * bool(found.skill)
        rows.append(row)
    return Table(columns, rows)


def _interval(ends: Sequence[float | None] | None) -> str:
    if not ends or ends[0] is None or ends[1] is None:
        return ""
    return f"{digits(ends[0])} to {digits(ends[1])}"


def _skill(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}".replace("-", "\N{MINUS SIGN}")


def history(entries: Sequence[Entry]) -> Table | None:
    """Return the evaluations, or the latest of them."""
    if not entries:
        return None
    names = metrics_of(*entries[-EVALUATIONS_SHOWN:])
    names += [
        name
        for name in ("train_loss", "learning_rate", "gradient_norm", "steps_per_second")
        if any(name in entry for entry in entries[-EVALUATIONS_SHOWN:])
    ]
    latest = entries[-min(EVALUATIONS_SHOWN, max(CELLS // (len(names) + 3), 20)) :]
    rows = [
        [f"{entry['step']:,}", f"{entry['epoch']:,}", scored_on(entry), *(shown(entry.get(name)) for name in names)]
        for entry in latest
    ]
    what = (
        "All evaluations" if len(latest) == len(entries) else f"The last {len(latest)} of {len(entries):,} evaluations"
    )
    heads = [
        Column("step"),
        Column("epoch"),
        Column("scored on", number=False),
        *(Column(title(name)) for name in names),
    ]
    return Table(heads, rows, what)
