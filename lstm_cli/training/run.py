"""A training run from config to run folder: locks the folder and checks changes of the config before training."""

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Literal

from lstm_cli.config.config import Config
from lstm_cli.data.formats.source import Source
from lstm_cli.data.sources import files_of
from lstm_cli.errors import ConfigError, on_one_line, shown_path
from lstm_cli.run.checkpoint import identity_of
from lstm_cli.run.config_changes import compare_configs
from lstm_cli.run.earlier_defaults import with_earlier_defaults
from lstm_cli.run.folder import RunFolder
from lstm_cli.run.identity import checked_config, instead_of_resuming
from lstm_cli.run.names import RESOLVED, SCHEMA
from lstm_cli.run.origin import check_trained
from lstm_cli.run.ownership import is_run, owner, same
from lstm_cli.signals import Signals
from lstm_cli.training.events import Result
from lstm_cli.training.sinks.sink import Sink, closed_at_end
from lstm_cli.training.sinks.tracking import connected
from lstm_cli.training.starting import KEY, source_folder, started_from


def train_into_folder(
    config: Config,
    folder: Path,
    *,
    sinks: Sequence[Sink] = (),
    resume: bool | Literal["auto"] = False,
    overwrite: bool = False,
) -> Result:
    """Train the model of a config into a run folder.

    Parameters
    ----------
    config : Config
    folder : Path
        The run folder: a new one, or with `resume` that of a run to continue exactly where it stopped.
    sinks : sequence of Sink
        Receive the events after the files of the run. They are always closed at the end.
    resume : bool or "auto"
        Continue the run in the folder; ``"auto"``: if there is one.
    overwrite : bool
        Replace it.

    Raises
    ------
    ConfigError, DataError, CheckpointError, DiskError, RunBusy, Diverged, Interrupted
    """
    with Signals() as signals, ExitStack() as sinks_closed:
        for sink in sinks:
            sinks_closed.enter_context(closed_at_end(sink))
        if overwrite:
            _spare_inputs(config, folder)
        if resume == "auto":
            resume = is_run(folder)
        if resume:
            check_trained(folder)
        run = RunFolder.resume(folder) if resume else RunFolder.create(folder, overwrite=overwrite)
        with run, sinks_closed.pop_all():  # sinks may write into the folder while it is locked
            return _train(config, run, signals, sinks, resume=resume)


def _spare_inputs(config: Config, folder: Path) -> None:
    """Refuse to remove a run while a file that the new one reads is missing, or would be removed with it."""
    for key, path in _inputs(config):
        if not path.exists():
            raise Source(path, base="the config's folder").absent()
        made_for = owner(path)
        if made_for is not None and same(made_for, folder):
            fix = "copy it to another place, or choose another folder with -o"
            raise config.error(key, f"{shown_path(path)} belongs to the run that --overwrite would remove: {fix}")


def _inputs(config: Config) -> Iterator[tuple[str, Path]]:
    """Yield each file that the config names, with its key."""
    if config.train.init_from is not None:
        yield KEY, source_folder(config) / RESOLVED
    for key in ("train", "valid", "test"):
        given = getattr(config.data, key)
        if isinstance(given, str | list):
            yield from ((f"data.{key}", path) for path in files_of(config, f"data.{key}", given))
    if config.rollout is not None and config.rollout.dynamics is not None:
        yield "rollout.dynamics", config.source.resolve(config.rollout.dynamics.rpartition(":")[0])


def _train(config: Config, run: RunFolder, signals: Signals, sinks: Sequence[Sink], *, resume: bool) -> Result:
    """Open the data, build the job and train; until then a signal ends the run at once."""
    with ExitStack() as stack:
        with signals.at_once():
            config, start = started_from(config, run.path)
            config, changes = _resumed(run, config) if resume else (config, [])
            tracking = stack.enter_context(closing(connected(config, run.path)))
            # PyTensor takes a second to import: a refused config, bad data or a signal need not wait for it.
            from lstm_cli.engine.memory import open_checked_data

            data = open_checked_data(
                config, precision=_precision(run.path, config) if resume else None, base=start.base
            )

            from lstm_cli.engine.threads import use_threads
            from lstm_cli.training.checkpointing import run_training
            from lstm_cli.training.session import build_job

            use_threads(config.threads)
            job = build_job(data, start)
        return run_training(run, job, signals, sinks=sinks, resume=resume, changes=changes, tracking=tracking)


def _precision(run: Path, config: Config) -> str | None:
    """Return the precision of the data that a run was started with, if the run got that far.

    Old runs read everything in single precision; a resumed run must read the same numbers.
    """
    from lstm_cli.data import load_schema

    return load_schema(run, config).precision if all((run / name).is_file() for name in SCHEMA) else None


def _resumed(run: RunFolder, config: Config) -> tuple[Config, list[str]]:
    """Return the config to continue a run with, and its allowed changes.

    What it does not set stays as it was when the run was started, where the default has changed since.
    """
    resolved = run.path / RESOLVED
    if not os.path.lexists(resolved):
        return config, []
    saved = [identity for folder in (run.last, run.best) if (identity := identity_of(folder))]
    before, warnings = checked_config(resolved, saved)
    run.warnings += warnings
    config = with_earlier_defaults(config, before)
    changes = compare_configs(*(config.model_dump(mode="json") for config in (before, config)))
    if changes.refused:
        listing = "\n".join(f"  {on_one_line(change)}" for change in changes.refused)
        raise ConfigError(
            f"{run.path}: cannot be resumed with these keys changed:\n{listing}\n"
            f"give these keys their old values, or {instead_of_resuming(run.path)}"
        )
    return config, [f"changed since the run was started: {change}" for change in changes.allowed]
