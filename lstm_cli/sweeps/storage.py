"""Where a study is stored: a journal in the folder, or a database that several machines share."""

import fcntl
import functools
import importlib.util
import math
import os
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lstm_cli.config.sweep import SweepSpec, without_passwords
from lstm_cli.errors import ConfigError
from lstm_cli.run.sweep import JOURNAL
from lstm_cli.sweeps.patience import Patience

INSTALL = "pip install 'lstm-cli[tune]', or in a clone pip install '.[tune]'"
BEAT = 30  # seconds between two signs of life of a trial in a database
GRACE = 180  # seconds without one after which another machine takes its place
#: A database that does not respond is noticed within half a minute.
_CONNECTION = {"connect_timeout": 10, "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3,
               "tcp_user_timeout": 30_000}  # fmt: skip
_TRIES = 5  # at making tables: several machines may do so at the same time


def check_installed(spec: SweepSpec) -> None:
    """Raise the `ConfigError` that says what to install where a library is missing."""
    needed = ["optuna", *(["sqlalchemy", "psycopg"] if spec.storage else [])]
    if missing := [name for name in needed if importlib.util.find_spec(name) is None]:
        raise ConfigError(f"lstm sweep needs {' and '.join(missing)}: {INSTALL}")


@contextmanager
def quietly() -> Iterator[None]:
    """Keep Optuna from warning of what is meant, and from logging."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


class JournalLock:
    """The lock of a journal, which ends with the process that holds it; what a killed one left unfinished is cut off.

    Parameters
    ----------
    path
        The journal.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._descriptor = path, -1

    def acquire(self) -> bool:
        """Wait for the lock."""
        self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        self._cut()
        return True

    def release(self) -> None:
        """Release the lock."""
        os.close(self._descriptor)

    def _cut(self) -> None:
        """Remove an incomplete last line, which would make the journal unreadable with the next one behind it."""
        size = end = os.fstat(self._descriptor).st_size
        rest = b""
        while end and b"\n" not in rest:
            start = max(0, end - (1 << 16))
            rest = os.pread(self._descriptor, end - start, start)
            end = start
        kept = end + rest.rfind(b"\n") + 1
        if kept < size:
            os.ftruncate(self._descriptor, kept)


def journal(folder: Path) -> Any:
    """Return the storage in a folder."""
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    path = folder / JOURNAL
    with quietly():
        return JournalStorage(JournalFileBackend(str(path), lock_obj=JournalLock(path)))


def database(address: str, patience: Patience) -> Any:
    """Return the storage in a database, whose calls wait while the database is away.

    Raises
    ------
    ConfigError
        It cannot be reached now.
    """
    from sqlalchemy.exc import IntegrityError, ProgrammingError, SQLAlchemyError

    _, _, place = address.partition("://")
    for left in reversed(range(_TRIES)):
        try:
            with quietly():
                return _patient(patience)(
                    f"postgresql+psycopg://{place}",
                    engine_kwargs={"pool_pre_ping": True, "connect_args": _CONNECTION},
                    heartbeat_interval=BEAT,
                    grace_period=GRACE,
                )
        except (IntegrityError, ProgrammingError) as error:
            if not left:
                raise _unreachable(address, error) from None
            time.sleep(0.5)
        except SQLAlchemyError as error:
            raise _unreachable(address, error) from None
    raise AssertionError


def _unreachable(address: str, error: Exception) -> ConfigError:
    fix = "start it, or give another sweep.storage"
    return ConfigError(f"{without_passwords(address)}: cannot be used ({reason_of(error)}): {fix}")


def away(error: BaseException) -> str | None:
    """Return why a database does not respond; None for an error of another kind."""
    from optuna.exceptions import StorageInternalError
    from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

    cause = error.__cause__ if isinstance(error, StorageInternalError) else error
    if isinstance(cause, OperationalError | InterfaceError) or getattr(cause, "connection_invalidated", False):
        return reason_of(cause if isinstance(cause, DBAPIError) else error)
    return None


def reason_of(error: BaseException) -> str:
    """Return the first line of what a database says."""
    text = str(getattr(error, "orig", None) or error).strip()
    return without_passwords(text.partition("\n")[0]) or type(error).__name__


@functools.cache
def _names() -> tuple[str, ...]:
    """Return the methods of a database's storage that Optuna and this package call."""
    from optuna.storages import BaseStorage

    own = ("_create_new_trial", "_get_trials", "_get_stale_trial_ids", "record_heartbeat")
    return (*own, *(name for name, value in vars(BaseStorage).items() if callable(value) and not name.startswith("_")))


def _patient(patience: Patience) -> Any:
    """Return a class of storages each of whose methods waits while the database is away.

    Each is a transaction of its own, so that it can be repeated; a trial that was made without an answer is found by
    its missing owner.
    """
    from optuna.storages import RDBStorage

    def waiting(method: Any) -> Any:
        @functools.wraps(method)
        def call(self: Any, *given: Any, **options: Any) -> Any:
            return patience(method, self, *given, **options)

        return call

    methods = {name: waiting(getattr(RDBStorage, name)) for name in _names() if hasattr(RDBStorage, name)}
    return type("PatientStorage", (RDBStorage,), methods)


def finished() -> type[Exception]:
    """Return what is raised where another machine has ended a trial."""
    from optuna.exceptions import UpdateFinishedTrialError

    found: type[Exception] = UpdateFinishedTrialError
    return found


def importance_of(study: Any) -> dict[str, float]:
    """Return how much of the differences between scores each key of a study explains; empty where that is not known."""
    import optuna

    with quietly():
        try:
            found: dict[str, float] = optuna.importance.get_param_importances(study)
        except (ValueError, RuntimeError):  # all trials have one score
            return {}
    return {key: value for key, value in found.items() if math.isfinite(value)}
