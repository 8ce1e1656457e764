"""What a checkpoint is bound to: the config, the files and the data of its run; compared by whoever loads it."""

import hashlib
import os
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lstm_cli.config.config import Config
from lstm_cli.config.load import completed, read_resolved, resolved_config
from lstm_cli.errors import CheckpointError, ConfigError, DataError, listed, on_one_line
from lstm_cli.plain_files import read_own
from lstm_cli.run.config_changes import compare_configs
from lstm_cli.run.environment import versions
from lstm_cli.run.names import DYNAMICS, RESOLVED, SCHEMA

CONFIG_KEY = "config"  # of an identity
CHECKED_FILES = (*SCHEMA, DYNAMICS)  # a checkpoint is valid only with exactly these files


def identity(
    config: Mapping[str, Any],
    files: Mapping[str, bytes],
    data: Mapping[str, str] | None = None,
    machine: Mapping[str, int] | None = None,
) -> dict[str, Any]:
    """Return what identifies the run of a checkpoint: its config, digests of files and data, and the versions.

    Parameters
    ----------
    config
        Plain values of the config, with all its keys.
    files
        The contents of `CHECKED_FILES`, of those that the run has, and of the resolved config.
    data
        Digest of each split that is used for training or for choosing the best state.
    machine
        The threads and lanes that are in use, and the ranks.
    """
    return {
        CONFIG_KEY: dict(config),
        "digests": {name: _digest(content) for name, content in files.items()},
        "sizes": {name: len(content) for name, content in files.items()},
        "data": dict(data or {}),
        "versions": versions(),
        "machine": dict(machine or {}),
    }


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def instead_of_resuming(run: Path) -> str:
    """Return what to do with a run that cannot be resumed, for a message."""
    return f"start a new run with -o: --from {shlex.quote(str(run))} starts it from the weights of this one"


def check_identity(saved: Mapping[str, Any], now: Mapping[str, Any], run: Path) -> list[str]:
    """Compare a checkpoint's identity with the present one; return changes that may affect the last bits of results.

    Raises
    ------
    CheckpointError
        The config, or a file of the schema, is not that of the checkpoint's training.
    DataError
        The data has changed: the position in an epoch and the best score so far would be meaningless.
    """
    check_model(saved, now, run)
    for name, digest in _section(saved, "data", run).items():
        if digest != now["data"].get(name):
            raise DataError(
                f"{run}: cannot be resumed, as the sequences of data.{name} have changed since the run was started: "
                f"restore them, or {instead_of_resuming(run)}"
            )
    old, new = _section(saved, "versions", run), now["versions"]
    return [f"{name} {on_one_line(old.get(name))} -> {new[name]}" for name in new if old.get(name) != new[name]]


def machine_changes(saved: Mapping[str, Any], now: Mapping[str, Any], run: Path) -> list[str]:
    """Return what differs between the machine of a checkpoint and the present one; earlier versions noted none."""
    old, new = {"ranks": 1, **_section(saved, "machine", run)}, now["machine"]
    differ = [name for name in new if old.get(name, new[name]) != new[name]]
    more = {"ranks": ", and each rank draws dropout masks of its own"}
    return [f"{name} {old[name]} -> {new[name]}{more.get(name, '')}" for name in differ]


def check_model(saved: Mapping[str, Any], now: Mapping[str, Any], run: Path) -> None:
    """Raise a `CheckpointError` if the checkpoint's model is not the present one: its config, schema or system."""
    old, new = _section(saved, "digests", run), now["digests"]
    for name in CHECKED_FILES:
        if old.get(name) != new.get(name):
            raise _other_file(run / name, "missing" if name not in new else "")
    if CONFIG_KEY in saved:
        if changed := _changed(_section(saved, CONFIG_KEY, run), now[CONFIG_KEY], run / RESOLVED):
            what = f"a checkpoint was trained with another config ({listed(changed)})"
            raise CheckpointError(f"{run}: {what}: restore these keys or the checkpoint, or train again")


