"""A comparison of runs as tables of text: the scores, then the keys of the configs that differ."""

from collections.abc import Iterator, Sequence
from typing import Any

from lstm_cli.engine.metrics import direction
from lstm_cli.errors import duration, on_one_line
from lstm_cli.insight.compared import Compared, Comparison
from lstm_cli.insight.tables import WIDTH, aligned, cut, end_of, figure, width_of, wrapped
from lstm_cli.scores.titles import short_title

_NAME, _KEY, _CELL = 24, 36, 18  # the most columns of a run's name, a key, and a value of the config


def comparison_text(found: Comparison, width: int) -> str:
    """Return a comparison as text of at most `width` columns."""
    names = short_names([run.run for run in found.runs], min(_NAME, width // 3))
    lines = [line for note in found.notes for line in wrapped(on_one_line(note), width)]
    lines += [""] * bool(lines)
    lines += _blocks(score_table(found, names), width)
    keys = found.keys
    if keys:
        lines += ["", *_blocks(config_table(found, names, width), width)]
    elif len(found.runs) > 1:
        lines += ["", "the configs do not differ"]
    return "\n".join(lines)


def short_names(runs: Sequence[str], most: int = _NAME) -> list[str]:
    """Return the names of run folders without the folders that all have in common, of at most `most` columns.

    They are numbered where their ends do not tell them apart.
    """
    parts = [[part for part in run.split("/") if part not in ("", ".")] or [run] for run in runs]
    common = 0
    while len(parts) > 1 and all(len(part) > common + 1 and part[common] == parts[0][common] for part in parts):
        common += 1
    if len(parts) == 1:
        common = len(parts[0]) - 1
    names = ["/".join(part[common:]) for part in parts]
    shortened = [end_of(name, most) for name in names]
    if len(set(shortened)) < len(names):
        numbers = [f"{place} " for place in range(1, len(names) + 1)]
        shortened = [number + end_of(name, most - len(number)) for number, name in zip(numbers, names, strict=True)]
    return shortened


def score_table(found: Comparison, names: Sequence[str]) -> list[list[str]]:
    """Return a row for each run, the best first: scores, skill, size, speed, the best epoch, time and state."""
    monitored = found.monitor
    metrics = _columns(found)
    head = ["run", *(_heading(key, monitored) for key in metrics)]
    columns: list[tuple[str, Any]] = [
        ("skill", lambda run: figure(least_skill(run, monitored))),
        ("weights", lambda run: "-" if run.parameters is None else f"{run.parameters:,}"),
        ("steps/s", lambda run: "-" if run.steps_per_second is None else f"{run.steps_per_second:.3g}"),
        ("best/epochs", _epochs),
        ("time", lambda run: "-" if run.seconds is None else duration(run.seconds)),
        ("state", lambda run: run.state),
    ]
    shown = [(name, cell) for name, cell in columns if any(cell(run) != "-" for run in found.runs)]
    rows = [
        [name, *(figure(run.monitored(key)) for key in metrics), *(cell(run) for _, cell in shown)]
        for name, run in zip(names, found.runs, strict=True)
    ]
    return [[*head, *(name for name, _ in shown)], *rows]


def config_table(found: Comparison, names: Sequence[str], width: int = WIDTH) -> list[list[str]]:
    """Return the keys that differ: a row for each key, or where those are fewer than the runs, for each run."""
    keys, widest = found.keys, width // 2 - 2
    cells = [
        [cut(shown(run.config[key]), min(_CELL, widest)) if key in run.config else "-" for key in keys]
        for run in found.runs
    ]
    heads = [end_of(key, min(_KEY, widest)) for key in keys]
    if len(keys) <= len(found.runs):
        return [["run", *heads], *([name, *row] for name, row in zip(names, cells, strict=True))]
    columns = zip(*cells, strict=True)
    return [["key", *names], *([head, *row] for head, row in zip(heads, columns, strict=True))]


def shown(value: Any) -> str:
    """Return a value of a config for a table."""
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(shown, value))}]"
    return f"{value:g}" if isinstance(value, float) else on_one_line(value)


def least_skill(run: Compared, monitor: str) -> float | None:
    """Return the skill of a run against the best naive predictor: on the test data if it has any, else as monitored."""
    metric = monitor.partition(".")[2]
    for split in ("test", monitor.partition(".")[0]):
        own = [skill for skill in run.skill.get(split, {}).values() if skill]
        names = [name for name in ([metric] if metric != "loss" else []) if any(name in skill for skill in own)]
        names = names or list(dict.fromkeys(name for skill in own for name in skill))[:1]
        values = [skill[name] for skill in own for name in names if name in skill]
        if values:
            return min(values)
    return None


def _columns(found: Comparison) -> list[str]:
    """Return the scores that are shown, as split and metric: the monitored one, then the first of each split."""
    names = [found.monitor]
    for split in ("valid", "test"):
        metrics: list[str] = list(dict.fromkeys(name for run in found.runs for name in run.scores.get(split, {})))
        metric = found.monitor.partition(".")[2]
        chosen = ([metric] if metric in metrics and split == "test" else []) + [n for n in metrics if n != "loss"][:1]
        names += [f"{split}.{name}" for name in chosen or metrics[:1]]
    return list(dict.fromkeys(names))


def _heading(key: str, monitored: str) -> str:
    split, _, metric = key.partition(".")
    arrow = {"min": "↓", "max": "↑"}[direction(metric)] if key == monitored else ""
    return f"{split} {cut(short_title(metric), _CELL)}{arrow}"


def _epochs(run: Compared) -> str:
    return "-" if run.best_epoch is None else f"{run.best_epoch:,}/{run.epochs:,}"


def _blocks(rows: Sequence[Sequence[str]], width: int) -> Iterator[str]:
    """Yield a table as lines; columns that do not fit follow below, beside the first one again."""
    widths = [max(width_of(row[place]) for row in rows) + 2 for place in range(len(rows[0]))]
    start = 1
    while start < len(widths):
        end = start + 1
        while end < len(widths) and sum(widths[start : end + 1]) + widths[0] - 2 <= width:
            end += 1
        if start > 1:
            yield ""
        yield from aligned([[row[0], *row[start:end]] for row in rows], indent="")
        start = end
