"""The training loop: a generator that yields what happens. It prints nothing and writes nothing.

At every event the progress is complete: a checkpoint written there continues exactly, in the middle of an epoch too.
"""

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np

from lstm_cli.config.config import Config
from lstm_cli.data import Batch, Batches, Dataset
from lstm_cli.errors import Diverged, listed
from lstm_cli.optim.schedules import Schedule
from lstm_cli.training.closed_loop import Code
from lstm_cli.training.events import EpochDone, Evaluated, Event, Finished, Note, Scoring, StepDone
from lstm_cli.training.metrics import DIRECTIONS, accumulator, improves
from lstm_cli.training.step import Evaluator, Trainer


@dataclass
class Progress:
    """How far a run has come: everything a resumed run must know beside its arrays. All of it is JSON.

    Attributes
    ----------
    step, epoch, batch : int
        Updates so far, whole epochs so far, batches of the present epoch so far.
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
        Updates left out because they were not finite.
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
    """A training run in motion: what is trained, on what, and how far it is.

    `carried` is the final state (B, S) of the batch before, where the next one carries on from it; `code` the file of
    the system that a closed loop drives.
    """

    config: Config
    trainer: Trainer
    evaluator: Evaluator
    batches: Batches
    valid: Batches | None
    schedule: Schedule
    progress: Progress
    carried: np.ndarray | None = None
    code: Code | None = None

    @property
    def learning_rate(self) -> float:
        """Learning rate of the next update."""
        factor = self.schedule(self.progress.step) * self.progress.learning_rate_factor
        return self.config.optimizer.learning_rate * factor


def train(job: Job) -> Iterator[Event]:
    """Train until the last epoch or until patience runs out, yielding every event on the way."""
    progress, config = job.progress, job.config.train
    while True:
        if _evaluation_due(job):
            yield from evaluation(job)
        if progress.epoch >= config.epochs or _out_of_patience(job):
            break
        for group in _groups(job.batches.epoch(progress.epoch, start=progress.batch), config.accumulate):
            yield _update(job, group)
            if _evaluation_due(job):
                yield from evaluation(job)
                if _out_of_patience(job):
                    break
        else:
            progress.epoch, progress.batch, job.carried = progress.epoch + 1, 0, None
            yield EpochDone(step=progress.step, epoch=progress.epoch)
    yield Finished(step=progress.step, epoch=progress.epoch, early=progress.epoch < config.epochs)


class _Score:
    """The loss and the metrics over batches, which are added in their order; states are carried where they say so."""

    def __init__(self, evaluator: Evaluator, batches: Batches) -> None:
        self._evaluator, self._dataset = evaluator, batches.dataset
        target = self._dataset.schema.target
        self._of_sets = target.kind == "set"
        # A sequence that several batches have parts of counts once; the windows of a closed loop count each for itself.
        self._by_sequence = batches.normalize == "sequence" and batches.closed_loop is None
        self._metrics = accumulator(target.kind, size=target.size, is_next=target.is_next)
        self._loss = self._total = 0.0
        self._seen: set[int] = set()
        self._state: np.ndarray | None = None

    def add(self, batch: Batch) -> None:
        loss, values, self._state = self._evaluator(batch, self._state)
        self._loss, self._total = self._loss + loss, self._total + batch.loss_divisor
        if self._by_sequence:
            self._seen.update(batch.sequences[batch.counted_sequences[batch.known]].tolist())
        extra = {"unknown": self._dataset.unseen(batch)} if self._of_sets else {}
        self._metrics.update(*to_original_units(self._dataset, batch, values), **extra)

    def result(self) -> tuple[float, dict[str, float]]:
        total = len(self._seen) if self._by_sequence else self._total
        return self._loss / total if total else math.nan, self._metrics.result()


def evaluate(evaluator: Evaluator, batches: Batches) -> tuple[float, dict[str, float]]:
    """Return the loss and the metrics over all batches."""
    score = _Score(evaluator, batches)
    for batch in batches.epoch(0):
        score.add(batch)
    return score.result()


def evaluation(job: Job) -> Iterator[Scoring | Evaluated]:
    """Score the model, note whether it is the best so far, and let the schedule know.

    The progress changes at the end and at once: an evaluation that is left half done is done anew.
    """
    progress, began = job.progress, time.perf_counter()
    train_loss = progress.loss_sum / progress.loss_count if progress.loss_count else math.nan
    rows = 0
    if job.valid is None:
        loss, metrics = train_loss, {}
    else:
        score = _Score(job.evaluator, job.valid)
        for batch in job.valid.epoch(0):
            score.add(batch)
            rows = max(rows, len(batch.lengths))
            yield Scoring(progress.step)
        loss, metrics = score.result()
    improved = _note_score(job, {"loss": loss, **metrics}, train_loss)
    progress.evaluated_step, progress.loss_sum, progress.loss_count = progress.step, 0.0, 0
    progress.seconds += time.perf_counter() - began
    yield Evaluated(
        step=progress.step,
        epoch=progress.epoch,
        split="train" if job.valid is None else "valid",
        seconds=progress.seconds,
        loss=loss,
        metrics=metrics,
        train_loss=train_loss,
        improved=improved,
        learning_rate=job.learning_rate,
        streams=None if job.config.train.valid_streams is None else rows,  # no more than there are windows
    )


def to_original_units(dataset: Dataset, batch: Batch, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return values and truth as the metrics take them: numbers in original units."""
    if dataset.schema.target.kind == "number":
        return dataset.restore(batch, values), dataset.truth(batch)
    return values, batch.target


