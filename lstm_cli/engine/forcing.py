"""Teacher forcing: how often a closed loop is fed what was observed in place of its own prediction, and where."""

import math

import numpy as np
from numpy.typing import NDArray

from lstm_cli.config.rollout import TeacherForcing

DRAWS = 1  # tells these draws from those of the dropout masks, which have the same seed


def probability(forcing: TeacherForcing, step: int) -> float:
    """Return the probability at an update, counted from 0, as `TeacherForcing` defines it."""
    match forcing.name:
        case "linear":
            return forcing.start + (forcing.end - forcing.start) * min(step / forcing.steps, 1.0)
        case "exponential":
            return forcing.end + (forcing.start - forcing.end) * math.exp(-step / forcing.steps)
        case "constant":
            return forcing.start


def forced_steps(
    forcing: TeacherForcing, shape: tuple[int, ...], *, seed: int, step: int, part: int
) -> NDArray[np.bool_]:
    """Draw for every step and sequence (T, B) whether the observed value enters.

    The draws depend on seed, update and part alone: a resumed run makes the same ones.
    """
    bits = np.random.Philox(np.random.SeedSequence([seed, step, part, DRAWS]))
    return np.random.Generator(bits).random(shape) < probability(forcing, step)
