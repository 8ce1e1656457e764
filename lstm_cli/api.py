"""Training from Python: ``lstm_cli.train``, and ``lstm_cli.train_run`` for a config that is loaded already."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from lstm_cli.config import Config, config_from_mapping, load_config
from lstm_cli.config.given import given_keys
from lstm_cli.ranks.joining import joined
from lstm_cli.report.report import Report
from lstm_cli.training.events import Result
from lstm_cli.training.resuming import own_config, run_at
from lstm_cli.training.run import train_into_folder
from lstm_cli.training.sinks import Sink, console

if TYPE_CHECKING:
    from lstm_cli.training.check_text import Check


def train(
    config: str | Path | Mapping[str, Any] | Config,
    overrides: Sequence[str] = (),
    *,
    run: str | Path | None = None,
    sinks: Sequence[Sink] = (),
    resume: bool | Literal["auto"] = False,
    overwrite: bool = False,
    verbosity: int = 0,
) -> Result:
    """Train the network that a config describes, as ``lstm-train`` does.

    Parameters
    ----------
    config : str, Path, mapping or Config
        A YAML file, or a mapping with its contents, whose paths are relative to the current folder; to resume, the
        folder of the run too.
    overrides : sequence of str
        ``KEY=VALUE``, as on the command line.
    run : str or Path, optional
        The run folder; by default ``runs/`` and the name of the config file, or ``runs/config``.
    sinks : sequence of Sink
        They receive every event of the run (`lstm_cli.events`), after the run's own files; see `lstm_cli.Sink`.
    resume : bool or "auto"
        Continue the run in the folder exactly where it stopped; ``"auto"``: or start it where there is none.
    overwrite : bool
        Replace the run in the folder.
    verbosity : int
        What is shown on stderr: -1 warnings only, 0 progress, 1 more.

    Returns
    -------
    result : Result
        The run's folder, for `lstm_cli.load`, and the step and the scores of its best state.

    Examples
    --------
    >>> result = lstm_cli.train("configs/quickstart.yaml", ["train.epochs=5"], run="runs/short")
    >>> result.scores["test"]["accuracy"]
    0.83
    """
    with joined().agreed():
        if isinstance(config, str | Path) and run_at(config) is not None:
            settings, run = own_config(Path(config), overrides, run, resume=bool(resume))
        else:
            settings = _settings(config, overrides)
    return train_run(settings, run, sinks=sinks, resume=resume, overwrite=overwrite, verbosity=verbosity)


def train_run(
    config: Config,
    folder: str | Path | None = None,
    *,
    sinks: Sequence[Sink] = (),
    resume: bool | Literal["auto"] = False,
    overwrite: bool = False,
    verbosity: int = 0,
) -> Result:
    """Train the network of a loaded config into a run folder, write a report and show progress on stderr.

    Parameters
    ----------
    config : Config
    folder : str or Path, optional
        The run folder, by default ``runs/`` and the name of the config file: a new one, or with `resume` that of a run
        to continue exactly where it stopped.
    sinks, resume, overwrite, verbosity
        As for `train`.

    Raises
    ------
    ConfigError, DataError, CheckpointError, DiskError, RunBusy, Diverged, Interrupted
    """
    path = Path("runs") / config.source.name if folder is None else Path(folder)
    shown = [] if sys.stderr is None else [console(sys.stderr, verbosity)]  # closed when the process started
    sinks, world = (Report(), *shown, *sinks), joined()
    if world.rank:
        sinks = ()
    return train_into_folder(config, path, sinks=sinks, resume=resume, overwrite=overwrite, world=world)


def check(config: str | Path | Mapping[str, Any] | Config, overrides: Sequence[str] = ()) -> "Check":
    """Look at what a config describes before training, as ``lstm check`` does. Writes nothing.

    Parameters
    ----------
    config, overrides
        As for `train`.

    Returns
    -------
    found : lstm_cli.training.check_text.Check
        The data as understood, scores of naive predictors, the model, and the time and memory of the largest batch.
        As text it is what the command prints; ``to_json`` returns plain values.

    Raises
    ------
    ConfigError, DataError, Diverged

    Examples
    --------
    >>> found = lstm_cli.check("configs/quickstart.yaml")
    >>> found.labels["tap"]
    78
    """
    from lstm_cli.training.check import check as check_run

    return check_run(_settings(config, overrides))


def _settings(config: str | Path | Mapping[str, Any] | Config, overrides: Sequence[str]) -> Config:
    if isinstance(config, str | Path):
        return load_config(config, overrides)
    if isinstance(config, Mapping):
        return config_from_mapping(config, overrides=overrides)
    if not overrides:
        return config
    return config_from_mapping(given_keys(config), config.source.folder, overrides)
