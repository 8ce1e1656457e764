"""What a run's state belongs to: its config, the schema of its data, the versions of the code; and what may change."""

import hashlib
import os
import platform
import socket
import sys
from collections.abc import Iterator, Mapping
from datetime import datetime
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

from lstm_cli.config.fields import ResumeRule
from lstm_cli.config.grammar import resume_rules
from lstm_cli.errors import CheckpointError, DataError
from lstm_cli.run.names import DYNAMICS, RESOLVED, SCHEMA

BOUND = (*SCHEMA, DYNAMICS)  # without these files, or with others, a checkpoint means something else
LIBRARIES = ("lstm-cli", "pytensor", "numba", "numpy", "safetensors")


class Changes(NamedTuple):
    """Keys that differ between two configs, each as ``key: old -> new``."""

    allowed: list[str]
    refused: list[str]


def compare_configs(old: Mapping[str, Any], new: Mapping[str, Any]) -> Changes:
    """Sort the differences between two resolved configs into those that a resumed run may adopt and the others.

    The fields of the config mark which keys may change: those that affect neither the model, nor the data and their
    order, nor the arrays in the optimizer's state, nor the meaning of the best score.
    """
    sides = [(dict(flattened(config)), resume_rules(config)) for config in (old, new)]
    (before, _), (after, _) = sides
    changes = Changes([], [])
    for key in sorted({*before, *after}):
        values = before.get(key, "unset"), after.get(key, "unset")
        if values[0] != values[1]:
            allowed = _may_change(key, *sides)
            (changes.allowed if allowed else changes.refused).append(f"{key}: {values[0]} -> {values[1]}")
    return changes


Side = tuple[Mapping[str, Any], Mapping[str, ResumeRule]]


def _may_change(key: str, old: Side, new: Side) -> bool:
    """Return whether a resumed run may change a key, given the values and the rules of both configs.

    Where sections of two kinds have a key of the same name, such as two optimizers, each judges its own value as if the
    other config lacked the key.
    """
    (before, old_rules), (after, new_rules) = old, new
    rule = old_rules.get(key)
    if rule is not None and rule == new_rules.get(key):
        return rule.allows(before.get(key), after.get(key))
    dropped = key not in before or (rule is not None and rule.allows(before[key], None))
    rule = new_rules.get(key)
    taken_up = key not in after or (rule is not None and rule.allows(None, after[key]))
    return dropped and taken_up


def flattened(config: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every dotted key of a config with its value; entries of a list of sections have their number as key."""
    for key, value in config.items():
        if isinstance(value, list | tuple) and all(isinstance(entry, Mapping) for entry in value):
            value = {str(number): entry for number, entry in enumerate(value)} or value
        if isinstance(value, Mapping) and value:
            yield from flattened(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def versions() -> dict[str, str]:
    """Return the versions of Python and of the libraries that compute, without importing them."""
    found = {"python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


def environment(seed: int) -> dict[str, Any]:
    """Return what environment.json records: versions, machine, seed, command, start."""
    return {
        "started": datetime.now().astimezone().isoformat(" ", "seconds"),
        "command": sys.argv,
        "seed": seed,
        "versions": versions(),
        "machine": {
            "host": socket.gethostname(),
            "system": platform.platform(),
            "processor": platform.machine(),
            "cores": os.cpu_count(),
        },
    }


def identity(run: Path, data: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return what identifies the run of a checkpoint: digests of config, schema and data, and the versions.

    Parameters
    ----------
    run
        The run folder.
    data
        Digest of each split that is used for training or for choosing the best state.
    """
    digests = {name: _digest(run / name) for name in (RESOLVED, *BOUND) if (run / name).is_file()}
    return {"digests": digests, "data": dict(data or {}), "versions": versions()}


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def check_identity(kept: Mapping[str, Any], run: Path, data: Mapping[str, str] | None = None) -> list[str]:
    """Compare the identity in a checkpoint with the present one; return what may change results in the last bits.

    Raises
    ------
    CheckpointError
        A file of the schema is another one: labels and scales would be wrong without notice.
    DataError
        The data has changed: the position in an epoch and the best score so far would be meaningless.
    """
    check_schema(kept, run)
    now = identity(run, data)
    for name, digest in kept.get("data", {}).items():
        if digest != now["data"].get(name):
            raise DataError(
                f"{run}: cannot be resumed, as the sequences of data.{name} have changed since the run was started: "
                f"put them back, or start a new run with -o"
            )
    old, new = kept.get("versions", {}), now["versions"]
    return [f"{name} {old.get(name)} -> {new[name]}" for name in new if old.get(name) != new[name]]


def check_schema(kept: Mapping[str, Any], run: Path) -> None:
    """Raise a `CheckpointError` if a file of the schema, or the system's, is not what a checkpoint was trained with."""
    for name in BOUND:
        digest = _digest(run / name) if (run / name).is_file() else None
        if kept.get("digests", {}).get(name) != digest:
            what = "the file is missing" if digest is None else "not the file that the checkpoint was trained with"
            raise CheckpointError(f"{run / name}: {what}: put that one back, or train again")
