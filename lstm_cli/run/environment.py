"""What a run records of where it was started: versions, machine, command, time."""

import os
import platform
import socket
import sys
from datetime import datetime
from importlib import metadata
from typing import Any

LIBRARIES = ("lstm-cli", "pytensor", "numba", "numpy", "safetensors")


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


def local_time() -> str:
    """Return the local time, or ``unknown`` where the system's clock is set to a time that no date can have."""
    try:
        return datetime.now().astimezone().isoformat(" ", "seconds")
    except (OverflowError, ValueError, OSError):
        return "unknown"
