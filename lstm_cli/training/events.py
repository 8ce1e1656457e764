"""The events of a training run, which the training loop yields and sinks receive.

`step` always counts updates, and `epoch` complete passes over the training data, both from the start of the run and
over all its sessions.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from lstm_cli.data import Split
from lstm_cli.insight.explanation import Explanation
from lstm_cli.scores.baseline import Baseline as Baseline


@dataclass(frozen=True)
class Part:
    """One layer of a model: its name, its description, and its number of parameters."""

    name: str
    description: str
    parameters: int


@dataclass(frozen=True)
class Started:
    """Everything is built; the first update follows.

    Attributes
    ----------
    folder
        The run folder.
    epochs
        The run's length if it is not stopped early.
    total_steps
        Number of updates of such a run.
    first_step
        Number of updates of earlier sessions.
    monitor
        The metric that selects the best checkpoint, such as ``valid.loss``.
    model
        The layers, from the input to the output.
    settings
        Values of the config, by dotted key.
    facts
        A summary of the data: names and values.
    baselines
        Scores of simple predictors, for comparison.
    earlier
        The evaluations of earlier sessions, as in ``metrics.jsonl``.
    network
        The recurrent layers in a few words: ``LSTM 128, 64``.
    sizes
        Number of sequences of each split; of one long series or text, of its steps.
    counted
        What `sizes` counts: ``sequence`` or ``step``.
    config_set
        The keys that the user set, as YAML.
    next_commands
        Commands to type after the training, each with its purpose.
    longer
        The words of the command that trains for twice as many epochs; empty where the config is in no file.
    """

    folder: Path
    epochs: int
    total_steps: int
    first_step: int = 0
    monitor: str = "valid.loss"
    model: tuple[Part, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)
    baselines: tuple[Baseline, ...] = ()
    earlier: tuple[Mapping[str, Any], ...] = ()
    network: str = ""
    sizes: Mapping[str, int] = field(default_factory=dict)
    counted: Literal["sequence", "step"] = "sequence"
    config_set: str = ""
    next_commands: tuple[tuple[str, str], ...] = ()
    longer: tuple[str, ...] = ()

    @property
    def run(self) -> str:
        """Name of the run."""
        return self.folder.name


@dataclass(frozen=True)
class Compiling:
    """Kernels are being compiled, since no earlier process left them on this machine: the next event takes a while."""


@dataclass(frozen=True)
class StepDone:
    """One update was made. `gradient_norm` is the norm before clipping."""

    step: int
    epoch: int
    loss: float
    learning_rate: float
    gradient_norm: float


@dataclass(frozen=True)
class Scoring:
    """A batch of an evaluation was scored; `Evaluated` follows the last."""

    step: int


@dataclass(frozen=True)
class Evaluated:
    """The model was scored on a split.

    Attributes
    ----------
    seconds
        Time spent on the run so far, over all its sessions.
    metrics
        By name, the most informative first.
    improved
        Whether this is the best value of the monitored metric so far.
    train_loss
        Mean loss of the updates since the previous evaluation.
    learning_rate
        Learning rate of the next update.
    gradient_norm
        Mean norm of the gradients of the updates since the previous evaluation, before clipping.
    steps_per_second
        Updates per second since the previous evaluation, without the time of evaluations and checkpoints.
    streams
        Number of parallel streams in which the split was scored (`train.valid_streams`); None: scored exactly.
    """

    step: int
    epoch: int
    split: Split
    seconds: float
    loss: float
    metrics: Mapping[str, float]
    improved: bool = False
    train_loss: float | None = None
    learning_rate: float | None = None
    gradient_norm: float | None = None
    steps_per_second: float | None = None
    streams: int | None = None


@dataclass(frozen=True)
class EpochDone:
    """An epoch is complete."""

    step: int
    epoch: int


@dataclass(frozen=True)
class CheckpointWritten:
    """A checkpoint was written and synced to the disk."""

    step: int
    path: Path
    kind: Literal["best", "last"]


@dataclass(frozen=True)
class Note:
    """A message for the user. A warning is shown even in quiet mode."""

    text: str
    warning: bool = False


@dataclass(frozen=True)
class Finished:
    """Training is over; `early`: patience ran out before the last epoch."""

    step: int
    epoch: int
    early: bool = False


@dataclass(frozen=True)
class Stopped:
    """The run ends before its training is complete.

    Attributes
    ----------
    reason
        A phrase that says what stopped it.
    failed
        Whether that was an error, not a signal.
    """

    step: int
    reason: str
    failed: bool = True


@dataclass(frozen=True)
class Explained:
    """What the best weights, those after update `step`, do on held-out data; `Finished` follows."""

    step: int
    explanation: Explanation


@dataclass
class Result:
    """The result of a run: its folder, the step of its best state, and the scores of that state by split."""

    folder: Path
    best_step: int = 0
    scores: dict[str, dict[str, float]] = field(default_factory=dict)


Event = (
    Note
    | Started
    | Compiling
    | StepDone
    | Scoring
    | Evaluated
    | EpochDone
    | CheckpointWritten
    | Explained
    | Finished
    | Stopped
)
