"""The evaluation in a report, typed: what a page shows of what ``lstm evaluate --json`` prints."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from lstm_cli.insight.explanation import Explanation
from lstm_cli.typed_json import WrongValue, built, expected

Scores = Mapping[str, float | None]


@dataclass(frozen=True)
class Matrix:
    """A confusion matrix: rows are the truth, `unknown` the row of labels that training never saw."""

    labels: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    unknown: tuple[int, ...] = ()


@dataclass(frozen=True)
class Confused:
    """How often a label was predicted where another one is true; None is one that training never saw."""

    truth: str | None
    predicted: str
    count: int


@dataclass(frozen=True)
class Bin:
    """Predictions of similar confidence: their mean confidence, and the share that is right."""

    low: float
    high: float
    count: int
    confidence: float | None
    accuracy: float | None


@dataclass(frozen=True)
class Calibration:
    """The expected calibration error and its bins."""

    ece: float | None
    bins: tuple[Bin, ...]


@dataclass(frozen=True)
class Part:
    """The scores of sequences of similar length."""

    low: int
    high: int
    sequences: int
    positions: int
    metrics: Scores


@dataclass(frozen=True)
class Evaluated:
    """The parts of an evaluation that a page shows; see `lstm_cli.insight.evaluation.Evaluation`."""

    sequences: int = 0
    positions: int = 0
    metrics: Scores = field(default_factory=dict)
    intervals: Mapping[str, tuple[float | None, ...]] = field(default_factory=dict)
    baselines: Mapping[str, Scores] = field(default_factory=dict)
    titles: Mapping[str, str] = field(default_factory=dict)
    skill: Mapping[str, Scores] = field(default_factory=dict)
    classes: Mapping[str, Scores] = field(default_factory=dict)
    confusion: Matrix | None = None
    confused: tuple[Confused, ...] = ()
    calibration: Calibration | None = None
    lengths: tuple[Part, ...] = ()


_KEYS = frozenset(one.name for one in fields(Evaluated))


def evaluated(explanation: Explanation | None) -> Evaluated:
    """Return the evaluation in an explanation; an empty one where there is none.

    Raises
    ------
    WrongValue
        A value is not what its key needs.
    """
    return _built(explanation.evaluation if explanation else {})


def of_columns(explanation: Explanation | None) -> dict[str, Evaluated]:
    """Return the evaluation of each of several target columns by its name; raises as `evaluated`."""
    given: Any = explanation.evaluation.get("targets", {}) if explanation else {}
    if type(given) is not dict or not all(type(own) is dict for own in given.values()):
        error = expected("an evaluation of each target column", given).within("targets")
        raise error.within("evaluation").within("explanation")
    return {name: _built(own) for name, own in given.items()}


def _built(given: Mapping[str, Any]) -> Evaluated:
    try:
        return built(Evaluated, {key: value for key, value in given.items() if key in _KEYS}, {*_KEYS, "unknown"})
    except WrongValue as error:
        raise error.within("evaluation").within("explanation") from None
