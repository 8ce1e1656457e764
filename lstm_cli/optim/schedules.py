"""How the learning rate changes over a run: a factor between 0 and 1 for each update. Plain Python."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

from lstm_cli.config.optimizer import Schedule as ScheduleSpec


class Schedule:
    """A learning-rate schedule.

    Parameters
    ----------
    factor : callable
        From the number of updates after the warm-up to the factor.
    warmup : int
        Updates in which the factor rises along a line to 1.
    """

    def __init__(self, factor: Callable[[int], float], warmup: int = 0) -> None:
        self.factor, self.warmup = factor, warmup
        self.state: dict[str, Any] = {}

    def __call__(self, step: int) -> float:
        """Return what the learning rate of update number `step` is multiplied by."""
        return (step + 1) / self.warmup if step < self.warmup else self.factor(step - self.warmup)

    def evaluated(self, score: float) -> None:
        """Take note of an evaluation; the lower the score the better."""


class Plateau(Schedule):
    """Cut the learning rate whenever the score has not improved for more than `patience` evaluations.

    Parameters
    ----------
    cut : float
        Factor of each cut.
    patience : int
    lowest : float
        No cut goes below this factor.
    warmup : int
    state : dict
        What a resumed run goes on from: JSON, kept up to date in place.
    """

    def __init__(self, cut: float, patience: int, lowest: float, warmup: int, state: dict[str, Any]) -> None:
        super().__init__(lambda _: self.state["factor"], warmup)
        self.cut, self.patience, self.lowest, self.state = cut, patience, lowest, state
        for key, value in {"factor": 1.0, "best": None, "stale": 0}.items():
            state.setdefault(key, value)

    def evaluated(self, score: float) -> None:
        """Take note of an evaluation; the lower the score the better. One that is not a number is no improvement."""
        state = self.state
        if score < (math.inf if state["best"] is None else state["best"]):
            state["best"], state["stale"] = score, 0
            return
        state["stale"] += 1
        if state["stale"] > self.patience:
            state["factor"], state["stale"] = max(state["factor"] * self.cut, self.lowest), 0


def schedule(spec: ScheduleSpec, total_steps: int, state: dict[str, Any] | None = None) -> Schedule:
    """Return the schedule of a config.

    Parameters
    ----------
    spec : ScheduleSpec
        `name`, `warmup` and the keys of that schedule.
    total_steps : int
        Updates of the whole run: where cosine and linear end.
    state : dict, optional
        Of the schedule, from a checkpoint; kept up to date in place.
    """
    state = {} if state is None else state
    warmup = auto_warmup(total_steps) if spec.warmup == "auto" else spec.warmup
    span = max(1, total_steps - warmup)
    match spec.name:
        case "constant":
            return Schedule(lambda _: 1.0, warmup)
        case "cosine":
            return Schedule(partial(_cosine, span, spec.final), warmup)
        case "linear":
            return Schedule(partial(_linear, span, spec.final), warmup)
        case "exponential":
            return Schedule(partial(_exponential, spec.decay, spec.steps), warmup)
        case "plateau":
            return Plateau(spec.factor, spec.patience, spec.final, warmup, state)
    raise ValueError(f"schedule: got {spec.name!r}, expected constant, cosine, linear, exponential or plateau")


def auto_warmup(total_steps: int) -> int:
    """Return the updates of the warm-up that ``auto`` stands for: a twentieth of all, at most 200."""
    return min(200, total_steps // 20)


def _cosine(span: int, final: float, step: int) -> float:
    return final + (1 - final) * (1 + math.cos(math.pi * min(1.0, step / span))) / 2


def _linear(span: int, final: float, step: int) -> float:
    return 1 - (1 - final) * min(1.0, step / span)


def _exponential(decay: float, steps: int, step: int) -> float:
    return decay ** (step / steps)
