"""An evaluation as tables for a terminal."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from lstm_cli.engine.metrics import direction
from lstm_cli.errors import counted
from lstm_cli.insight.classes_text import confused_lines, labels_table
from lstm_cli.insight.evaluation import Evaluation
from lstm_cli.insight.tables import STEPS_AHEAD, WIDTH, aligned, cut, end_of, figure, width_of, wrapped
from lstm_cli.scores.calibration import OF_SETS
from lstm_cli.scores.groups import range_name
from lstm_cli.scores.skill import best_naive
from lstm_cli.scores.titles import data_of_run, short_title

_TITLE = 26  # characters of a baseline
_MOST_ROWS = 30  # of groups, and of columns


def evaluation_text(evaluation: Evaluation, width: int = WIDTH) -> str:
    """Return the tables of an evaluation, no wider than `width` columns."""
    parts = [_header(evaluation, width), *_tables(evaluation, width)]
    for name, target in evaluation.targets.items():
        tables = [part for part in _tables(target, width) if part]
        parts += [[cut(f"{name}:", width), *tables[0]], *tables[1:]]
    return "\n\n".join("\n".join(part) for part in parts if part)


def _tables(evaluation: Evaluation, width: int) -> list[list[str]]:
    """Return the tables of the scores of a target; of several ones those that all have in common."""
    if evaluation.targets:
        own = {"loss": evaluation.metrics["loss"]}
        return [_scores(replace(evaluation, metrics=own, intervals={}, baselines={}), width)]
    parts = [_scores(evaluation, width), _members(evaluation), _baselines(evaluation, width)]
    parts += [_columns(evaluation, width), _horizons(evaluation, width), _spread(evaluation, width)]
    parts += [labels_table(evaluation, width), confused_lines(evaluation, width)]
    return [*parts, _lengths(evaluation, width), _groups(evaluation, width), _calibration(evaluation, width)]


def _header(evaluation: Evaluation, width: int) -> list[str]:
    text = f": {counted(evaluation.sequences, 'sequence')}"
    if evaluation.positions != evaluation.sequences:
        text += f", {counted(evaluation.positions, 'prediction')}"
    if evaluation.split is not None and evaluation.data != data_of_run(evaluation.split):
        text += f" ({data_of_run(evaluation.split)})"
    return [end_of(evaluation.data, width - width_of(text)) + text]


def _best(evaluation: Evaluation) -> str | None:
    """Return the baseline that is best in the first metric that any has; None if there is none."""
    found = (best_naive(evaluation.baselines.items(), metric) for metric in evaluation.metrics)
    return next((best[0] for best in found if best is not None), None)


def _scores(evaluation: Evaluation, width: int) -> list[str]:
    """Return the metrics with their intervals, beside the best baseline; those of single columns come later."""
    other = _best(evaluation)
    shown = _shown(evaluation)
    header = ["", "score", "95 % interval"]
    if other is not None:
        header += [cut(evaluation.titles.get(other, other), max(8, min(_TITLE, width - 54))), "skill"]
    rows = [header]
    for metric in shown:
        row = [short_title(metric), figure(evaluation.metrics[metric]), _interval(evaluation.intervals.get(metric))]
        if other is not None:
            row += [_given(evaluation.baselines[other], metric), _given(evaluation.skill.get(other, {}), metric)]
        rows.append(row)
    if not evaluation.intervals:
        rows = [[*row[:2], *row[3:]] for row in rows]
    return aligned(rows)


def _shown(evaluation: Evaluation) -> list[str]:
    """Return the metrics of the model, without those of single columns unless there are no others."""
    return [name for name in evaluation.metrics if "." not in name] or list(evaluation.metrics)


def _members(evaluation: Evaluation) -> list[str]:
    """Return the scores of an ensemble beside the mean and the deviation of those of its runs."""
    if not evaluation.members:
        return []
    rows = [[f"{counted(len(evaluation.members), 'run')}", "ensemble", "mean", "deviation", "worst", "best"]]
    for name in _shown(evaluation):
        values = [metrics[name] for metrics in evaluation.members.values() if name in metrics]
        if not values:
            continue
        worst, best = (max(values), min(values)) if direction(name) == "min" else (min(values), max(values))
        spread = [evaluation.over_members[what][name] for what in ("mean", "deviation")]
        rows.append([short_title(name), *map(figure, (evaluation.metrics[name], *spread, worst, best))])
    return aligned(rows)


def _interval(bounds: tuple[float, float] | None) -> str:
    return "" if bounds is None else f"{figure(bounds[0])} to {figure(bounds[1])}"


def _given(values: Mapping[str, float], name: str) -> str:
    return figure(values[name]) if name in values else ""


def _baselines(evaluation: Evaluation, width: int) -> list[str]:
    """Return all baselines where there are several."""
    if len(evaluation.baselines) < 2:
        return []
    metrics = [name for name in evaluation.metrics if all(name in other for other in evaluation.baselines.values())]
    metrics = _fitting(["the value 1,000 steps ago"], [short_title(name) for name in metrics], metrics, width)
    rows = [["", *map(short_title, metrics)], ["the model", *(figure(evaluation.metrics[name]) for name in metrics)]]
    for name, values in evaluation.baselines.items():
        rows.append([cut(evaluation.titles.get(name, name), _TITLE), *(figure(values[metric]) for metric in metrics)])
    return aligned(rows)


def _fitting(first: Sequence[str], titles: Sequence[str], names: Sequence[str], width: int) -> list[str]:
    """Return as many names as have columns of at least nine characters within a width, beside the first column."""
    left, kept = width - 2 - max(map(len, first)), []
    for title, name in zip(titles, names, strict=True):
        left -= 2 + max(9, len(title))
        if left < 0:
            break
        kept.append(name)
    return kept


def _columns(evaluation: Evaluation, width: int) -> list[str]:
    """Return the figures of each column of numbers."""
    if not evaluation.columns:
        return []
    shown = list(evaluation.columns.items())[:_MOST_ROWS]
    metrics = [name for name in ("rmse", "mae", "r2", "bias", "deviation") if name in shown[0][1]]
    room = max(12, width - 2 - 11 * len(metrics))
    rows = [["column", *map(short_title, metrics)]]
    rows += [[cut(name, room), *(_given(values, metric) for metric in metrics)] for name, values in shown]
    return aligned(rows) + _left_out(len(evaluation.columns) - len(shown), "column")


def _horizons(evaluation: Evaluation, width: int) -> list[str]:
    """Return the mean absolute error of the model and of the baselines at some of the steps ahead."""
    model = evaluation.horizons.get("model")
    if not model:
        return []
    metric = next((name for name in model if name.partition(".")[0] == "mae"), None)
    others = {name: errors for name, errors in evaluation.horizons.items() if isinstance(errors, dict)}
    if metric is None or len(model[metric]) < 2:
        return []
    steps = [step for step in STEPS_AHEAD if step < len(model[metric])] + [len(model[metric])]
    titles = [cut(evaluation.titles.get(name, f"the {name}"), _TITLE) for name in others]
    fitting = len(
        _fitting([f"{short_title(metric)} by steps ahead", *titles], [""] * len(steps), list(map(str, steps)), width)
    )
    kept = steps if fitting == len(steps) else [*steps[: fitting - 1], steps[-1]]
    rows = [[f"{short_title(metric)} by steps ahead", *map(str, kept)]]
    for name, errors in zip(titles, others.values(), strict=True):
        if metric in errors:
            rows.append([name, *(figure(errors[metric][step - 1]) for step in kept)])
    return aligned(rows)


def _spread(evaluation: Evaluation, width: int) -> list[str]:
    """Return how often the intervals that the model predicts hold the truth, overall and at some steps ahead."""
    found = evaluation.interval
    if not found:
        return []
    level, share = (f"{100 * found[name]:.0f} %" for name in ("level", "coverage"))
    text = f"{level} intervals hold {share} of the values; mean width {figure(found['width'])}"
    by_step = found["horizons"]["coverage"]
    steps = sorted({*(step for step in STEPS_AHEAD if step < len(by_step)), len(by_step)}) if len(by_step) > 1 else []
    at = ", ".join(f"{100 * by_step[step - 1]:.0f} % at {step}" for step in steps)
    return wrapped(f"{text}; by steps ahead: {at}" if at else text, width)


def _lengths(evaluation: Evaluation, width: int) -> list[str]:
    if not evaluation.lengths or evaluation.by == "length":
        return []
    rows = [(range_name(part), part) for part in evaluation.lengths]
    return _parts("length", rows, width)


def _groups(evaluation: Evaluation, width: int) -> list[str]:
    shown = list(evaluation.groups.items())[:_MOST_ROWS]
    if not shown:
        return []
    return _parts(evaluation.by or "group", shown, width) + _left_out(len(evaluation.groups) - len(shown), "group")


def _parts(title: str, parts: Iterable[tuple[str, Mapping[str, Any]]], width: int) -> list[str]:
    """Return the scores of parts of the data."""
    given = list(parts)
    metrics = [name for name in given[0][1]["metrics"] if "." not in name] or list(given[0][1]["metrics"])
    several = any(part["positions"] != part["sequences"] for _, part in given)
    counts = ["sequences", "positions"] if several else ["sequences"]
    metrics = _fitting(
        [title, *(cut(name, 24) for name, _ in given)],
        [short_title(name) for name in metrics],
        metrics,
        width - 11 * len(counts),
    )
    rows = [[cut(title, 24), *counts, *map(short_title, metrics)]]
    for name, part in given:
        figures = [_given(part["metrics"], metric) for metric in metrics]
        rows.append([cut(name, 24), *(f"{part[count]:,}" for count in counts), *figures])
    return aligned(rows)


def _left_out(count: int, noun: str) -> list[str]:
    return [f"  and {counted(count, noun)} more: --json shows all"] if count > 0 else []


def _calibration(evaluation: Evaluation, width: int) -> list[str]:
    found = evaluation.calibration
    if not found:
        return []
    sure, right = (sum(part[name] * part["count"] for part in found["bins"]) / evaluation.positions
                   for name in ("confidence", "accuracy"))  # fmt: skip
    text = f"Confidence {sure:.3f} on average, right {right:.3f}; expected calibration error {found['ece']:.3f}"
    if "frame_accuracy" in evaluation.metrics:
        text += f"; {OF_SETS}"
    return wrapped(text, width)
