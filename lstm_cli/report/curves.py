"""The curves of a training: losses, metrics, and how it went, over steps and epochs."""

from collections.abc import Iterable, Sequence

from lstm_cli.report.charts import MAX_POINTS, Axis, Chart, Line, Mark
from lstm_cli.report.contents import Contents
from lstm_cli.report.evaluations import Entry, best_of, metrics_of, naive_on, scored_on
from lstm_cli.report.wording import capital
from lstm_cli.scores.titles import SPLITS, title
from lstm_cli.training.sinks.wording import number

POINTS = 12_000  # of all curves together
METRICS = 9  # that are drawn, the monitored one among them


def curves(contents: Contents, entries: Sequence[Entry]) -> list[Chart]:
    """Return the charts of a training; those without a point draw nothing."""
    valid = [entry for entry in entries if entry["split"] == "valid"]
    name = scored_on(valid[-1]) if valid else SPLITS["valid"]
    best, drawn = best_of(contents.monitor, valid), drawn_metrics(contents, entries)
    points = min(MAX_POINTS, POINTS // (len(drawn) + 5))
    axes = _axes(contents)
    charts = [
        Chart(
            "Loss",
            [Line(name, _points(valid, "loss")), Line("training", _points(entries, "train_loss"))],
            axes=axes,
            mark=_marked(best, "loss"),
            points=points,
        )
    ]
    for metric in drawn:
        line = Line(name, _points(valid, metric))
        lines = [line, *_naive(contents, line, metric)]
        charts.append(Chart(capital(title(metric)), lines, axes=axes, mark=_marked(best, metric), points=points))
    for metric, heading in (
        ("gradient_norm", "Gradient norm"),
        ("steps_per_second", "Steps per second"),
        ("learning_rate", "Learning rate"),
    ):
        zero = metric == "steps_per_second"
        charts.append(Chart(heading, [Line(heading, _points(entries, metric))], axes=axes, points=points, zero=zero))
    return charts


def drawn_metrics(contents: Contents, entries: Sequence[Entry]) -> list[str]:
    """Return the metrics whose curves are drawn: the first ones of the validation data, and the monitored one."""
    valid = next((entry for entry in reversed(entries) if entry["split"] == "valid"), {})
    monitored = contents.monitor.partition(".")[2]
    names = [name for name in metrics_of(valid) if name != "loss"]
    names.sort(key=lambda name: name != monitored)
    return names[:METRICS]


def _axes(contents: Contents) -> tuple[Axis, ...]:
    steps = contents.total_steps / contents.epochs if contents.epochs else 0.0
    return (Axis("step"), Axis("epoch", per=steps)) if steps > 0 else (Axis("step"),)


def _points(entries: Iterable[Entry], name: str) -> list[tuple[float, float | None]]:
    return [(entry["step"], entry[name]) for entry in entries if entry.get(name) is not None]


def _marked(best: Entry | None, metric: str) -> Mark | None:
    if best is None or best.get(metric) is None:
        return None
    return Mark(best["step"], best[metric], f"best checkpoint: {number(best[metric])} at step {best['step']:,}")


def _naive(contents: Contents, line: Line, metric: str) -> list[Line]:
    """Return the best naive score as a level, where it would not squeeze the curve."""
    found = naive_on("valid", contents, metric)
    values = [y for _, y in line.points if y is not None]
    if found is None or not values:
        return []
    level, (low, high) = found[1], (min(values), max(values))
    if max(high, level) - min(low, level) > 3 * (high - low):
        return []
    ends = (line.points[0][0], line.points[-1][0])
    return [Line(found[0].title, [(x, level) for x in ends], naive=True)]
