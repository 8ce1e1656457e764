"""What happens in a training run, as the loop yields it and its sinks take it.

Everywhere `step` counts updates and `epoch` whole passes over the training data, both from the start of the run and
over all its sessions.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from lstm_cli.training.baselines import Baseline


@dataclass(frozen=True)
class Part:
    """One layer of a model: its name, what it is in words, and how many parameters it has."""

    name: str
    description: str
    parameters: int


@dataclass(frozen=True)
class Started:
    """Everything is built; the first step comes next.

    Attributes
    ----------
    run
        Name of the run, as its folder says it.
    epochs, total_steps
        Where the run ends if nothing stops it early.
    first_step
        Steps that earlier sessions made.
    monitor
        What the best checkpoint follows, as ``valid.loss``.
    model
        The layers, from the input to the output.
    settings
        What the config sets, by dotted key.
    facts
        The data in a few lines: name and value.
    baselines
        Scores of cheap predictors, for comparison.
    """

    run: str
    epochs: int
    total_steps: int
    first_step: int = 0
    monitor: str = "valid.loss"
    model: tuple[Part, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)
    baselines: tuple[Baseline, ...] = ()


@dataclass(frozen=True)
class StepDone:
    """One update was made. `gradient_norm` is that before clipping."""

    step: int
    epoch: int
    loss: float
    learning_rate: float
    gradient_norm: float


@dataclass(frozen=True)
class Scoring:
    """One more batch of an evaluation is scored; `Evaluated` follows the last."""

    step: int


@dataclass(frozen=True)
class Evaluated:
    """The model was scored on a split.

    Attributes
    ----------
    seconds
        Time spent on the run so far, over all its sessions.
    metrics
        By name, the most telling first.
    improved
        Whether this is the best value of the monitored metric so far.
    train_loss
        Mean loss of the updates since the evaluation before.
    learning_rate
        That of the next update.
    streams
        In how many parallel streams the split was scored (`train.valid_streams`); None: exactly.
    """

    step: int
    epoch: int
    split: Literal["train", "valid", "test"]
    seconds: float
    loss: float
    metrics: Mapping[str, float]
    improved: bool = False
    train_loss: float | None = None
    learning_rate: float | None = None
    streams: int | None = None


@dataclass(frozen=True)
class EpochDone:
    """All training sequences were seen once more."""

    step: int
    epoch: int


@dataclass(frozen=True)
class CheckpointWritten:
    """A state lies safely on the disk."""

    step: int
    path: Path
    kind: Literal["best", "last"]


@dataclass(frozen=True)
class Note:
    """Something to tell. A warning is told even where the user asked for quiet."""

    text: str
    warning: bool = False


@dataclass(frozen=True)
class Finished:
    """Training is over; `early` tells that patience ran out before the last epoch."""

    step: int
    epoch: int
    early: bool = False


@dataclass(frozen=True)
class Trajectory:
    """A number of a sequence over the steps of a closed loop: what it was and what it should have been."""

    name: str
    found: tuple[float, ...]
    wanted: tuple[float, ...]


@dataclass(frozen=True)
class Rolled:
    """How a closed loop goes with the best weights, in original units.

    Attributes
    ----------
    split
        What the sequences are of.
    errors
        RMSE at each step of the loop, over all sequences; NaN where none has that step.
    trajectories
        A few of them.
    """

    split: Literal["train", "valid", "test"]
    errors: tuple[float, ...]
    trajectories: tuple[Trajectory, ...]


@dataclass
class Result:
    """What a run came to: its folder, the step of its best state, and the scores of that state by split."""

    folder: Path
    best_step: int = 0
    scores: dict[str, dict[str, float]] = field(default_factory=dict)


Event = Started | StepDone | Scoring | Evaluated | EpochDone | CheckpointWritten | Rolled | Note | Finished
