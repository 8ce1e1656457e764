"""A session of a run: builds the job of the training loop from config and data; saves and restores its state."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from lstm_cli.config.config import Config
from lstm_cli.data import Batches, Data, Length, Split, evaluation_batches
from lstm_cli.engine.build import build_model, restore_weights, shapes
from lstm_cli.engine.evaluator import Evaluator
from lstm_cli.engine.pretrained import take_vectors
from lstm_cli.engine.system import Code, try_system
from lstm_cli.engine.trainer import Trainer
from lstm_cli.errors import CheckpointError, DataError, counted, listed
from lstm_cli.graph.groups import rate_factors
from lstm_cli.optim.build import check_optimizer
from lstm_cli.optim.schedules import schedule
from lstm_cli.run.checkpoint import State, check_matches
from lstm_cli.run.identity import instead_of_resuming
from lstm_cli.run.names import DYNAMICS, POSITION, STATE
from lstm_cli.training.job import Job, Progress
from lstm_cli.training.length import notes_on_length
from lstm_cli.training.position import position_of, restore_position
from lstm_cli.training.starting import Start, take_weights
from lstm_cli.typed_json import WrongValue

_FIX = "start again with --overwrite, or a new run with -o"


def build_job(data: Data, start: Start | None = None) -> Job:
    """Return a job at its start, of data that `open_checked_data` has compared with its config.

    `start` is what the run starts from; None: from initial weights, or those of its own checkpoint.
    """
    config, target = data.config, data.schema.target
    code = Code.of(config)
    model = build_model(config, data.schema, code)
    try_system(config, model, data.train)
    batches = data.batches["train"]
    evaluator = Evaluator.of(model, target, config.loss)
    length = Length.of(config, batches)
    forcing = None if config.rollout is None else config.rollout.teacher_forcing
    freeze, average = config.train.freeze, config.train.average
    trainer = Trainer(model, evaluator.objective, config.optimizer, forcing, freeze=freeze, average=average)
    job = Job(
        config=config,
        data=data,
        trainer=trainer,
        evaluator=evaluator,
        batches=batches,
        valid=data.batches.get("valid"),
        scored=_scored(config, data),
        length=length,
        schedule=schedule(config.train.schedule, length.updates),
        progress=Progress(),
        code=code,
    )
    if start is not None:
        job.notes += start.notes
        if config.model.pretrained and not start.continues:
            notes, job.vectors = take_vectors(model, config, data.schema)
            job.notes += notes
        if start.saved is not None:
            take_weights(job, start.saved)
    return job


def _scored(config: Config, data: Data) -> dict[Split, Batches]:
    """Return the batches in which every split is scored exactly; except for train, a run usually has them already."""
    scored = {**data.batches, "train": evaluation_batches(config, data.train)}
    if data.valid is not None and config.train.valid_streams is not None:
        scored["valid"] = evaluation_batches(config, data.valid)
    return scored


def notes_of(job: Job) -> tuple[str, ...]:
    """Return the notes for the user: on the weights, the data, and the length of the run."""
    return (
        *job.notes,
        *_notes_on_network(job.data),
        *notes_on_weights(job),
        *job.data.notes,
        *notes_on_length(job.config, job.batches, job.length, job.schedule.warmup),
    )


def _notes_on_network(data: Data) -> Iterator[str]:
    """Yield what was chosen from the data."""
    if data.chosen:
        shown = ", ".join(f"{key}: {str(value).lower()}" for key, value in data.chosen.items())
        yield f"model: {shown}: chosen from the data, as model.layers is not given"


def notes_on_weights(job: Job) -> Iterator[str]:
    """Yield notes on weights that are frozen or averaged."""
    train, parameters = job.config.train, job.trainer.model.parameters
    if train.freeze:
        factors = rate_factors(parameters.parameters, train.freeze, {})
        trained = sum(parameter.size for parameter in parameters.parameters if factors[parameter.name])
        yield f"train.freeze: {trained:,} of {counted(parameters.size, 'weight')} are trained"
    if train.average is not None:
        what = "scores of valid and test, best/ and predictions are those of the averaged weights"
        yield f"train.average: {what}, the training loss is not"


def state_of(job: Job, identity: dict[str, Any]) -> State:
    """Return everything that a run needs to continue as if it had never stopped."""
    weights, optimizer = job.trainer.saved()
    return State(
        model=weights,
        optimizer=optimizer,
        carried={} if job.carried is None else {"state": job.carried},
        position=position_of(job),
        identity=identity,
    )


def check_code(job: Job, run: Path, saved: Mapping[str, bytes] | None) -> None:
    """Raise a `DataError` if the code of the driven system is not that of the run to resume."""
    if job.code is not None and saved is not None and saved.get(DYNAMICS) != job.code.content:
        raise DataError(
            f"{run}: cannot be resumed, as {job.code.path} has changed since the run was started "
            f"({run / DYNAMICS} is the original): restore it, or {instead_of_resuming(run)}"
        )


def restore(job: Job, state: State, folder: Path) -> None:
    """Restore a job to the state that was read from a folder.

    Raises
    ------
    CheckpointError
        The state belongs to another model or optimizer, and the message names every array that differs; or it holds
        what no run can have saved.
    """
    try:
        restore_weights(job.trainer.model, state)
        check_matches(state, shapes(job.trainer.saved()[1]), "optimizer")
    except CheckpointError as error:
        raise CheckpointError(f"{folder}: damaged, or of another version: {error}\n{_FIX}") from None
    try:
        restore_position(job, state.position)
    except WrongValue as error:
        what = f"damaged, so that this version cannot read the checkpoint's position ({error})"
        raise CheckpointError(f"{folder / POSITION}: {what}: {_FIX}") from None
    try:
        check_optimizer(state.optimizer, job.progress.step)
        job.carried = _carried(job, state.carried)
    except WrongValue as error:
        raise CheckpointError(f"{folder / STATE}: damaged: {error}: {_FIX}") from None
    job.trainer.restore(state.optimizer)


def _carried(job: Job, arrays: Mapping[str, np.ndarray]) -> np.ndarray | None:
    """Return the carried state (B, S), from which the next batch continues that of the batch before it."""
    progress, array, model = job.progress, arrays.get("state"), job.trainer.model
    if arrays.keys() - {"state"}:
        raise WrongValue(f"expected one array, state, got {listed(sorted(arrays))}", "carried")
    if not (job.config.data.carry_state and progress.batch):
        if array is not None:
            raise WrongValue("nothing is carried here", "carried.state")
        return None
    before = next(job.batches.epoch(progress.epoch, start=progress.batch - 1))
    if array is None:
        if before.carry is not None and not progress.skipped:  # an update that is skipped carries nothing
            raise WrongValue("missing", "carried.state")
        return None
    shape = (len(before.lengths), model.state_size)
    if array.shape != shape or array.dtype != model.dtype:
        got = f"{array.dtype}{list(array.shape)}"
        raise WrongValue(f"expected {model.dtype}{list(shape)}, got {got}", "carried.state")
    return array
