"""A training run from config to run folder: who may write there and what may change, before the long work begins."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from lstm_cli.config import load_resolved
from lstm_cli.config.config import Config
from lstm_cli.errors import ConfigError
from lstm_cli.run.compatibility import compare_configs
from lstm_cli.run.folder import RunFolder
from lstm_cli.run.names import RESOLVED, SCHEMA
from lstm_cli.signals import Signals
from lstm_cli.training.events import Result
from lstm_cli.training.sinks.sink import Sink


def train_into_folder(
    config: Config, folder: Path, *, sinks: Sequence[Sink] = (), resume: bool = False, overwrite: bool = False
) -> Result:
    """Train the model of a config into a run folder.

    Parameters
    ----------
    config : Config
    folder : Path
        The run folder: a new one, or with `resume` that of a run to continue exactly where it stopped.
    sinks : sequence of Sink
        What takes the events besides the files of the run. They are closed at the end, whatever happens.
    resume, overwrite : bool
        Continue the run in the folder; replace it.

    Raises
    ------
    ConfigError, DataError, CheckpointError, DiskError, RunBusy, Diverged, Interrupted
    """
    with Signals() as signals, ExitStack() as sinks_closed:
        for sink in sinks:
            sinks_closed.callback(sink.close)
        run = RunFolder.resume(folder) if resume else RunFolder.create(folder, overwrite=overwrite)
        with run, sinks_closed.pop_all():  # they may write into the folder as long as it is ours
            return _train(config, run, signals, sinks, resume=resume)


def _train(config: Config, run: RunFolder, signals: Signals, sinks: Sequence[Sink], *, resume: bool) -> Result:
    """Open the data, build the job and train; until then a signal ends the run at once."""
    with signals.at_once():
        changes = _changes(run.path, config) if resume else []
        # PyTensor takes a second to import: who may not write here, has bad data or stops us does not wait for it.
        from lstm_cli.engine.memory import open_checked_data

        data = open_checked_data(config, precision=_precision(run.path) if resume else None)

        from lstm_cli.engine.threads import use_threads
        from lstm_cli.training.checkpointing import run_training
        from lstm_cli.training.session import build_job

        use_threads(config.threads)
        job = build_job(config, data)
    return run_training(run, job, signals, sinks=sinks, resume=resume, changes=changes)


def _precision(run: Path) -> str | None:
    """Return the precision of the data that a run was started with, if the run got that far.

    Old runs read everything in single precision; a resumed run must see what it saw then.
    """
    from lstm_cli.data import load_schema

    return load_schema(run).precision if all((run / name).is_file() for name in SCHEMA) else None


def _changes(run: Path, config: Config) -> list[str]:
    """Compare the config with the one that the run was started with; return what has changed and may."""
    resolved = run / RESOLVED
    if not resolved.is_file():
        return []
    before = load_resolved(resolved)  # not as it stands: keys that its version did not know get their defaults
    changes = compare_configs(*(config.model_dump(mode="json") for config in (before, config)))
    if changes.refused:
        listing = "\n".join(f"  {change}" for change in changes.refused)
        raise ConfigError(
            f"{run}: cannot be resumed with these keys changed:\n{listing}\n"
            f"give these keys their old values, or start a new run with -o"
        )
    return [f"changed since the run was started: {change}" for change in changes.allowed]
