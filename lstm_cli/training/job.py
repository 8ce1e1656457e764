"""A training run in motion: its parts, and how far it has come."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from lstm_cli.config.config import Config
from lstm_cli.data import Batches, Data, Split
from lstm_cli.engine.evaluator import Evaluator
from lstm_cli.engine.system import Code
from lstm_cli.engine.trainer import Trainer
from lstm_cli.optim.schedules import Schedule


@dataclass
class Progress:
    """How far a run has come: everything that a resumed run must know besides its arrays. All of it is JSON.

    Attributes
    ----------
    step, epoch, batch : int
        Updates so far, whole epochs so far, batches of the current epoch so far.
    best : float or None
        Best value of the monitored metric, at step `best_step`.
    stale : int
        Evaluations since then.
    evaluated_step : int
        Step of the last evaluation.
    seconds : float
        Time spent, over all sessions.
    loss_sum, loss_count : float, int
        Training loss since the last evaluation.
    learning_rate_factor : float
        Below 1 after `on_nonfinite: halve_learning_rate`.
    skipped : int
        Updates skipped because they were not finite.
    """

    step: int = 0
    epoch: int = 0
    batch: int = 0
    best: float | None = None
    best_step: int = 0
    stale: int = 0
    evaluated_step: int = 0
    seconds: float = 0.0
    loss_sum: float = 0.0
    loss_count: int = 0
    learning_rate_factor: float = 1.0
    skipped: int = 0


@dataclass
class Job:
    """A training run in motion: what is trained, on what, and how far it has come.

    Attributes
    ----------
    config : Config
    data : Data
    trainer : Trainer
    evaluator : Evaluator
    batches : Batches
        What is trained on.
    valid : Batches or None
        What evaluations during training score: the batches of `scored`, or streams side by side.
    scored : mapping of str to Batches
        The batches in which every split is scored exactly, by its name.
    schedule : Schedule
    progress : Progress
    carried : array (B, S) or None
        Final state of the batch before, where the next one carries on from it.
    code : Code or None
        The file of the system that a closed loop drives.
    """

    config: Config
    data: Data
    trainer: Trainer
    evaluator: Evaluator
    batches: Batches
    valid: Batches | None
    scored: Mapping[Split, Batches]
    schedule: Schedule
    progress: Progress
    carried: np.ndarray | None = None
    code: Code | None = None

    @property
    def learning_rate(self) -> float:
        """Learning rate of the next update."""
        factor = self.schedule(self.progress.step) * self.progress.learning_rate_factor
        return self.config.optimizer.learning_rate * factor

    @property
    def total_steps(self) -> int:
        """How many updates the run makes if nothing stops it early."""
        return total_steps(self.config, self.batches)


def total_steps(config: Config, batches: Batches) -> int:
    """Return how many updates a run makes if nothing stops it early."""
    return -(-batches.count(0) // config.train.accumulate) * config.train.epochs
