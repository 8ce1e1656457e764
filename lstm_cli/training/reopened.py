"""A run folder opened again to describe it: the events of its start and end, and what explains its best weights."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from lstm_cli.config.config import Config
from lstm_cli.config.given import given_yaml
from lstm_cli.data import load_schema
from lstm_cli.data.schema.following import Base
from lstm_cli.engine.build import restore_weights
from lstm_cli.engine.memory import open_checked_data
from lstm_cli.engine.threads import use_threads
from lstm_cli.errors import CheckpointError, DataError, LstmError
from lstm_cli.insight.explanation import Explanation
from lstm_cli.plain_files import read_own
from lstm_cli.predict import load
from lstm_cli.run import checkpoint
from lstm_cli.run.config_changes import flattened
from lstm_cli.run.lock import is_held
from lstm_cli.run.names import BEST, CONFIG
from lstm_cli.run.origin import check_files, config_of, imported_from, saved_config
from lstm_cli.training.ending import next_commands
from lstm_cli.training.events import Finished, Started, Stopped
from lstm_cli.training.explaining import explain
from lstm_cli.training.job import Job
from lstm_cli.training.overview import parts, started
from lstm_cli.training.session import build_job, notes_of

WITHOUT_END = "stopped without a message (killed, or by its machine or a full disk); continue with --resume"

_OTHERWISE = "see what lstm evaluate RUN DATA says"

Note = Callable[[str], None]


@dataclass(frozen=True)
class Reopened:
    """What a run folder says.

    Attributes
    ----------
    start
        The event that opened the run, as far as it is known.
    end
        How it ended; None: it is training.
    explanation
        What its best weights do; None where its data cannot be opened.
    notes
        For the user; none where its data cannot be opened.
    """

    start: Started
    end: Finished | Stopped | None
    explanation: Explanation | None
    notes: tuple[str, ...] = ()


def reopened(folder: Path, *, trust: bool, note: Note) -> Reopened:
    """Return what a run folder says, from its data too where that can be opened.

    Parameters
    ----------
    folder : Path
    trust : bool
        Allow running the code of a system that the model drives.
    note : callable
        Called with what is not known, and why.

    Raises
    ------
    CheckpointError
        The folder contains no run, or it is damaged.
    """
    config = saved_config(folder)
    end = ended(folder, config)
    if config.rollout is not None and config.rollout.dynamics is not None and not trust:
        note("the model drives a system: with --trust, which runs its code, the report has the model and more")
        return Reopened(_outline(folder, config), end, None)
    if end is not None:
        try:
            job = _job(folder)
        except LstmError as error:
            note(f"the report has no more than the run folder: {error}")
        else:
            return Reopened(started(folder, job), end, explain(job), notes_of(job))
    start = _outline(folder, config)
    if checkpoint.identity_of(folder / BEST) is not None:
        start = replace(start, model=parts(load(folder, trust=trust).network.model))
    return Reopened(start, end, None)


def explained(folder: Path, *, trust: bool, note: Note) -> Explanation | None:
    """Return what a run's best weights do; None where its data cannot be opened, or code would have to be trusted."""
    config = saved_config(folder)
    if config.rollout is not None and config.rollout.dynamics is not None and not trust:
        note("the model drives a system: with --trust, which runs its code, the report explains more")
        return None
    try:
        return explain(_job(folder))
    except LstmError as error:
        note(f"the report does not explain the model: {error}")
        return None


def _job(folder: Path) -> Job:
    """Return the job of a run with its best weights.

    Raises
    ------
    LstmError
        There are none yet, or the data cannot be opened, or is not that of the run.
    """
    best = checkpoint.load(folder / BEST)
    config = config_of(folder, otherwise=_OTHERWISE)
    check_files(folder, config, otherwise=_OTHERWISE)
    use_threads(config.threads)
    precision, base = load_schema(folder, config).precision, Base.of_itself(folder, config)
    data = open_checked_data(config, precision=precision, base=base)
    job = build_job(data)
    for split, digest in best.identity.get("data", {}).items():
        if split in job.scored and job.scored[split].dataset.digest() != digest:
            raise DataError(f"{folder}: the sequences of data.{split} have changed since the run was trained")
    restore_weights(job.trainer.model, best)
    return job


def ended(folder: Path, config: Config) -> Finished | Stopped | None:
    """Return how a run ended, by its last state; None: it is training."""
    if is_held(folder):
        return None
    if source := imported_from(folder):
        return Stopped(0, f"made by lstm import of {Path(source).name}; nothing was trained")
    found = checkpoint.load_newest(folder)
    if found is None:
        return Stopped(0, WITHOUT_END)
    step, epoch, stale = (_count(found, name) for name in ("step", "epoch", "stale"))
    early = config.train.patience is not None and stale >= config.train.patience
    epochs = _epochs(found, config)
    if early or epoch >= epochs:
        return Finished(step, epoch, early=epoch < epochs)
    return Stopped(step, f"stopped after step {step:,}; continue with --resume")


def _total_steps(found: checkpoint.Found | None, config: Config) -> int:
    """Return the number of updates of a whole run, from a state at the end of an epoch; of another one the steps."""
    step, epoch, batch = (_count(found, name) for name in ("step", "epoch", "batch"))
    return step // epoch * _epochs(found, config) if epoch and not batch else step


def _epochs(found: checkpoint.Found | None, config: Config) -> int:
    """Return the number of epochs in all: where the data decides, a state holds it."""
    return _count(found, "epochs") if config.train.epochs == "auto" else config.train.epochs


def _count(found: checkpoint.Found | None, name: str) -> int:
    """Return a count of a state's position; 0 where there is none."""
    value = None if found is None else found.state.position.get(name)
    return value if isinstance(value, int) else 0


def _outline(folder: Path, config: Config) -> Started:
    """Return what the files of a run say of its start, without its data and its model."""
    found = checkpoint.load_newest(folder)
    try:
        config._source = replace(config.source, text=read_own(folder / CONFIG).decode())
        schema = load_schema(folder, config)
    except (OSError, UnicodeDecodeError, CheckpointError):
        schema = None
    return Started(
        folder=folder,
        epochs=_epochs(found, config),
        total_steps=_total_steps(found, config),
        monitor=config.train.monitor,
        settings={key: str(value) for key, value in flattened(config.model_dump(mode="json"))},
        config_set=given_yaml(config),
        next_commands=() if schema is None else next_commands(folder, config, schema),
    )
