"""One update of a training run: gradient, step, and the handling of values that are not finite."""

import math
import time

import numpy as np

from lstm_cli.data import Batch
from lstm_cli.errors import Diverged, listed
from lstm_cli.ranks import World
from lstm_cli.training.events import Note, StepDone
from lstm_cli.training.job import Job


def update(job: Job, group: list[Batch]) -> StepDone | Note:
    """Take one step along the gradient of a group of batches, unless it is not finite."""
    progress, began, learning_rate = job.progress, time.perf_counter(), job.learning_rate
    loss, norm, problem = gradient(job, group)
    problem = problem or _apply(job, learning_rate)
    if not problem:
        progress.loss_sum, progress.loss_count = progress.loss_sum + loss, progress.loss_count + 1
        progress.gradient_norm_sum += norm
        progress.gradient_norm_count += 1
    progress.step, progress.batch = progress.step + 1, progress.batch + len(group)
    progress.seconds += time.perf_counter() - began
    job.measured_from = job.measured_from or (progress.step, progress.seconds)
    if problem:
        return skip_update(job, group, problem)
    return StepDone(
        step=progress.step, epoch=progress.epoch, loss=loss, learning_rate=learning_rate, gradient_norm=norm
    )


def gradient(job: Job, group: list[Batch]) -> tuple[float, float, str]:
    """Compute the gradient of a group of batches in its buffer; return the loss, the gradient's norm, and the problem.

    The problem says what is not finite and, if a system produced such a state, where; it is empty if there is none.
    """
    world, loss, diverged = job.world, 0.0, ""
    (divisor,) = world.totals(sum(batch.loss_divisor for batch in group))
    for part, batch in enumerate(group):
        began = time.perf_counter()
        part_loss, state = job.trainer.backpropagate(
            batch, job.carried, divisor=divisor, seed=job.config.seed, step=job.progress.step, part=part
        )
        job.computing += time.perf_counter() - began
        loss += part_loss
        diverged = diverged or ("" if math.isfinite(part_loss) else divergence_message(job, batch))
        job.carried = None if batch.carry is None else whole_state(world, state, batch)
    world.add_up(job.trainer.gradient.get_value(borrow=True))
    (loss,) = world.totals(loss)
    norm = job.trainer.gradient_norm()
    if not math.isfinite(loss):
        return loss, norm, f"loss {loss}{diverged}"
    return loss, norm, "" if math.isfinite(norm) else f"gradient norm {norm}"


def whole_state(world: World, state: np.ndarray, batch: Batch) -> np.ndarray:
    """Return the state (B, S) of a whole batch, of which this rank has that of its share."""
    share = batch.share
    if share is None:
        return state
    found = np.zeros((len(share.sequences), state.shape[1]), state.dtype)
    if not share.idle:
        found[share.columns] = state
    world.add_up(found)
    return found


def _apply(job: Job, learning_rate: float) -> str:
    """Apply the update; return what is not finite after it, empty if nothing."""
    undo = job.config.train.on_nonfinite != "stop"
    return "" if job.trainer.update(learning_rate, undo=undo) else "weights or optimizer state that are not finite"


def divergence_message(job: Job, batch: Batch) -> str:
    """Return where the system of a closed loop produced a state that is not finite in a batch; empty if it did not."""
    found = job.trainer.divergence()
    if found is None:
        return ""
    return f" as {found.where}, in sequence {job.batches.dataset.ids[batch.sequences[found.column]]};"


def skip_update(job: Job, group: list[Batch], problem: str) -> Note:
    """Handle an update that is not finite as `train.on_nonfinite` says; it was not applied or has been undone.

    Raises
    ------
    Diverged
        The run has to stop.
    """
    progress, config = job.progress, job.config.train
    job.carried = None
    where = f"step {progress.step}, epoch {progress.epoch + 1}: {problem} on {sequence_names(job, group)}"
    progress.skipped += 1
    if config.on_nonfinite == "stop" or progress.skipped > config.max_nonfinite:
        more = f", like {progress.skipped - 1} before it (train.max_nonfinite)" if progress.skipped > 1 else ""
        raise Diverged(
            f"{where}: this update is discarded{more}. Lower optimizer.learning_rate, set optimizer.clip_norm, "
            f"or look at the data of these sequences"
        )
    if config.on_nonfinite == "halve_learning_rate":
        progress.learning_rate_factor /= 2
        return Note(f"{where}: update skipped, learning rate halved", warning=True)
    return Note(f"{where}: update skipped", warning=True)


def sequence_names(job: Job, group: list[Batch], most: int = 5) -> str:
    """Return the sequences of a group of batches, for messages."""
    ids = job.batches.dataset.ids
    shown = (batch.sequences if batch.share is None else batch.share.sequences for batch in group)
    names = list(dict.fromkeys(str(ids[index]) for sequences in shown for index in sequences))
    return f"{'sequence' if len(names) == 1 else 'sequences'} {listed(names, most)}"
