"""A training run in progress: its parts and its progress."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from lstm_cli.config.config import Config
from lstm_cli.data import Batch, Batches, Data, Length, Split
from lstm_cli.engine.evaluator import Evaluator
from lstm_cli.engine.system import Code
from lstm_cli.engine.trainer import Trainer
from lstm_cli.optim.schedules import Schedule
from lstm_cli.ranks import World
from lstm_cli.scores.naives import Naives, fitted


@dataclass
class Progress:
    """The progress of a run: everything but arrays that a resumed run needs. All of it is JSON.

    Attributes
    ----------
    step, epoch, batch : int
        Updates so far, complete epochs so far, batches so far in the current epoch.
    best : float or None
        Best value of the monitored metric, at step `best_step`.
    stale : int
        Evaluations since the best one.
    evaluated_step : int
        Number of updates at the last evaluation.
    seconds : float
        Time spent, over all sessions.
    loss_sum, loss_count : float, int
        Training loss since the last evaluation.
    gradient_norm_sum, gradient_norm_count : float, int
        Norms of the gradients since the last evaluation; versions before these keys saved none.
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
    gradient_norm_sum: float = 0.0
    gradient_norm_count: int = 0
    learning_rate_factor: float = 1.0
    skipped: int = 0


@dataclass
class Job:
    """A training run in progress.

    Attributes
    ----------
    config : Config
    data : Data
    trainer : Trainer
    evaluator : Evaluator
    batches : Batches
        The training batches.
    valid : Batches or None
        The batches of evaluations during training: those of `scored`, or parallel streams.
    scored : mapping of str to Batches
        By split: the batches in which it is scored exactly.
    length : Length
    schedule : Schedule
    progress : Progress
    carried : array (B, S) or None
        Final state of the last batch, if the next one continues from it.
    code : Code or None
        The file of the system that a closed loop drives.
    measured_from : (int, float) or None
        Step and seconds of the run from which the updates per second are measured: the last evaluation, or the first
        update of this session, which compiles.
    notes : list of str
        What the user should know of its start.
    vectors : dict of str to str
        Digests of the files of vectors that embeddings start from, by input.
    world : World
        The ranks that train together.
    computing : float
        Seconds that this rank has computed since the ranks were compared.
    """

    config: Config
    data: Data
    trainer: Trainer
    evaluator: Evaluator
    batches: Batches
    valid: Batches | None
    scored: Mapping[Split, Batches]
    length: Length
    schedule: Schedule
    progress: Progress
    carried: np.ndarray | None = None
    code: Code | None = None
    measured_from: tuple[int, float] | None = None
    notes: list[str] = field(default_factory=list)
    vectors: dict[str, str] = field(default_factory=dict)
    world: World = field(default_factory=World)
    computing: float = 0.0

    @property
    def learning_rate(self) -> float:
        """Learning rate of the next update."""
        factor = self.schedule(self.progress.step) * self.progress.learning_rate_factor
        return self.config.optimizer.learning_rate * factor

    def shares(self) -> Iterator[Batch]:
        """Yield the batches from where the epoch is; of several ranks, each its share of them."""
        epoch, start, world = self.progress.epoch, self.progress.batch, self.world
        if world.size == 1:
            return self.batches.epoch(epoch, start=start)
        return self.batches.shares(epoch, start, world.rank, world.size)

    @cached_property
    def naives(self) -> Naives:
        """What naive predictors know of the training data, for each target column."""
        return fitted(self.scored["train"])
