"""The folder of a sweep as its workers use it: who works in it, which trials are whose, and the link to the best."""

import fcntl
import json
import os
import secrets
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lstm_cli.errors import ConfigError, on_one_line
from lstm_cli.run.ensemble import kind_of
from lstm_cli.run.files import disk_errors, replace_file, temporary_name
from lstm_cli.run.ownership import is_run, owner
from lstm_cli.run.sweep import LINK, SWEEP, is_sweep, read_sweep, trial_name

_CLAIMS = ".claims.lock"  # held while a worker decides whose a trial is


@dataclass(frozen=True)
class Owner:
    """Which worker trains a trial.

    Attributes
    ----------
    folder
        The identity of the folder in which the run lies.
    path, host
        Where that folder is.
    worker
        A name of the process, which holds a lock file of that name while it lives.
    stopped
        Whether the trial was stopped, its state saved, to be continued in its folder.
    """

    folder: str
    path: str
    host: str
    worker: str
    stopped: bool = False

    @classmethod
    def of(cls, value: Any) -> "Owner | None":
        """Return the owner that a study has stored; None where it is none."""
        try:
            return cls(**value)
        except TypeError:
            return None


class SweepFolder:
    """A folder of runs, with one worker of this process in it.

    Parameters
    ----------
    path
        The folder.
    identity
        Of the folder, wherever it is moved or mounted.
    """

    def __init__(self, path: Path, identity: str) -> None:
        self.path, self.identity = path, identity
        self.worker = secrets.token_hex(6)

    @classmethod
    def open(cls, path: Path, described: Mapping[str, Any]) -> "SweepFolder":
        """Return the folder of a new sweep, or of one to continue.

        Raises
        ------
        ConfigError
            It holds something else, or another sweep.
        """
        shown = on_one_line(path)
        _check(path)
        if is_sweep(path):
            found = read_sweep(path)
            for key in ("study", "storage", "monitor"):
                if found.get(key) != described[key]:
                    what = f"holds a sweep with another {key}: {found.get(key)}, now {described[key]}"
                    raise ConfigError(f"{shown}: {what}: choose another folder with -o")
            return cls(path, found["id"])
        with disk_errors(path):
            path.mkdir(parents=True, exist_ok=True)
        identity = secrets.token_hex(8)
        replace_file(path / SWEEP, (json.dumps({"id": identity, **described}, indent=1) + "\n").encode())
        return cls(path, identity)

    @property
    def owner(self) -> Owner:
        """The worker of this process."""
        return Owner(self.identity, os.path.abspath(self.path), socket.gethostname(), self.worker)  # noqa: PTH100

    @contextmanager
    def working(self) -> Iterator[None]:
        """Hold the lock by which others see that this worker lives."""
        path = self.path / _lock_name(self.worker)
        with disk_errors(path):
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            with suppress(OSError):  # a file system without locks
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        finally:
            path.unlink(missing_ok=True)
            os.close(descriptor)

    @contextmanager
    def claiming(self) -> Iterator[None]:
        """Keep the other workers in this folder from claiming trials meanwhile."""
        with disk_errors(self.path):
            descriptor = os.open(self.path / _CLAIMS, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            with suppress(OSError):
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def lives(self, other: Owner) -> bool | None:
        """Return whether the worker that owns a trial lives; None where that is not known, as on another machine."""
        if other.folder == self.identity:
            return _is_held(self.path / _lock_name(other.worker))
        if other.host == socket.gethostname():
            return _is_held(Path(other.path) / _lock_name(other.worker))
        return None

    def run(self, number: int) -> Path:
        """Return the run folder of a trial."""
        return self.path / trial_name(number)

    def link(self, number: int) -> None:
        """Have ``best`` point to the run of a trial."""
        link, target = self.path / LINK, trial_name(number)
        if link.is_symlink() and os.readlink(link) == target:  # noqa: PTH115
            return
        temporary = temporary_name(link)
        with disk_errors(link):
            temporary.symlink_to(target)
            temporary.replace(link)


def _lock_name(worker: str) -> str:
    return f".worker-{worker}.lock"


def _is_held(path: Path) -> bool:
    """Return whether a process holds a lock file; of the lock nothing changes for others that ask."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(descriptor)
    with suppress(OSError):
        path.unlink()  # left by a worker that was killed
    return False


def _check(path: Path) -> None:
    """Raise the `ConfigError` that says why there can be no sweep in a folder."""
    shown, other = on_one_line(path), "choose another folder with -o"
    if (run := owner(path)) is not None:
        raise ConfigError(f"{shown}: belongs to the run {on_one_line(run)}: {other}")
    kind = kind_of(path)
    if is_run(path) or kind is not None:
        raise ConfigError(f"{shown}: holds {'a single run' if kind is None else kind.name}: {other}")
    if os.path.lexists(path) and not path.is_dir():
        raise ConfigError(f"{shown}: exists and is no folder: choose another one with -o")
    with disk_errors(path):
        if path.is_dir() and any(path.iterdir()) and not is_sweep(path):
            raise ConfigError(f"{shown}: the folder contains other files and no sweep: {other}")
