"""A run put together: config and data in, a job for the loop out; and a job's state as a checkpoint keeps it."""

import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from lstm_cli.config.config import Config
from lstm_cli.data import Batches, Data, Schema, training_batches, valid_batches
from lstm_cli.errors import CheckpointError
from lstm_cli.graph.model import Model
from lstm_cli.graph.plan import Sizes
from lstm_cli.graph.rollout import ClosedLoop
from lstm_cli.kernels.runtime.threads import set_threads
from lstm_cli.ops.mode import exclusive
from lstm_cli.optim.schedules import auto_warmup, schedule
from lstm_cli.run.checkpoint import State, check_matches
from lstm_cli.training.agreement import check_agreement
from lstm_cli.training.closed_loop import Code, build_loop, try_system
from lstm_cli.training.loop import Job, Progress
from lstm_cli.training.metrics import accumulator
from lstm_cli.training.step import Evaluator, Trainer


@exclusive
def use_threads(threads: int | str) -> None:
    """Set how many threads the kernels use; libraries beside them get one, as threads inside threads thrash."""
    threadpool_limits(1)
    set_threads(thread_count(threads))


def thread_count(threads: int | str) -> int:
    """Return how many threads the config's `threads` means here."""
    return physical_cores() if threads == "auto" else int(threads)


def physical_cores() -> int:
    """Return how many cores this process may use, counting hyper-threads of one core once where the system tells."""
    allowed = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1)
    return len({_core(processor) for processor in allowed})


def _core(processor: int) -> str:
    try:
        return Path(f"/sys/devices/system/cpu/cpu{processor}/topology/thread_siblings_list").read_text()
    except OSError:
        return str(processor)


def sizes(schema: Schema) -> Sizes:
    """Return what the data fixes of a model's shape."""
    tokens = {name: len(vocabulary) for name, vocabulary in schema.tokens.items()}
    return Sizes(schema.numeric_size, tokens, schema.target.size, schema.target.per)


@exclusive
def build_model(config: Config, schema: Schema, code: Code | None = None) -> Model:
    """Return the model of the config for the data's schema, with its starting weights.

    `code` is the file of the system that is driven, where there is one.
    """
    if config.rollout is None:
        model = Model(config.model, sizes(schema), seed=config.seed, dtype=config.precision)
    else:
        model = build_loop(config, schema, sizes(schema), code)
    model.threads = thread_count(config.threads)
    return model


def build_job(config: Config, data: Data) -> Job:
    """Return a job at its start."""
    check_agreement(config, data.schema)
    code = Code.of(config) if config.rollout is not None and config.rollout.dynamics else None
    model, target = build_model(config, data.schema, code), data.schema.target
    if isinstance(model, ClosedLoop):
        try_system(config, model, data.train)
    consumes = accumulator(target.kind, size=target.size, is_next=target.is_next).consumes
    batches = training_batches(config, data.train)
    forcing = None if config.rollout is None else config.rollout.teacher_forcing
    return Job(
        config=config,
        trainer=Trainer(model, target.kind, config.loss, config.optimizer, forcing),
        evaluator=Evaluator(model, target.kind, config.loss, consumes=consumes),
        batches=batches,
        valid=None if data.valid is None else valid_batches(config, data.valid),
        schedule=schedule(config.train.schedule, total_steps(config, batches)),
        progress=Progress(),
        code=code,
    )


def total_steps(config: Config, batches: Batches) -> int:
    """Return how many updates a run makes if nothing stops it early."""
    return -(-batches.count(0) // config.train.accumulate) * config.train.epochs


def notes_on_schedule(job: Job) -> list[str]:
    """Return what a user should know of the schedule: that most of the run would be its warm-up."""
    total, warmup = total_steps(job.config, job.batches), job.schedule.warmup
    if 2 * warmup <= total:
        return []
    fix = f"set it to auto ({auto_warmup(total)} here), or train for more epochs"
    return [f"train.schedule.warmup: {warmup:,} updates, of {total:,} in the whole run: {fix}"]


def state_of(job: Job, identity: dict[str, Any]) -> State:
    """Return everything that a run needs to go on from here as if it had never stopped."""
    return State(
        model=job.trainer.model.parameters.values(),
        optimizer={name: shared.get_value() for name, shared in job.trainer.optimizer.state.items()},
        carried={} if job.carried is None else {"state": job.carried},
        position={**asdict(job.progress), "schedule": job.schedule.state},
        identity=identity,
    )


def restore(job: Job, state: State) -> None:
    """Bring a job to where a state was taken.

    Raises
    ------
    CheckpointError
        The state is of another model or optimizer; the message names every array that differs.
    """
    restore_weights(job.trainer.model, state)
    shareds = job.trainer.optimizer.state
    held = {name: shared.get_value(borrow=True) for name, shared in shareds.items()}
    check_matches(state, _expected(held), "optimizer")
    for name, shared in shareds.items():
        shared.set_value(state.optimizer[name], borrow=True)
    position = dict(state.position)
    try:
        job.schedule.state.update(position.pop("schedule"))
        job.progress = Progress(**position)
    except (LookupError, TypeError, ValueError) as error:
        raise CheckpointError(f"the checkpoint's position is not one that this version knows: {error}") from None
    job.carried = state.carried.get("state")


def restore_weights(model: Model, state: State) -> None:
    """Take over the weights of a checkpoint."""
    check_matches(state, _expected(model.parameters.values()))
    model.parameters.set_values(state.model)


def _expected(arrays: dict[str, np.ndarray]) -> dict[str, tuple[tuple[int, ...], Any]]:
    return {name: (array.shape, array.dtype) for name, array in arrays.items()}
