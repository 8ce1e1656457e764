"""How much better a model is than a naive predictor, from 1 (perfect) over 0 (as good) to below 0 (worse)."""

import math
from collections.abc import Iterable, Mapping
from typing import TypeVar

from lstm_cli.engine.metrics import direction, improves

T = TypeVar("T")


def skill(metric: str, value: float, naive: float) -> float | None:
    """Return the skill of a score against that of a naive predictor.

    ``1 - value / naive`` for errors, ``(value - naive) / (1 - naive)`` for scores whose best value is 1, and for
    perplexities that of their logarithms, which is that of the bits (Murphy 1988, Skill scores based on the mean square
    error and their relationships to the correlation coefficient, equation 4: both are
    ``(value - naive) / (perfect - naive)``).

    Parameters
    ----------
    metric
        Its name, which may be that of a column, such as ``rmse.load``.
    value, naive
        The scores of the model and of the naive predictor.

    Returns
    -------
    skill
        None where the naive predictor is perfect already, or a score is not finite.
    """
    if not (math.isfinite(value) and math.isfinite(naive)):
        return None
    perfect = 0.0 if direction(metric) == "min" else 1.0
    if metric.partition(".")[0] == "perplexity":
        if min(value, naive) <= 0:
            return None
        value, naive = math.log(value), math.log(naive)
    return (value - naive) / (perfect - naive) if perfect != naive else None


def skills(metrics: Mapping[str, float], naive: Mapping[str, float]) -> dict[str, float]:
    """Return the skill by metric, for those that both have and that have one."""
    found = {name: skill(name, value, naive[name]) for name, value in metrics.items() if _compares(name, naive)}
    return {name: value for name, value in found.items() if value is not None}


def _compares(name: str, naive: Mapping[str, float]) -> bool:
    return name in naive and name not in ("loss", "unknown_labels")


def best_naive(scores: Iterable[tuple[T, Mapping[str, float | None]]], metric: str) -> tuple[T, float] | None:
    """Return the naive predictor with the best value of a metric, and that value; None where none has it.

    Each of them comes with its metrics; of equal ones it is the first.
    """
    best: tuple[T, float] | None = None
    for naive, metrics in scores:
        value = metrics.get(metric)
        if value is not None and (best is None or improves(metric, value, best[1])):
            best = naive, value
    return best


def is_perfect(metric: str, value: float | None) -> bool:
    """Return whether a score whose best value is 1, such as an accuracy, has that value."""
    return direction(metric) == "max" and value == 1
