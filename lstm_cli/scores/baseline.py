"""The score of a naive predictor: a value, which costs no import of what computes it."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Baseline:
    """The score of a naive predictor.

    Attributes
    ----------
    name
        Which one: ``majority``, ``frequencies``, ``mean``, ``last``, ``seasonal_24`` or ``undriven``.
    title
        What it predicts, for the user.
    split
        The split that it was scored on: ``valid`` or ``test``.
    metrics
        The same metrics as the model's.
    """

    name: str
    title: str
    split: str
    metrics: Mapping[str, float] = field(default_factory=dict)
