"""A training run from config to run folder: locks the folder and checks changes of the config before training."""

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from lstm_cli.config.config import Config
from lstm_cli.data.formats.source import Source
from lstm_cli.data.sources import files_of
from lstm_cli.errors import ConfigError, on_one_line, shown_path
from lstm_cli.ranks import World
from lstm_cli.run.checkpoint import identity_of
from lstm_cli.run.config_changes import compare_configs
from lstm_cli.run.earlier_defaults import with_earlier_defaults
from lstm_cli.run.folder import RunFolder
from lstm_cli.run.identity import checked_config, instead_of_resuming
from lstm_cli.run.names import CHECKPOINTS, RESOLVED, SCHEMA
from lstm_cli.run.origin import check_trained
from lstm_cli.run.ownership import is_run, owner, same
from lstm_cli.signals import Signals
from lstm_cli.training.events import Result
from lstm_cli.training.sinks.sink import Sink, closed_at_end
from lstm_cli.training.sinks.tracking import connected
from lstm_cli.training.starting import KEY, Start, source_folder, started_from

if TYPE_CHECKING:
    from lstm_cli.training.job import Job

RESUMED = b"resumed"  # what rank 0 tells the others of a run that it continues


def train_into_folder(
    config: Config,
    folder: Path,
    *,
    sinks: Sequence[Sink] = (),
    resume: bool | Literal["auto"] = False,
    overwrite: bool = False,
    world: World | None = None,
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
    world : World
        The ranks that train together; None: this process alone.

    Raises
    ------
    ConfigError, DataError, CheckpointError, DiskError, RunBusy, Diverged, Interrupted
    """
    world = World() if world is None else world
    if world.rank:
        return _follow(config, folder, world)
    with Signals() as signals, ExitStack() as sinks_closed:
        for sink in sinks:
            sinks_closed.enter_context(closed_at_end(sink))
        with world.agreed():
            if overwrite:
                _spare_inputs(config, folder)
            if resume == "auto":
                resume = is_run(folder)
            if resume:
                check_trained(folder)
            run = RunFolder.resume(folder) if resume else RunFolder.create(folder, overwrite=overwrite)
        world.broadcast(RESUMED if resume else b"")
        _share_cores(world)
        with run, sinks_closed.pop_all():  # sinks may write into the folder while it is locked
            return _train(config, run, signals, sinks, resume=resume, world=world)


def _follow(config: Config, folder: Path, world: World) -> Result:
    """Train along with rank 0, which has taken the folder, and alone writes into it and shows progress."""
    with Signals() as signals:
        with world.agreed():
            pass  # rank 0 takes the folder
        resume = world.broadcast(b"") == RESUMED
        _share_cores(world)
        with world.agreed(), signals.at_once():
            config, start = started_from(config, folder)
            config, _, _ = _resumed(folder, config) if resume else (config, [], [])
            job = _opened(config, start, folder, world, resume=resume)
        from lstm_cli.training.following import follow

        follow(job, signals)
    return Result(folder, job.progress.best_step, {})


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


def _train(
    config: Config, run: RunFolder, signals: Signals, sinks: Sequence[Sink], *, resume: bool, world: World
) -> Result:
    """Open the data, build the job and train; until then a signal ends the run at once."""
    with ExitStack() as stack:
        with world.agreed(), signals.at_once():
            config, start = started_from(config, run.path)
            config, changes, warnings = _resumed(run.path, config) if resume else (config, [], [])
            run.warnings += warnings
            tracking = stack.enter_context(closing(connected(config, run.path)))
            job = _opened(config, start, run.path, world, resume=resume)
            from lstm_cli.training.checkpointing import run_training

        return run_training(run, job, signals, sinks=sinks, resume=resume, changes=changes, tracking=tracking)


def _opened(config: Config, start: Start, folder: Path, world: World, *, resume: bool) -> "Job":
    """Return the job of a run at its start, with the data that its config names."""
    # PyTensor takes a second to import: a refused config, bad data or a signal need not wait for it.
    from lstm_cli.engine.memory import open_checked_data

    data = open_checked_data(config, precision=_precision(folder, config) if resume else None, base=start.base)

    from lstm_cli.engine.threads import use_threads
    from lstm_cli.training.session import build_job

    use_threads(config.threads)
    job = build_job(data, start)
    job.world = world
    return job


def _share_cores(world: World) -> None:
    """Give each rank of a machine its share of the cores, before there are threads."""
    if world.size > 1:
        from lstm_cli.engine.threads import cores

        world.share_cores(cores())


def _precision(run: Path, config: Config) -> str | None:
    """Return the precision of the data that a run was started with, if the run got that far.

    Old runs read everything in single precision; a resumed run must read the same numbers.
    """
    from lstm_cli.data import load_schema

    return load_schema(run, config).precision if all((run / name).is_file() for name in SCHEMA) else None


def _resumed(run: Path, config: Config) -> tuple[Config, list[str], list[str]]:
    """Return the config to continue a run with, and for the user: its allowed changes, and warnings.

    What it does not set stays as it was when the run was started, where the default has changed since.
    """
    resolved = run / RESOLVED
    if not os.path.lexists(resolved):
        return config, [], []
    saved = [identity for name in CHECKPOINTS if (identity := identity_of(run / name))]
    before, warnings = checked_config(resolved, saved)
    config = with_earlier_defaults(config, before)
    changes = compare_configs(*(config.model_dump(mode="json") for config in (before, config)))
    if changes.refused:
        listing = "\n".join(f"  {on_one_line(change)}" for change in changes.refused)
        raise ConfigError(
            f"{run}: cannot be resumed with these keys changed:\n{listing}\n"
            f"give these keys their old values, or {instead_of_resuming(run)}"
        )
    return config, [f"changed since the run was started: {change}" for change in changes.allowed], warnings
