"""Reading the files that a run folder should contain: regular files of a known size, and nothing else."""

import errno
import os
import stat
from pathlib import Path

from lstm_cli.errors import DiskError

#: The most bytes of a file, far beyond all that this tool writes, except for the arrays of a checkpoint.
MOST = 1 << 30


class NotPlain(OSError):
    """What lies at a path is not what this tool wrote there: no regular file, or one of another size."""


def read_plain(path: Path, *, size: int | None = None, most: int = MOST) -> bytes:
    """Return the content of a regular file.

    What never ends, waits for a writer, or would not fit into memory is refused before it is read: pipes, devices,
    folders, and files of another size. A symbolic link to a regular file is followed.

    Parameters
    ----------
    path
        The file.
    size, most
        The bytes that it must have, None if they are not known, and the most that it may have.

    Raises
    ------
    NotPlain
        It is not a regular file, or it has another size.
    OSError
        It is missing or cannot be read.
    """
    _check(path.stat(), size, most)  # before it is opened: opening a device or a socket may fail, or do something
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        _check(os.fstat(descriptor), size, most)
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read()
    finally:
        os.close(descriptor)


def read_own(path: Path, *, size: int | None = None, most: int = MOST) -> bytes:
    """Return the content of a regular file of a run, as `read_plain`; what keeps it from being read is no damage.

    Raises
    ------
    DiskError
        A permission is missing, or too many files are open: the file may well be whole.
    OSError
        As by `read_plain`.
    """
    try:
        return read_plain(path, size=size, most=most)
    except OSError as error:
        if error.errno not in _NOT_ALLOWED:
            raise
        raise DiskError(f"{path}: cannot be read: {error.strerror}: {_NOT_ALLOWED[error.errno]}") from None


_NOT_ALLOWED = {
    errno.EACCES: "check its permissions and those of its folders",
    errno.EPERM: "check its permissions and those of its folders",
    errno.EMFILE: "raise the limit on open files (ulimit -n)",
    errno.ENFILE: "raise this system's limit on open files",
}


def _check(status: os.stat_result, size: int | None, most: int) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise NotPlain(0, f"not a regular file but {kind_of(status)}")
    if size is not None and status.st_size != size:
        raise NotPlain(0, f"{status.st_size:,} bytes, expected {size:,}")
    if status.st_size > most:
        raise NotPlain(0, f"{status.st_size:,} bytes, expected at most {most:,}")


def kind_of(status: os.stat_result) -> str:
    """Return what lies at a path, in words."""
    return _KINDS.get(stat.S_IFMT(status.st_mode), "something else")


_KINDS = {
    stat.S_IFREG: "a file",
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}
