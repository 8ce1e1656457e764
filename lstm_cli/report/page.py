"""The report as one self-contained HTML page."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from lstm_cli.engine.metrics import direction, scores_of
from lstm_cli.insight.explanation import Explanation
from lstm_cli.report.contents import Contents, Layer, NaiveScore
from lstm_cli.report.lines import Series, line_chart
from lstm_cli.report.style import STYLE
from lstm_cli.training.sinks.wording import duration, in_streams, number, title

EVALUATIONS_SHOWN = 300  # in the table, the latest ones

Entry = Mapping[str, Any]

_SPLITS = {"train": "training", "valid": "validation", "test": "test"}


def render(start: Contents, entries: Sequence[Entry]) -> str:
    """Return the page of a run.

    Parameters
    ----------
    start
        What is known of the run.
    entries
        The evaluations, as in ``metrics.jsonl``.
    """
    status = start.status
    best = _best(start.monitor, entries)
    sections = [
        _cards(start, entries, best),
        _curves(entries, best),
        _closed_loop(start.explanation),
        _section("Scores", _scores(start.baselines, entries, best)),
        _section("Model", _model(start.model)),
        _section("Data", _pairs(start.facts)),
        _section("What the config sets", _pairs(start.settings)),
        _history(entries),
    ]
    name = escape(start.run)
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{name}</title>\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<style>{STYLE}</style>\n</head>\n'
        f"<body>\n<main>\n<header>\n<h1>{name}</h1>\n<p>{escape(status)}</p>\n</header>\n"
        + "\n".join(filter(None, sections))
        + "\n</main>\n</body>\n</html>\n"
    )


def _best(monitor: str, entries: Sequence[Entry]) -> Entry | None:
    """Return the evaluation with the best monitored value, the first of ties."""
    split, _, metric = monitor.partition(".")
    rated = [entry for entry in entries if entry["split"] == split and entry.get(metric) is not None]
    sign = 1 if direction(metric) == "min" else -1
    return min(rated, key=lambda entry: sign * entry[metric], default=None)


def _metrics(*entries: Mapping[str, Any]) -> list[str]:
    """Return the loss and the metrics that any of the evaluations has."""
    return list(dict.fromkeys(name for entry in entries for name in scores_of(entry)))


def _cards(start: Contents, entries: Sequence[Entry], best: Entry | None) -> str:
    """Show the numbers that a reader looks for first."""
    cards = []
    for entry in (best, _last(entries, "test")):
        if entry is not None:
            name = next((name for name in _metrics(entry) if name != "loss"), "loss")
            cards.append((f"{_scored_on(entry)} {title(name)}", number(entry[name])))
    if entries:
        cards.append(("time", duration(entries[-1]["seconds"])))
        cards.append(("steps", f"{entries[-1]['step']:,} of {start.total_steps:,}"))
    if start.model:
        cards.append(("parameters", f"{sum(part.parameters for part in start.model):,}"))
    shown = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in cards)
    return f'<dl class="cards">{shown}</dl>' if cards else ""


def _curves(entries: Sequence[Entry], best: Entry | None) -> str:
    """Draw the losses, every metric on the validation data, and the learning rate."""
    valid = [entry for entry in entries if entry["split"] == "valid"]
    name_of_valid = _scored_on(valid[-1]) if valid else _SPLITS["valid"]
    losses = [Series("training", _points(entries, "train_loss")), Series(name_of_valid, _points(valid, "loss"))]
    rates = [Series("learning rate", _points(entries, "learning_rate"))]
    figures = [
        _figure("Loss", losses, best, "loss"),
        *(
            _figure(title(name), [Series(name_of_valid, _points(valid, name))], best, name)
            for name in _metrics(valid[-1] if valid else {})
            if name != "loss"
        ),
        _figure("Learning rate", rates),
    ]
    return _section("Curves", f'<div class="figures">{"".join(figures)}</div>' if any(figures) else "")


def _numbered(values: Sequence[float | None]) -> list[tuple[float, float]]:
    return [(step, value) for step, value in enumerate(values, start=1) if value is not None]


def _closed_loop(rolled: Explanation | None) -> str:
    """Draw the error against the horizon, and a few trajectories."""
    if rolled is None or not rolled.loop_errors:
        return ""
    errors = [Series("RMSE", _numbered(rolled.loop_errors))]
    figures = [_figure(f"Error at each step of the closed loop, {_SPLITS[rolled.split]} data", errors)]
    for line in rolled.trajectories:
        pairs = (("closed loop", line.found), ("target", line.wanted))
        figures.append(_figure(line.name, [Series(name, _numbered(values)) for name, values in pairs]))
    return _section("Closed loop", f'<div class="figures">{"".join(figures)}</div>')


def _points(entries: Iterable[Entry], name: str) -> list[tuple[float, float]]:
    return [(entry["step"], entry[name]) for entry in entries if entry.get(name) is not None]


def _figure(heading: str, series: Sequence[Series], best: Entry | None = None, metric: str | None = None) -> str:
    marked = None
    if best is not None and metric is not None and best.get(metric) is not None:
        point = (best["step"], best[metric])
        marked = (point, f"best checkpoint: {number(point[1])} at step {point[0]:,}")
    heading = heading[:1].upper() + heading[1:]
    chart = line_chart(heading, series, marked=marked)
    if not chart:
        return ""
    shown = [line.name for line in series if line.points]
    keys = "".join(f'<span class="key s{place}">{escape(name)}</span>' for place, name in enumerate(shown))
    ring = '<span class="key ring">best checkpoint</span>' if marked else ""
    legend = f"{keys if len(shown) > 1 else ''}{ring}"
    return f"<figure><figcaption><strong>{escape(heading)}</strong>{legend}</figcaption>{chart}</figure>"


def _scores(baselines: Iterable[NaiveScore], entries: Sequence[Entry], best: Entry | None) -> str:
    """Compare the model with predictors that ignore the input."""
    test = _last(entries, "test")
    rows: list[tuple[str, str, Mapping[str, Any]]] = []
    rows += [("this model, best checkpoint", _scored_on(entry), entry) for entry in (best, test) if entry is not None]
    rows += [(f"baseline: {baseline.title}", _SPLITS[baseline.split], baseline.metrics) for baseline in baselines]
    names = _metrics(*(values for _, _, values in rows))
    body = [[who, split, *(_cell(values.get(name)) for name in names)] for who, split, values in rows]
    return _table(["predictor", "scored on", *map(title, names)], body, numbers_from=2) if rows else ""


def _scored_on(entry: Entry) -> str:
    """Return the split that was scored, and the number of streams if not scored exactly."""
    return _SPLITS[entry["split"]] + in_streams(entry.get("streams"))


def _last(entries: Sequence[Entry], split: str) -> Entry | None:
    return next((entry for entry in reversed(entries) if entry["split"] == split), None)


def _model(parts: Sequence[Layer]) -> str:
    rows = [[part.name, part.description, f"{part.parameters:,}"] for part in parts]
    return _table(["layer", "what it is", "parameters"], rows, numbers_from=2) if rows else ""


def _pairs(pairs: Mapping[str, str]) -> str:
    rows = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{escape(str(value))}</td></tr>' for name, value in pairs.items()
    )
    return f'<div class="wide"><table>{rows}</table></div>' if rows else ""


def _history(entries: Sequence[Entry]) -> str:
    """List the evaluations, or the latest of them."""
    shown = entries[-EVALUATIONS_SHOWN:]
    others = [name for name in ("train_loss", "learning_rate") if any(name in entry for entry in shown)]
    names = [*_metrics(*shown), *others]
    rows = [
        [
            f"{entry['step']:,}",
            f"{entry['epoch']:,}",
            _scored_on(entry),
            *(_cell(entry.get(name)) for name in names),
        ]
        for entry in shown
    ]
    if not rows:
        return ""
    what = "All evaluations" if len(shown) == len(entries) else f"The last {len(shown)} of {len(entries)} evaluations"
    table = _table(["step", "epoch", "scored on", *map(title, names)], rows, numbers_from=3)
    return f"<section><details><summary>{what}</summary>{table}</details></section>"


def _cell(value: float | None) -> str:
    return "" if value is None else number(value)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], *, numbers_from: int) -> str:
    """Return a table whose columns from `numbers_from` on are aligned as numbers."""
    kinds = ["" if place < numbers_from else ' class="number"' for place in range(len(head))]
    heads = "".join(f'<th scope="col"{kind}>{escape(name)}</th>' for kind, name in zip(kinds, head, strict=True))
    body = "".join(
        "<tr>" + "".join(f"<td{kind}>{escape(str(cell))}</td>" for kind, cell in zip(kinds, row, strict=True)) + "</tr>"
        for row in rows
    )
    return f'<div class="wide"><table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>'


def _section(heading: str, content: str) -> str:
    return f"<section><h2>{heading}</h2>{content}</section>" if content else ""
