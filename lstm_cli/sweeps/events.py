"""What happens in a sweep, and what it has found."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lstm_cli.sweeps.trials import Found, Trial
from lstm_cli.training.members.processes import MemberEvent


@dataclass(frozen=True)
class Began:
    """A trial begins, or is continued."""

    trial: Trial


@dataclass(frozen=True)
class Closed:
    """A trial has ended."""

    member: str
    trial: Found | None


@dataclass(frozen=True)
class Noted:
    """There is something to know."""

    text: str


SweepEvent = MemberEvent | Began | Closed | Noted


@dataclass(frozen=True)
class Swept:
    """What a sweep has found.

    Attributes
    ----------
    folder
        Its folder.
    trials
        All of the study.
    best
        The best of them.
    stopped
        Why it ended before all were trained; empty otherwise.
    """

    folder: Path
    trials: Sequence[Found]
    best: Found
    stopped: str = ""
