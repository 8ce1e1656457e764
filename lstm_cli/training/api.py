"""Training from Python: ``lstm_cli.train``."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lstm_cli.config import Config, config_from_mapping, load_config
from lstm_cli.training.events import Result
from lstm_cli.training.run import train_run


def train(
    config: str | Path | Mapping[str, Any] | Config,
    overrides: Sequence[str] = (),
    *,
    run: str | Path | None = None,
    resume: bool = False,
    overwrite: bool = False,
    verbosity: int = 0,
) -> Result:
    """Train the network that a config describes, as ``lstm-train`` does.

    Parameters
    ----------
    config : str, Path, mapping or Config
        A YAML file, or what would stand in one; then relative paths count from the current folder.
    overrides : sequence of str
        ``KEY=VALUE``, as on the command line.
    run : str or Path, optional
        The run folder; by default ``runs/`` and the name of the config file, or ``runs/config``.
    resume, overwrite : bool
        Continue the run in the folder exactly where it stopped; replace it.
    verbosity : int
        What is told on stderr: -1 warnings only, 0 progress, 1 more.

    Returns
    -------
    result : Result
        The run's folder, for `lstm_cli.load`, and the step and scores of its best state.

    Examples
    --------
    >>> result = lstm_cli.train("configs/quickstart.yaml", ["train.epochs=5"], run="runs/short")
    >>> result.scores["test"]["accuracy"]
    0.97
    """
    settings = _settings(config, overrides)
    folder = Path("runs") / settings.source.name if run is None else Path(run)
    return train_run(settings, folder, resume=resume, overwrite=overwrite, verbosity=verbosity)


def _settings(config: str | Path | Mapping[str, Any] | Config, overrides: Sequence[str]) -> Config:
    if isinstance(config, str | Path):
        return load_config(config, overrides)
    if isinstance(config, Mapping):
        return config_from_mapping(config, overrides=overrides)
    if not overrides:
        return config
    return config_from_mapping(config.model_dump(mode="json"), config.source.folder, overrides)
