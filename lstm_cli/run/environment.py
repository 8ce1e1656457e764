"""What a run records of where it was started: versions, machine, command, time."""

import json
import os
import platform
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from lstm_cli.config.sweep import without_passwords
from lstm_cli.errors import CheckpointError
from lstm_cli.plain_files import read_own
from lstm_cli.run.names import ENVIRONMENT

LIBRARIES = ("lstm-cli", "pytensor", "numba", "numpy", "safetensors")
RECORDED = "config"  # the key for the place of the config
IMPORTED = "imported"  # that for the file whose weights the run has, of one that was not trained
_MOST = 1 << 24  # bytes of the file, far more than it has


@dataclass(frozen=True)
class Surroundings:
    """What ``environment.json`` says, of what its version recorded.

    Attributes
    ----------
    started
        When the run was started; empty if not known.
    command
        The words of its command.
    versions, machine
        Of Python and the libraries; host, system, processor and cores.
    config
        ``path`` of the config file, if there was one, and ``folder`` of its relative paths.
    imported
        The file whose weights ``lstm import`` made a run of; empty for a run that was trained.
    """

    started: str = ""
    command: tuple[str, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    machine: Mapping[str, str] = field(default_factory=dict)
    config: Mapping[str, str] = field(default_factory=dict)
    imported: str = ""

    @classmethod
    def of(cls, content: Mapping[str, Any] | None) -> "Surroundings":
        """Return what the content of the file says, as far as it is of the right kind."""
        known = content or {}
        command, started, imported = (known.get(name) for name in ("command", "started", IMPORTED))
        return cls(
            started=started if isinstance(started, str) else "",
            command=tuple(map(str, command)) if isinstance(command, list) else (),
            versions=_texts(known.get("versions")),
            machine=_texts(known.get("machine")),
            config=_texts(known.get(RECORDED)),
            imported=imported if isinstance(imported, str) else "",
        )


def _texts(values: Any) -> Mapping[str, str]:
    given = values.items() if isinstance(values, dict) else ()
    return {name: str(value) for name, value in given if value is not None}


def read_environment(run: Path) -> dict[str, Any] | None:
    """Return the content of ``environment.json`` in a run folder; None if it is missing.

    Raises
    ------
    CheckpointError
        The file is damaged.
    """
    path = run / ENVIRONMENT
    try:
        content = json.loads(read_own(path, most=_MOST))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise CheckpointError(f"{path}: damaged: {getattr(error, 'strerror', None) or 'not JSON'}") from None
    if not isinstance(content, dict):
        raise CheckpointError(f"{path}: damaged: not an object")
    return content


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
    """Return the content of environment.json: versions, machine, seed, command, start."""
    return {
        "started": local_time(),
        "command": [without_passwords(word) for word in sys.argv],
        "seed": seed,
        "versions": versions(),
        "machine": {
            "host": socket.gethostname(),
            "system": platform.platform(),
            "processor": platform.machine(),
            "cores": os.cpu_count(),
        },
    }


def local_time() -> str:
    """Return the local time, or ``unknown`` where the system's clock is set to a time that no date can have."""
    try:
        return datetime.now().astimezone().isoformat(" ", "seconds")
    except (OverflowError, ValueError, OSError):
        return "unknown"
