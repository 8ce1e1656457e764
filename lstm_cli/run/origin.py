"""Where a run came from: its own config with the folder of the config file, so that its data files are found again.

``environment.json`` records the config file and the folder of its relative paths. Both are absolute, as the run may be
opened from another folder. They only say where to read; what is read is compared with the checkpoint's digests.
"""

import json
import os
import warnings
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from lstm_cli.config.config import Config
from lstm_cli.config.load import read_resolved, resolved_config
from lstm_cli.config.source import Source
from lstm_cli.data.sources import files_of
from lstm_cli.errors import (
    CheckpointError,
    CheckpointWarning,
    ConfigError,
    DataError,
    did_you_mean,
    nearest_beside,
    on_one_line,
)
from lstm_cli.plain_files import read_own
from lstm_cli.run.checkpoint import identity_of
from lstm_cli.run.ensemble import kind_of, members
from lstm_cli.run.environment import IMPORTED, RECORDED, Surroundings, environment, read_environment
from lstm_cli.run.identity import checked_config
from lstm_cli.run.names import BEST, CHECKPOINTS, CONFIG, ENVIRONMENT, LAST, RESOLVED
from lstm_cli.run.sweep import LINK, is_sweep
from lstm_cli.typed_json import WrongValue, built

RUNS = Path("runs")  # where runs are unless -o says otherwise
_SPLITS = ("train", "valid", "test")
_MOST = 1 << 24  # bytes of config.yaml, far more than it has


@dataclass(frozen=True)
class Origin:
    """Where the config of a run was.

    Attributes
    ----------
    path
        The config file; None if it came from standard input or from Python.
    folder
        The folder of its relative paths.
    """

    path: str | None
    folder: str

    @classmethod
    def of(cls, source: Source) -> "Origin":
        """Return the origin of a config that was loaded, with absolute paths."""
        return cls(None if source.path is None else str(source.path.absolute()), str(source.folder.absolute()))


def origin_of(run: Path) -> Origin | None:
    """Return what a run folder records of its config's place; None if an earlier version wrote it.

    Raises
    ------
    CheckpointError
        The file is damaged.
    """
    try:
        found = (read_environment(run) or {}).get(RECORDED)
        origin = None if found is None else built(Origin, found)
        if origin is not None and "\0" in f"{origin.path}{origin.folder}":
            raise WrongValue("zero bytes in a path")
    except (CheckpointError, WrongValue) as error:
        damage = str(error) if isinstance(error, CheckpointError) else f"{run / ENVIRONMENT}: damaged: {error}"
        raise CheckpointError(f"{damage}: restore the file, or name the data yourself") from None
    return origin


def imported_from(run: Path) -> str:
    """Return the file whose weights ``lstm import`` made a run of; empty for a run that was trained."""
    return Surroundings.of(read_environment(run)).imported


def imported_environment(config: Config, source: Path) -> str:
    """Return the content of ``environment.json`` for a run made of the weights in a file.

    The place of the config is part of it where a config file was given, so that its data is found again.
    """
    given = config.source.path not in (None, source)
    place = {RECORDED: asdict(Origin.of(config.source))} if given else {}
    return json.dumps({**environment(config.seed), **place, IMPORTED: str(source.absolute())}, indent=1) + "\n"


def check_trained(run: Path) -> None:
    """Raise the `ConfigError` for a run that has nothing to be resumed, as it was not trained."""
    if source := imported_from(run):
        what = f"lstm import made this run of {on_one_line(Path(source).name)}, which has no optimizer to resume"
        raise ConfigError(f"{on_one_line(run)}: {what}: train a new run from it with --from {on_one_line(run)}")


def described(run: Path, config: Config, *, resumed: bool) -> str | None:
    """Return what ``environment.json`` is to hold: of a new run everything, of a resumed one the config's new place.

    None: the file stays as it is, because nothing changes, or because it is damaged.
    """
    place = asdict(Origin.of(config.source))
    if not resumed:
        return json.dumps({**environment(config.seed), RECORDED: place}, indent=1) + "\n"
    try:
        before = read_environment(run)
    except CheckpointError:
        return None
    if before is None or before.get(RECORDED) == place:
        return None
    return json.dumps({**before, RECORDED: place}, indent=1) + "\n"


