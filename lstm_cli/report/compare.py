"""``lstm compare -o``: runs side by side as a page, with their curves over each other."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from lstm_cli.engine.metrics import direction
from lstm_cli.insight.compare import compare_file
from lstm_cli.insight.compare_text import config_table, score_table, short_names
from lstm_cli.insight.compared import Compared, Comparison
from lstm_cli.report.charts import Chart, Line
from lstm_cli.report.page import drawings
from lstm_cli.report.rendering import rendered
from lstm_cli.report.tables import BETTER, Column, Table
from lstm_cli.scores.titles import title

DRAWN = 6  # runs with curves of their own, as many as there are colours
POINTS = 300  # of each


def compare_runs(runs: Iterable[Path], *, out: Path | None = None) -> Comparison:
    """Compare runs, and with `out` write the comparison as a page.

    Parameters
    ----------
    runs : iterable of Path
        See `lstm_cli.compare`.
    out : Path, optional
        The file, written completely or not at all.
    """
    return compare_file(runs, out=out, page=page)


def page(found: Comparison) -> str:
    """Return a comparison as one self-contained HTML page."""
    names = short_names([run.run for run in found.runs])
    metric = found.monitor.partition(".")[2]
    return rendered(
        "compare.html",
        found=found,
        refresh=0,
        monitor=f"{_split_name(found.monitor)} {title(metric)}",
        better=BETTER[direction(metric)],
        scores=_table(score_table(found, names)),
        config=_table(config_table(found, names), numbers=False) if found.keys else None,
        curves=drawings(curves(found, names)),
        drawn=min(DRAWN, len(found.runs)),
    )


def curves(found: Comparison, names: Sequence[str]) -> Iterator[Chart]:
    """Yield charts of the best runs over each other: the monitored score, the losses, and the other metrics."""
    runs = list(zip(names, found.runs, strict=True))[:DRAWN]
    scores = {name: None for _, run in runs for name in run.scores.get("valid", {}) if name != "loss"}
    metrics = sorted(scores, key=lambda name: f"valid.{name}" != found.monitor)[:8]
    for split, key, heading in (("valid", "loss", "Validation loss"), ("", "train_loss", "Training loss")):
        yield _chart(heading, runs, split, key)
    for metric in metrics:
        name = title(metric)
        yield _chart(f"Validation {name}", runs, "valid", metric)
    yield _chart("Steps per second", runs, "", "steps_per_second")


def _chart(heading: str, runs: Sequence[tuple[str, Compared]], split: str, key: str) -> Chart:
    lines = [Line(name, _points(run, split, key)) for name, run in runs]
    return Chart(heading, lines, points=POINTS)


def _points(run: Compared, split: str, key: str) -> list[tuple[float, float | None]]:
    return [
        (entry["step"], value)
        for entry in run.entries
        if (not split or entry["split"] == split) and (value := entry.get(key)) is not None
    ]


def _table(rows: Sequence[Sequence[Any]], *, numbers: bool = True) -> Table:
    """Return rows of text, the first of them the headings, as a table of the page."""
    head, *body = rows
    return Table([Column(name, number=numbers and place > 0) for place, name in enumerate(head)], body)


def _split_name(monitor: str) -> str:
    return {"valid": "validation", "train": "training"}[monitor.partition(".")[0]]