def read_checked(saved: Mapping[str, Any], run: Path, made: Mapping[str, bytes] | None = None) -> dict[str, bytes]:
    """Return the contents of `CHECKED_FILES` in a run folder, each read once, if they are those of the checkpoint.

    A file that is missing does no harm if it is among those `made` anew from the data, and equal to the checkpoint's.

    Raises
    ------
    CheckpointError
        A file is not that of the checkpoint's training.
    """
    digests, sizes, found = _section(saved, "digests", run), _section(saved, "sizes", run), {}
    for name in CHECKED_FILES:
        path, digest, size = run / name, digests.get(name), sizes.get(name)
        if digest is None and not os.path.lexists(path):
            continue
        try:
            content = read_own(path, size=size if isinstance(size, int) else None)
        except FileNotFoundError:
            content = (made or {}).get(name, b"")
            if _digest(content) != digest:
                raise _other_file(path, "missing") from None
        except OSError as error:
            raise _other_file(path, str(error.strerror)) from None
        if _digest(content) != digest:
            raise _other_file(path)
        found[name] = content
    return found


def checked_config(path: Path, saved: Sequence[Mapping[str, Any]]) -> tuple[Config, list[str]]:
    """Return the config in a resolved config that is that of a run's checkpoints, and warnings.

    Parameters
    ----------
    path
        The file; it is read once.
    saved
        The identities of the checkpoints, see `check_resolved`; none if the run was stopped before the first.

    Raises
    ------
    CheckpointError
        The file is damaged or was edited, or a newer version wrote a checkpoint.
    """
    content = read_resolved(path)
    config = resolved_config(content, path)  # keys new since its version have their defaults
    return config, check_resolved(saved, content, config, path) if saved else []


def check_resolved(saved: Sequence[Mapping[str, Any]], content: bytes, config: Config, path: Path) -> list[str]:
    """Check that a resolved config is that of a checkpoint; return warnings.

    Parameters
    ----------
    saved
        The checkpoint's identity, and that of the run's other checkpoint. Those of earlier versions have no config; one
        of the two has the digest of the file, unless the run was stopped between writing it and a checkpoint.
    content, config
        The file as read, and the config in it.
    path
        The file, for messages.

    Raises
    ------
    CheckpointError
        The file was edited, or a newer version wrote the checkpoint.
    """
    values = next((_section(identity, CONFIG_KEY, path.parent) for identity in saved if CONFIG_KEY in identity), None)
    if values is not None:
        if changed := _changed(values, config.model_dump(mode="json"), path):
            what = f"not what the checkpoint was trained with ({listed(changed)})"
            raise CheckpointError(f"{path}: {what}: restore it as lstm-train wrote it, or train again")
        return []
    if any(_section(identity, "digests", path.parent).get(path.name) == _digest(content) for identity in saved):
        return []
    what = "an earlier version wrote the checkpoints, which do not tell whether this file was edited since"
    return [f"{path}: {what}: make sure that it is as lstm-train wrote it"]


def _changed(saved: Mapping[str, Any], now: Mapping[str, Any], place: Path) -> list[str]:
    """Return the keys of a config that are not as in the checkpoint, which may have fewer; `place` is for messages."""
    if saved == now:
        return []
    try:
        return compare_configs(completed(saved), now).refused
    except ConfigError as error:
        raise CheckpointError(f"{place}: cannot be compared with the checkpoint's, which has {error}") from None


def _section(identity: Mapping[str, Any], name: str, run: Path) -> Mapping[str, Any]:
    """Return a part of a checkpoint's identity, which is empty in checkpoints of versions without it."""
    part = identity.get(name, {})
    if not isinstance(part, Mapping):
        raise CheckpointError(f"{run}: damaged checkpoint: its {name} are not an object: copy it again")
    return part


def _other_file(path: Path, found: str = "") -> CheckpointError:
    if found == "missing":
        return CheckpointError(f"{path}: the file is missing: restore that file, or train again")
    what = f"not the file that the checkpoint was trained with{found and f' ({found})'}"
    return CheckpointError(f"{path}: {what}: restore that file, or train again")