def _note_score(job: Job, scores: dict[str, float], train_loss: float) -> bool:
    progress = job.progress
    split, _, name = job.config.train.monitor.partition(".")
    score = train_loss if split == "train" or job.valid is None else scores[name]
    improved = improves(name, score, progress.best)
    if improved:
        progress.best, progress.best_step, progress.stale = score, progress.step, 0
    else:
        progress.stale += 1
    job.schedule.evaluated(score if DIRECTIONS[name] == "min" else -score)
    return improved


def _update(job: Job, group: list[Batch]) -> Event:
    """Take one step along the gradient of a group of batches, unless it is not finite."""
    progress, began, learning_rate = job.progress, time.perf_counter(), job.learning_rate
    loss, norm, wrong = gradient(job, group)
    wrong = wrong or _apply(job, learning_rate)
    if not wrong:
        progress.loss_sum, progress.loss_count = progress.loss_sum + loss, progress.loss_count + 1
    progress.step, progress.batch = progress.step + 1, progress.batch + len(group)
    progress.seconds += time.perf_counter() - began
    if wrong:
        return skip_update(job, group, wrong)
    return StepDone(
        step=progress.step, epoch=progress.epoch, loss=loss, learning_rate=learning_rate, gradient_norm=norm
    )


def gradient(job: Job, group: list[Batch]) -> tuple[float, float, str]:
    """Put the gradient of a group of batches into its buffer; return the loss, the gradient's norm, and what is wrong.

    Wrong is what is not finite, in words, and where a system made such a state, if it did; empty if nothing is.
    """
    loss, diverged, divisor = 0.0, "", sum(batch.loss_divisor for batch in group)
    for part, batch in enumerate(group):
        part_loss, state = job.trainer.backpropagate(
            batch, job.carried, divisor=divisor, seed=job.config.seed, step=job.progress.step, part=part
        )
        loss += part_loss
        diverged = diverged or ("" if math.isfinite(part_loss) else divergence_message(job, batch))
        job.carried = state if batch.carry is not None else None
    norm = job.trainer.gradient_norm()
    if not math.isfinite(loss):
        return loss, norm, f"loss {loss}{diverged}"
    return loss, norm, "" if math.isfinite(norm) else f"gradient norm {norm}"


def _apply(job: Job, learning_rate: float) -> str:
    """Apply the update; return what is not finite after it, in words."""
    undo = job.config.train.on_nonfinite != "stop"
    return "" if job.trainer.update(learning_rate, undo=undo) else "weights or optimizer state that are not finite"


def divergence_message(job: Job, batch: Batch) -> str:
    """Return where the system of a closed loop went wrong in a batch, in words; nothing where it did not."""
    found = job.trainer.divergence()
    if found is None:
        return ""
    where, row = found
    return f" as {where}, in sequence {job.batches.dataset.ids[batch.sequences[row]]};"


def skip_update(job: Job, group: list[Batch], wrong: str) -> Note:
    """Deal with an update that is not finite, as `train.on_nonfinite` says; it was not applied, or taken back."""
    progress, config = job.progress, job.config.train
    job.carried = None
    where = f"step {progress.step}, epoch {progress.epoch + 1}: {wrong} on {sequence_names(job, group)}"
    progress.skipped += 1
    if config.on_nonfinite == "stop" or progress.skipped > config.max_nonfinite:
        more = f", nor were {progress.skipped - 1} before (train.max_nonfinite)" if progress.skipped > 1 else ""
        raise Diverged(
            f"{where}: this update is not kept{more}. Lower optimizer.learning_rate, set optimizer.clip_norm, "
            f"or look at the data of these sequences"
        )
    if config.on_nonfinite == "halve_learning_rate":
        progress.learning_rate_factor /= 2
        return Note(f"{where}: update left out, learning rate halved", warning=True)
    return Note(f"{where}: update left out", warning=True)


def sequence_names(job: Job, group: list[Batch], most: int = 32) -> str:
    """Return the sequences of a group of batches, in words."""
    ids = job.batches.dataset.ids
    names = list(dict.fromkeys(str(ids[index]) for batch in group for index in batch.sequences))
    return f"sequences {listed(names, most)}"


def _groups(batches: Iterator[Batch], size: int) -> Iterator[list[Batch]]:
    while group := list(islice(batches, size)):
        yield group


def _evaluation_due(job: Job) -> bool:
    progress, every = job.progress, job.config.train.evaluate_every
    if progress.step == progress.evaluated_step:
        return False
    if progress.epoch >= job.config.train.epochs:
        return True
    if every.unit == "epoch":
        return progress.batch == 0 and progress.epoch % every.count == 0
    return progress.step % every.count == 0


def _out_of_patience(job: Job) -> bool:
    patience = job.config.train.patience
    return patience is not None and job.progress.stale >= patience
