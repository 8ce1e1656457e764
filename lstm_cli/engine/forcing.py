"""Teacher forcing: how often, and at which steps, a closed loop is fed the observation instead of its prediction."""

import math

import numpy as np
from numpy.typing import NDArray

from lstm_cli.config.rollout import TeacherForcing

STREAM = 1  # separates these random numbers from those of the dropout masks, which have the same seed


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
    """Draw for every step and sequence (T, B) whether the observed value is fed.

    The draws depend on seed, update and part alone, so that a resumed run repeats them.
    """
    bits = np.random.Philox(np.random.SeedSequence([seed, step, part, STREAM]))
    return np.random.Generator(bits).random(shape) < probability(forcing, step)
