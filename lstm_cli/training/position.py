"""The progress of a run as a checkpoint holds it: read as JSON, and checked against what a run can have reached."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from math import isfinite, isnan
from typing import Any

from lstm_cli.training.job import Job, Progress
from lstm_cli.typed_json import WrongValue, built, expected, shown

#: Keys that checkpoints of earlier versions lack.
_NEW = ("gradient_norm_sum", "gradient_norm_count")
#: Whole numbers up to here are exact as floats too.
_MOST = 2**53


@dataclass(frozen=True)
class _Plateau:
    """The state of the schedule ``plateau``; other schedules have none."""

    factor: float
    best: float | None
    stale: int


def position_of(job: Job) -> dict[str, Any]:
    """Return the progress of a job as JSON, with the number of epochs in all: a run folder alone does not tell it."""
    return {**asdict(job.progress), "schedule": job.schedule.state, "epochs": job.length.epochs}


def restore_position(job: Job, position: Mapping[str, Any]) -> None:
    """Restore the progress of a job.

    Raises
    ------
    WrongValue
        A key is missing, a value has another type, or no run can have got there.
    """
    given = dict(position)
    try:
        state = given.pop("schedule")
    except KeyError:
        raise WrongValue("missing", "schedule") from None
    given.pop("epochs", None)  # of the session before; this one may have another total
    progress = built(Progress, given, optional=_NEW)
    for key, problem in _problems(progress, int(job.batches.dataset.lengths.sum())):
        raise WrongValue(problem, key)
    if progress.batch and progress.batch > (count := job.batches.count(progress.epoch)):
        raise WrongValue(f"got {progress.batch:,}, but an epoch has {count:,} batch{'es' * (count != 1)}", "batch")
    try:
        _check_schedule(state, progress)
    except WrongValue as error:
        raise error.within("schedule") from None
    job.schedule.state.update(state)
    job.progress = progress


def _problems(progress: Progress, steps: int) -> Iterator[tuple[str, str]]:
    """Yield the keys whose values contradict others, and how; an epoch has at most `steps` batches."""
    step, since = progress.step, progress.step - progress.evaluated_step
    most = {
        "step": min(_MOST, progress.epoch * steps + progress.batch),
        "epoch": step - (progress.batch > 0),
        "batch": steps,
        "evaluated_step": step,
        "best_step": progress.evaluated_step,
        "stale": progress.evaluated_step,
        "loss_count": since,
        "gradient_norm_count": since,
        "skipped": step,
    }
    for key, limit in most.items():
        if not 0 <= getattr(progress, key) <= limit:
            yield key, f"expected 0 to {shown(limit)}, got {shown(getattr(progress, key))}"
    if not (isfinite(progress.seconds) and progress.seconds >= 0):
        yield "seconds", f"expected a time, got {progress.seconds}"
    norms, norm_count = progress.gradient_norm_sum, progress.gradient_norm_count
    if not (isfinite(norms) and norms >= 0) or (norms and not norm_count):
        yield "gradient_norm_sum", f"got {norms} of {norm_count} updates"
    if not isfinite(progress.loss_sum) or (progress.loss_sum and not progress.loss_count):
        yield "loss_sum", f"got {progress.loss_sum} of {progress.loss_count} updates"
    if not 0 <= progress.learning_rate_factor <= 1 or (progress.learning_rate_factor < 1 and not progress.skipped):
        yield "learning_rate_factor", f"got {progress.learning_rate_factor} after {progress.skipped} skipped updates"
    if (progress.best is None) != (progress.best_step == 0):
        yield "best", f"got {shown(progress.best)} at step {progress.best_step}"


def _check_schedule(state: Any, progress: Progress) -> None:
    if state == {}:
        return
    plateau = built(_Plateau, state)
    if not 0 <= plateau.factor <= 1:
        raise expected("a factor from 0 to 1", plateau.factor).within("factor")
    if plateau.best is not None and isnan(plateau.best):
        raise expected("a score", plateau.best).within("best")
    if not 0 <= plateau.stale <= progress.evaluated_step:
        raise expected(f"0 to {progress.evaluated_step}", plateau.stale).within("stale")
