"""A session of a run: builds the job of the training loop from config and data; saves and restores its state."""

from dataclasses import asdict
from typing import Any

from lstm_cli.config.config import Config
from lstm_cli.data import Batches, Data, Split, evaluation_batches
from lstm_cli.engine.build import build_model, restore_weights, shapes
from lstm_cli.engine.evaluator import Evaluator
from lstm_cli.engine.system import Code, try_system
from lstm_cli.engine.trainer import Trainer
from lstm_cli.errors import CheckpointError
from lstm_cli.optim.schedules import auto_warmup, schedule
from lstm_cli.run.checkpoint import State, check_matches
from lstm_cli.training.agreement import check_agreement
from lstm_cli.training.job import Job, Progress, total_steps


def build_job(config: Config, data: Data) -> Job:
    """Return a job at its start."""
    check_agreement(config, data.schema)
    code, target = Code.of(config), data.schema.target
    model = build_model(config, data.schema, code)
    try_system(config, model, data.train)
    batches = data.batches["train"]
    forcing = None if config.rollout is None else config.rollout.teacher_forcing
    return Job(
        config=config,
        data=data,
        trainer=Trainer(model, target.kind, config.loss, config.optimizer, forcing),
        evaluator=Evaluator.of(model, target, config.loss),
        batches=batches,
        valid=data.batches.get("valid"),
        scored=_scored(config, data),
        schedule=schedule(config.train.schedule, total_steps(config, batches)),
        progress=Progress(),
        code=code,
    )


def _scored(config: Config, data: Data) -> dict[Split, Batches]:
    """Return the batches in which every split is scored exactly; except for train, a run usually has them already."""
    scored = {**data.batches, "train": evaluation_batches(config, data.train)}
    if data.valid is not None and config.train.valid_streams is not None:
        scored["valid"] = evaluation_batches(config, data.valid)
    return scored


def notes_on_schedule(job: Job) -> list[str]:
    """Return notes on the schedule for the user: that most of the run would be warm-up."""
    total, warmup = job.total_steps, job.schedule.warmup
    if 2 * warmup <= total:
        return []
    fix = f"set it to auto ({auto_warmup(total)} here), or train for more epochs"
    return [f"train.schedule.warmup: {warmup:,} updates, of {total:,} in the whole run: {fix}"]


def state_of(job: Job, identity: dict[str, Any]) -> State:
    """Return everything that a run needs to continue as if it had never stopped."""
    return State(
        model=job.trainer.model.parameters.values(),
        optimizer={name: shared.get_value() for name, shared in job.trainer.optimizer.state.items()},
        carried={} if job.carried is None else {"state": job.carried},
        position={**asdict(job.progress), "schedule": job.schedule.state},
        identity=identity,
    )


def restore(job: Job, state: State) -> None:
    """Restore a job to the state.

    Raises
    ------
    CheckpointError
        The state belongs to another model or optimizer; the message names every array that differs.
    """
    restore_weights(job.trainer.model, state)
    shareds = job.trainer.optimizer.state
    check_matches(state, shapes({name: shared.get_value(borrow=True) for name, shared in shareds.items()}), "optimizer")
    for name, shared in shareds.items():
        shared.set_value(state.optimizer[name], borrow=True)
    position = dict(state.position)
    try:
        job.schedule.state.update(position.pop("schedule"))
        job.progress = Progress(**position)
    except (LookupError, TypeError, ValueError) as error:
        fix = "start again with --overwrite, or a new run with -o"
        raise CheckpointError(f"this version cannot read the checkpoint's position ({error}): {fix}") from None
    job.carried = state.carried.get("state")
