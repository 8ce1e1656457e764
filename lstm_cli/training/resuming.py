"""Continuing a run from its folder alone, whose config says where the data is."""

import os
import shlex
from collections.abc import Sequence
from pathlib import Path

from lstm_cli.config.config import Config
from lstm_cli.errors import ConfigError, on_one_line
from lstm_cli.run.ensemble import kind_of
from lstm_cli.run.names import CHECKPOINTS, RESOLVED
from lstm_cli.run.origin import check_files, check_trained, config_of, origin_of
from lstm_cli.run.ownership import is_run, same


def run_at(config: str | Path) -> Path | None:
    """Return the run folder that is given in place of a config, or whose checkpoint is; None for all else."""
    path = Path(config)
    if str(config) == "-" or not path.is_dir():
        return None
    if (kind := kind_of(path)) is not None:
        fix = f"continue it with its config, {kind.option} N and --resume"
        raise ConfigError(f"{on_one_line(path)}: holds {kind.name}: {fix}")
    return next((place for place in (path, *([path.parent] * (path.name in CHECKPOINTS))) if is_run(place)), None)


def own_config(
    given: Path, overrides: Sequence[str] = (), folder: str | Path | None = None, *, resume: bool
) -> tuple[Config, Path]:
    """Return the config of a run to continue, and its folder.

    Parameters
    ----------
    given
        What is given in place of a config; `run_at` returns a folder for it.
    overrides
        ``KEY=VALUE``, as on the command line.
    folder
        The run folder if one is named beside it.
    resume
        Whether the run is to be continued: nothing else can be done with its folder alone.

    Raises
    ------
    ConfigError
        This is not the run's folder, another folder is named, or the run would execute code.
    CheckpointError, DataError
        The folder is damaged or of an earlier version; the data has moved.
    """
    run = run_at(given) or given
    shown = on_one_line(given)
    if run != given:
        raise ConfigError(f"{shown}: is a checkpoint of a run (did you mean {on_one_line(run)}?)")
    if not resume:
        raise ConfigError(f"{shown}: holds a run, expected a YAML config: give one, or continue the run with --resume")
    if folder is not None and not same(run, Path(folder)):
        raise ConfigError(f"-o {on_one_line(folder)}: {shown} is continued in its own folder: leave -o out")
    if not os.path.lexists(run / RESOLVED):
        raise ConfigError(f"{shown}: the run was stopped before it was described: start it with its config")
    check_trained(run)
    origin = origin_of(run)
    path = "CONFIG.yaml" if origin is None or origin.path is None else origin.path
    otherwise = f"name its config: lstm-train {shlex.quote(path)} -o {shlex.quote(str(run))} --resume"
    config = config_of(run, overrides, otherwise=otherwise)
    if config.rollout is not None and config.rollout.dynamics is not None:
        raise ConfigError(f"{shown}: drives a system, and the code of a run folder alone is not run: {otherwise}")
    check_files(run, config, otherwise=otherwise)
    return config, run
