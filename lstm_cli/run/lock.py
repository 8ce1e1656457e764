"""The lock of a run folder: one process at a time trains into it."""

import errno
import fcntl
import json
import os
import secrets
import socket
from contextlib import suppress
from pathlib import Path

from lstm_cli.errors import DiskError, RunBusy
from lstm_cli.plain_files import read_plain
from lstm_cli.run.environment import local_time
from lstm_cli.run.files import disk_errors
from lstm_cli.run.names import LOCK

NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)  # errors of cluster file systems that have no locks


class FolderLock:
    """Holds a run folder until it is closed or this process ends.

    Folder and lock file stay open, so that others in their place are recognized.

    Attributes
    ----------
    warning : str
        That the file system has no locks; empty if it has.

    Raises
    ------
    RunBusy, DiskError
        Another process holds the folder; it cannot be written to.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        now = local_time()
        record = {"pid": os.getpid(), "host": socket.gethostname(), "since": now, "token": secrets.token_hex(8)}
        self._record = json.dumps(record).encode()
        with disk_errors(folder):
            self._place = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            self._file, self.warning = self._take("wait for it, stop it, or choose another folder with -o")
        except BaseException:
            os.close(self._place)
            raise

    def check(self) -> str:
        """Make sure that the folder is still held; return a warning if its lock had to be taken again.

        Raises
        ------
        DiskError
            The folder was removed, renamed or replaced.
        RunBusy
            The lock's file was removed, and another process has taken the folder since, even if it has ended.
        """
        if not _is(self._folder, self._place):
            raise DiskError(
                f"{self._folder}: the run folder was removed, renamed or replaced while the run was training: nothing "
                f"more can be saved. Where it is now, continue with --resume and -o"
            )
        lock = self._folder / LOCK
        if _is(lock, self._file):
            return ""
        taken = "its lock was removed while this run was training, which ends and saves nothing more"
        with suppress(OSError):
            record = read_plain(lock)
            if record not in (b"", self._record):
                raise RunBusy(f"{self._folder}: taken by {_holder(record)}: {taken}")
        file, _ = self._take(taken)
        os.close(self._file)
        self._file = file
        return f"{lock}: removed or replaced while the run was training: the folder is locked again"

    def close(self) -> None:
        """Release the folder."""
        os.close(self._file)
        os.close(self._place)

    def _take(self, fix: str) -> tuple[int, str]:
        """Lock the file and record this process in it; return the file and a warning if there are no locks."""
        warning = ""
        with disk_errors(self._folder):
            file = os.open(self._folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
            try:
                if problem := _lock(file):
                    warning = f"{self._folder}: cannot be locked ({problem}): make sure that no other process uses it"
                os.ftruncate(file, 0)
                os.pwrite(file, self._record, 0)
            except BlockingIOError:
                holder = _holder(os.pread(file, 4096, 0))
                os.close(file)
                raise RunBusy(f"{self._folder}: in use by {holder}: {fix}") from None
            except BaseException:
                os.close(file)
                raise
        return file, warning


def is_held(folder: Path) -> bool | None:
    """Return whether a process holds a run folder, without disturbing one that is about to take it.

    That is the process which the lock's file names, if it is still there and has the file locked. None: it was on
    another machine, of which that is not known.
    """
    try:
        record = json.loads(read_plain(folder / LOCK, most=4096))
        pid, host = int(record["pid"]), record["host"]
    except (OSError, ValueError, LookupError, TypeError, OverflowError, RecursionError):
        return False
    if host != socket.gethostname():
        return None
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OverflowError:
        return False
    except OSError:
        pass  # it belongs to another user
    return _is_locked(folder / LOCK)


def _is_locked(path: Path) -> bool:
    """Return whether a file is locked, by the system's list of locks; true where there is no such list."""
    try:
        inode, locks = path.stat().st_ino, Path("/proc/locks").read_text()
    except OSError:
        return True
    entries = (line.split() for line in locks.splitlines())
    return any("FLOCK" in entry and entry[-3].rpartition(":")[2] == str(inode) for entry in entries)


def _is(path: Path, descriptor: int) -> bool:
    """Return whether the file or folder at a path is the open one."""
    with disk_errors(path), suppress(FileNotFoundError, NotADirectoryError):
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    return False


def _lock(file: int) -> str:
    """Lock a file; return why that is impossible where the file system has no locks."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
        return error.strerror or str(error)
    return ""


def _holder(record: bytes) -> str:
    with suppress(ValueError, LookupError, TypeError):
        process = json.loads(record)
        return f"process {process['pid']} on {process['host']} since {process['since']}"
    return "another process"
