"""The learning-rate schedules: a factor between 0 and 1 for each update. Plain Python.

Symbols: t updates since the warm-up, N updates from the warm-up to the end of the run.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import Any, assert_never

from lstm_cli.config import optimizer as sections

AUTO_WARMUP_LIMIT = 200  # updates


class Schedule:
    """A learning-rate schedule: (step + 1) / warmup during the warm-up, then factor(step - warmup).

    Parameters
    ----------
    factor : callable
        From the number of updates since the warm-up to the factor.
    warmup : int
        Number of updates of the warm-up.

    Attributes
    ----------
    state : dict
        Stored in a checkpoint, as JSON. A resumed run updates it in place.
    """

    def __init__(self, factor: Callable[[int], float], warmup: int) -> None:
        self.factor, self.warmup = factor, warmup
        self.state: dict[str, Any] = {}

    def __call__(self, step: int) -> float:
        """Return the factor of the learning rate for update number `step`, from 0."""
        return (step + 1) / self.warmup if step < self.warmup else self.factor(step - self.warmup)

    def evaluated(self, score: float) -> None:
        """Record the score of an evaluation; lower is better."""


class Plateau(Schedule):
    """Multiply the factor by `cut` whenever the score has not improved for more than `patience` evaluations.

    Parameters
    ----------
    cut : float
    patience : int
    lowest : float
        The factor does not fall below this.
    warmup : int
    """

    def __init__(self, cut: float, patience: int, lowest: float, warmup: int) -> None:
        super().__init__(lambda _: max(lowest, float(self.state["factor"])), warmup)
        self.cut, self.patience, self.lowest = cut, patience, lowest
        self.state = {"factor": 1.0, "best": None, "stale": 0}

    def evaluated(self, score: float) -> None:
        """Record the score of an evaluation; lower is better, and NaN is no improvement."""
        state = self.state
        if score < (math.inf if state["best"] is None else state["best"]):
            state["best"], state["stale"] = score, 0
            return
        state["stale"] += 1
        if state["stale"] > self.patience:
            state["factor"], state["stale"] = max(state["factor"] * self.cut, self.lowest), 0


def schedule(spec: sections.Schedule, total_steps: int) -> Schedule:
    """Return the schedule of a config.

    Parameters
    ----------
    spec : Schedule
        The section `train.schedule` of the config.
    total_steps : int
        Updates of the whole run: where cosine and linear end.
    """
    warmup = auto_warmup(total_steps) if spec.warmup == "auto" else spec.warmup
    span = max(1, total_steps - warmup)
    match spec:
        case sections.Constant():
            return Schedule(lambda _: 1.0, warmup)
        case sections.Cosine():
            return Schedule(partial(_cosine, span, spec.final), warmup)
        case sections.Linear():
            return Schedule(partial(_linear, span, spec.final), warmup)
        case sections.Exponential():
            return Schedule(partial(_exponential, spec.decay, spec.steps), warmup)
        case sections.Plateau():
            return Plateau(spec.factor, spec.patience, spec.final, warmup)
    assert_never(spec)


def auto_warmup(total_steps: int) -> int:
    """Return the number of updates of the warm-up ``auto``: 5 % of all updates, at most 200."""
    return min(AUTO_WARMUP_LIMIT, total_steps // 20)


def _cosine(span: int, final: float, step: int) -> float:
    """Return final + (1 - final) (1 + cos(pi t / N)) / 2 (Loshchilov and Hutter 2017)."""
    return final + (1 - final) * (1 + math.cos(math.pi * min(1.0, step / span))) / 2


def _linear(span: int, final: float, step: int) -> float:
    """Return 1 - (1 - final) t / N."""
    return 1 - (1 - final) * min(1.0, step / span)


def _exponential(decay: float, steps: int, step: int) -> float:
    """Return decay^(t / steps)."""
    return float(decay ** (step / steps))
