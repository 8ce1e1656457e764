"""What trackers have in common: points of curves, the end of a run, and what each of them does."""

import re
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple, Protocol

from lstm_cli.errors import LstmError, on_one_line
from lstm_cli.training.events import Started

#: Values of an evaluation that belong to the training, and the names of their curves; other values are a split's.
OF_TRAINING = {
    "train_loss": "train/loss",
    "learning_rate": "train/learning_rate",
    "gradient_norm": "train/gradient_norm",
    "steps_per_second": "train/steps_per_second",
    "epoch": "train/epoch",
}
Status = Literal["finished", "stopped", "failed"]


class Point(NamedTuple):
    """A point of a curve; `time` is in seconds since 1970."""

    name: str
    step: int
    value: float
    time: float


class Ending(NamedTuple):
    """How a run ended.

    Attributes
    ----------
    status
        Whether it was complete, stopped from outside, or failed.
    reason
        What stopped it; empty if it was complete.
    scores
        The loss and the metrics of the best state, by their curves' names, and ``best/step`` and ``best/epoch``.
    """

    status: Status
    reason: str
    scores: Mapping[str, float]


class Tracker(Protocol):
    """A program that shows runs; its methods may raise any exception."""

    title: str

    def begin(self, start: Started, points: Sequence[Point]) -> None:
        """Open the run, with the points of its earlier sessions."""

    def log(self, points: Sequence[Point]) -> str:
        """Add points to the curves; return a warning for the user, empty if there is none."""

    def end(self, ending: Ending) -> str:
        """Add the final scores and the report, and end the run; return a warning for the user."""

    def close(self) -> None:
        """Release what is open. Nothing follows, and the run may not have ended or even begun."""


def cause(error: BaseException) -> str:
    """Return what went wrong in another program, on one line of moderate length, without passwords in addresses."""
    words = re.sub(r"//[^/@\s]+@", "//", " ".join(str(error).split()))
    text = words if len(words) <= 300 else f"{words[:150]} … {words[-150:]}"
    if isinstance(error, LstmError):  # ours says it all
        return text
    return on_one_line(f"{type(error).__name__}: {text}" if text else type(error).__name__)
