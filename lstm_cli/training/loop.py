"""The training loop: a generator of events. It prints nothing and writes nothing.

At every event the progress is complete: a run resumed from a checkpoint written there continues exactly, even in the
middle of an epoch.
"""

import math
import time
from collections.abc import Iterator
from itertools import islice

from lstm_cli.config.fields import Every
from lstm_cli.data import Batch
from lstm_cli.engine.evaluation import Evaluation
from lstm_cli.engine.metrics import direction, improves
from lstm_cli.training.events import EpochDone, Evaluated, Event, Finished, Scoring
from lstm_cli.training.job import Job
from lstm_cli.training.ranked import Watch
from lstm_cli.training.update import update


def train(job: Job) -> Iterator[Event]:
    """Train until the last epoch or until patience runs out, yielding every event."""
    progress, config, watch = job.progress, job.config.train, Watch(job)
    while True:
        if _evaluation_due(job):
            yield from evaluation(job)
        if progress.epoch >= job.length.epochs or _out_of_patience(job):
            break
        for group in _groups(job.shares(), config.accumulate):
            yield update(job, group)
            yield from watch.look()
            if _evaluation_due(job):
                yield from evaluation(job)
                if _out_of_patience(job):
                    break
        else:
            progress.epoch, progress.batch, job.carried = progress.epoch + 1, 0, None
            yield EpochDone(step=progress.step, epoch=progress.epoch)
    yield Finished(step=progress.step, epoch=progress.epoch, early=progress.epoch < job.length.epochs)


def evaluation(job: Job) -> Iterator[Scoring | Evaluated]:
    """Score the model, record whether it is the best so far, and pass the score to the schedule.

    The progress changes only at the end, all at once: an interrupted evaluation is repeated from its start.
    """
    progress, began = job.progress, time.perf_counter()
    train_loss = progress.loss_sum / progress.loss_count if progress.loss_count else math.nan
    norms, rate = progress.gradient_norm_count, _steps_per_second(job)
    gradient_norm = progress.gradient_norm_sum / norms if norms else None
    loss, metrics, streams = train_loss, dict[str, float](), 0
    if job.valid is not None:
        scores, world = Evaluation(job.evaluator, job.valid), job.world
        for batch in job.valid.dealt(world.rank, world.size):
            with job.trainer.averaged():
                scores.add(batch)
            streams = max(streams, len(batch.lengths))  # fewer than configured if there are fewer windows
            if world.asked():
                break
            yield Scoring(progress.step)
        world.agree_to_stop()
        while world.stopping:
            yield Scoring(progress.step)
        loss, metrics = scores.over(world).result()
    improved = _record_score(job, {"loss": loss, **metrics}, train_loss)
    progress.evaluated_step, progress.loss_sum, progress.loss_count = progress.step, 0.0, 0
    progress.gradient_norm_sum, progress.gradient_norm_count = 0.0, 0
    progress.seconds += time.perf_counter() - began
    job.measured_from = progress.step, progress.seconds
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
        gradient_norm=gradient_norm,
        steps_per_second=rate,
        streams=None if job.config.train.valid_streams is None else streams,
    )


def _steps_per_second(job: Job) -> float | None:
    """Return the rate of the updates since the last evaluation, without the time of evaluations and checkpoints."""
    progress = job.progress
    step, seconds = job.measured_from or (progress.step, 0.0)
    passed = progress.seconds - seconds
    return (progress.step - step) / passed if progress.step > step and passed > 0 else None


def _record_score(job: Job, scores: dict[str, float], train_loss: float) -> bool:
    """Record a score in the progress and the schedule; return whether it is the best so far."""
    progress = job.progress
    split, _, name = job.config.train.monitor.partition(".")
    score = train_loss if split == "train" or job.valid is None else scores[name]
    improved = improves(name, score, progress.best)
    if improved:
        progress.best, progress.best_step, progress.stale = score, progress.step, 0
    else:
        progress.stale += 1
    job.schedule.evaluated(score if direction(name) == "min" else -score)
    return improved


def _groups(batches: Iterator[Batch], size: int) -> Iterator[list[Batch]]:
    while group := list(islice(batches, size)):
        yield group


def _evaluation_due(job: Job) -> bool:
    progress = job.progress
    every: Every = job.config.train.evaluate_every
    if progress.step == progress.evaluated_step:
        return False
    if progress.epoch >= job.length.epochs:
        return True
    if every.unit == "epoch":
        return progress.batch == 0 and progress.epoch % every.count == 0
    return progress.step % every.count == 0


def _out_of_patience(job: Job) -> bool:
    patience = job.config.train.patience
    return patience is not None and job.progress.stale >= patience
