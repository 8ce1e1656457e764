"""The evaluations of several target columns as one."""

from collections.abc import Iterable, Mapping
from typing import TypeVar

from lstm_cli.engine.column_metrics import of_column
from lstm_cli.insight.evaluation import Evaluation

T = TypeVar("T")


def metrics_in(scores: Mapping[str, float], column: str) -> dict[str, float]:
    """Return the metrics of one of several target columns among those of all, without its name."""
    end = f".{column}"
    return {name.removesuffix(end): value for name, value in scores.items() if name.endswith(end)}


def joined(each: Mapping[str, Evaluation], scores: Mapping[str, float]) -> Evaluation:
    """Return the evaluation of several target columns, given that of each and the loss and metrics of all.

    Metrics, their intervals and naive predictors are named after their columns, such as ``accuracy.speaker`` and
    ``majority.speaker``.
    """
    parts = each.items()
    first = next(iter(each.values()))
    return Evaluation(
        data=first.data,
        split=first.split,
        sequences=max(part.sequences for part in each.values()),
        positions=sum(part.positions for part in each.values()),
        metrics=dict(scores),
        intervals=_merged(of_column(part.intervals, name) for name, part in parts),
        baselines=_merged(_of_baselines(part.baselines, name) for name, part in parts),
        titles=_merged(
            {f"{key}.{name}": f"{name}: {title}" for key, title in part.titles.items()} for name, part in parts
        ),
        skill=_merged(_of_baselines(part.skill, name) for name, part in parts),
        by=first.by,
        targets=dict(each),
    )


def _of_baselines(scores: Mapping[str, Mapping[str, float]], column: str) -> dict[str, dict[str, float]]:
    return {f"{name}.{column}": of_column(metrics, column) for name, metrics in scores.items()}


def _of_titles(titles: Mapping[str, str], column: str) -> dict[str, str]:
    return {f"{name}.{column}": f"{column}: {title}" for name, title in titles.items()}


def _merged(parts: Iterable[Mapping[str, T]]) -> dict[str, T]:
    return {name: value for part in parts for name, value in part.items()}