def saved_config(run: Path, saved: Sequence[Mapping[str, Any]] | None = None) -> Config:
    """Return the config in a run folder, if it is that of the run's checkpoints, whose files need not exist any more.

    Parameters
    ----------
    run
        The folder.
    saved
        The identities of the checkpoints; None: as they are in the folder.

    Raises
    ------
    CheckpointError
        The folder contains no run; the file is damaged or was edited.
    """
    if not os.path.lexists(run / RESOLVED):
        raise no_run(run)
    if saved is None:
        saved = [identity for name in (LAST, BEST) if (identity := identity_of(run / name))]
    config, found = checked_config(run / RESOLVED, saved)
    for warning in found:
        warnings.warn(warning, CheckpointWarning, stacklevel=3)
    return config


def config_of(run: Path, overrides: Sequence[str] = (), *, otherwise: str = "give DATA") -> Config:
    """Return a run's own config, with the folder of the original, so that its data can be opened again.

    Parameters
    ----------
    run
        The folder of the run.
    overrides
        ``KEY=VALUE``, as on the command line.
    otherwise
        What the user can do where the folder does not say where its config was, for the message.

    Raises
    ------
    CheckpointError
        The folder contains no run, the config is not that of the checkpoints, or an earlier version wrote the folder.
    ConfigError
        Of the overrides.
    """
    config = saved_config(run)
    origin = origin_of(run)
    if origin is None:
        who = "lstm import made this run" if imported_from(run) else "an earlier version trained this run"
        raise CheckpointError(f"{run}: {who}, and did not record where its data is: {otherwise}")
    if overrides:
        config = resolved_config(read_resolved(run / RESOLVED), run / RESOLVED, overrides)
    path = None if origin.path is None else Path(origin.path)
    config._source = replace(config.source, folder=Path(origin.folder), path=path, text=_as_given(run, config))
    return config


def check_files(run: Path, config: Config, splits: Collection[str] = _SPLITS, *, otherwise: str = "give DATA") -> None:
    """Raise the `DataError` that names the first file of a run's data that is no longer there.

    Parameters
    ----------
    run
        The folder of the run.
    config
        As `config_of` returns it.
    splits
        The keys of the section ``data`` whose files are needed.
    otherwise
        What the user can do instead of restoring the file.
    """
    for split in splits:
        given = getattr(config.data, split)
        if not isinstance(given, str | list):
            continue
        try:
            missing = [path for path in files_of(config, f"data.{split}", given) if not path.exists()]
        except DataError as error:
            raise DataError(f"{on_one_line(run)}: {error}; or {otherwise}") from None
        if missing:
            what = f"the data of this run has moved: data.{split}: {on_one_line(missing[0])}: no such file"
            raise DataError(f"{on_one_line(run)}: {what}: restore it, or {otherwise}")


def no_run(run: Path) -> CheckpointError:
    """Return the error for a folder without a run, which names the run that was probably meant."""
    if (kind := kind_of(run)) is not None:
        what = f"holds {kind.name}: expected one run, such as {on_one_line(members(run)[0])}"
        return CheckpointError(f"{on_one_line(run)}: {what}")
    if is_sweep(run):
        return CheckpointError(
            f"{on_one_line(run)}: holds a sweep: expected one run, such as {on_one_line(run / LINK)}"
        )
    known = [run.parent] if run.name in CHECKPOINTS else [RUNS / run.name, RUNS / run.stem]
    meant = next(filter(_is_run, known), None) or nearest_beside(run, _is_run)
    return CheckpointError(
        f"{on_one_line(run)}: contains no run: expected a folder that lstm-train wrote{did_you_mean(meant)}"
    )


def _is_run(folder: Path) -> bool:
    try:
        return (folder / RESOLVED).exists()
    except OSError:
        return False


def _as_given(run: Path, config: Config) -> str:
    """Return the text of the config as given when the run was started, or the resolved one where it is missing."""
    try:
        return read_own(run / CONFIG, most=_MOST).decode()
    except (OSError, UnicodeDecodeError):
        return config.source.text
