"""Files and folders that are written completely or not at all, and the errors of a failing disk.

Everything is written under a temporary name in the same folder, synced, renamed, and the folder synced: after a kill or
a power cut there is the old file or the new one. Any failure becomes a `DiskError` of one line.
"""

import errno
import hashlib
import os
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from lstm_cli.errors import FULL, MAKE_ROOM, ConfigError, DiskError

CHUNK = 1 << 22  # bytes hashed and written at a time, few enough to stay in the processor's cache


@contextmanager
def disk_errors(path: Path, needed: int = 0) -> Iterator[None]:
    """Turn a failed system call into a `DiskError` that gives place, cause, bytes needed, and what to do."""
    try:
        yield
    except BrokenPipeError:
        raise  # not a disk error: the reader of a pipe has closed it
    except OSError as error:
        raise DiskError(_describe(path, error, needed)) from error


def _describe(path: Path, error: OSError, needed: int) -> str:
    if error.errno == errno.ENOENT and not path.parent.is_dir():
        return (
            f"{path}: cannot be written: there is no folder {path.parent}: create it, or choose another place with -o"
        )
    message = f"{path}: cannot be written: {error.strerror or error}"
    if needed:
        message += f" ({needed:,} bytes needed{_free(path)})"
    if error.errno in FULL:
        return f"{message}: {MAKE_ROOM}"
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return message + ": raise the limit on open files (ulimit -n)"
    return message + ": check the disk and the permissions, or choose another place with -o"


def _free(path: Path) -> str:
    """Return the free space at `path`, as part of a sentence."""
    for folder in path.parents:
        with suppress(OSError):
            space = os.statvfs(folder)
            return f", {space.f_bavail * space.f_frsize:,} free"
    return ""


def temporary_name(path: Path) -> Path:
    """Return an unused name in the folder of `path`, for an unfinished file or folder."""
    return path.with_name(f".tmp-{path.name}-{secrets.token_hex(4)}")


def write_new(
    path: Path, pieces: Iterable[bytes | memoryview], *, place: Path | None = None, needed: int = 0
) -> tuple[int, str]:
    """Write a file that must not exist yet, sync it, and return its size and SHA-256.

    Parameters
    ----------
    path
        The new file.
    pieces
        Its content in order; memoryviews have single bytes as items.
    place, needed
        For messages: the final path, if the file will be renamed, and the bytes of the whole operation, if it writes
        more than this file.
    """
    views = [memoryview(piece) for piece in pieces]
    size = sum(view.nbytes for view in views)
    digest = hashlib.sha256()
    with disk_errors(place or path, needed or size):
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        try:
            for view in views:
                for start in range(0, view.nbytes, CHUNK):
                    digest.update(view[start : start + CHUNK])
                    write_all(descriptor, view[start : start + CHUNK])
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    return size, digest.hexdigest()


def write_all(descriptor: int, data: bytes | memoryview) -> None:
    """Write all of `data`: one system call may write only a part."""
    while data:
        data = data[os.write(descriptor, data) :]


def open_own(path: Path, flags: int) -> int:
    """Open a file that only this tool writes, in a run folder; return the descriptor.

    A symbolic link is refused: in a folder of unknown origin it may point to any file of the user. A pipe is not waited
    for.
    """
    with disk_errors(path):
        try:
            return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o666)
        except OSError:
            if path.is_symlink():
                raise ConfigError(
                    f"{path}: a symbolic link, which this tool did not create: replace it by the file itself, or "
                    f"remove it"
                ) from None
            raise


def sync_folder(folder: Path) -> None:
    """Make what was created in or renamed within `folder` survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:  # from file systems that cannot sync folders
            raise
    finally:
        os.close(descriptor)


def replace_file(path: Path, data: bytes) -> None:
    """Write `data` to `path`; after any failure the old content is unchanged."""
    temporary = temporary_name(path)
    try:
        write_new(temporary, [data], place=path)
        with disk_errors(path, len(data)):
            temporary.replace(path)
            sync_folder(path.parent)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise


def replace_folder(folder: Path, names: Sequence[str], write: Callable[[Path], None], *, needed: int = 0) -> None:
    """Have `write` fill an empty folder, and replace `folder` by it.

    The old folder is renamed away first and removed last: there is a complete one at every moment, in `folder` or,
    between two renames, in one of `retired(folder)`. After a failure `folder` is unchanged.
    Other files in `folder` are moved to the new one.

    Parameters
    ----------
    folder
        The folder to replace.
    names
        The files of such a folder, in the order of their removal; nothing else is ever removed.
    write
        Creates those files, synced, in the folder it is given.
    needed
        Bytes that they take, for error messages.
    """
    temporary, old = temporary_name(folder), folder.with_name(f".old-{folder.name}-{secrets.token_hex(4)}")
    with disk_errors(folder, needed):
        unfinished, earlier = _siblings(folder, "tmp"), _siblings(folder, "old")
    remove_folders(unfinished, names)
    try:
        with disk_errors(folder, needed):
            temporary.mkdir()
        write(temporary)
        with disk_errors(folder, needed):
            sync_folder(temporary)
            _put_in_place(temporary, folder, old)
    except BaseException:
        remove_folders([temporary], names)
        raise
    remove_retired([old, *earlier], folder, names)


def remove_retired(left: Sequence[Path], folder: Path, names: Sequence[str]) -> None:
    """Remove the files `names` of folders that `folder` has replaced; files that others put there move to it."""
    remove_folders(left, names)
    for old in left:
        _move_other_files(old, folder, names)


def _move_other_files(left: Path, folder: Path, names: Sequence[str]) -> None:
    """Move the remaining files of an old folder, which others put there, to its replacement."""
    if left.is_symlink() or not left.is_dir():
        return
    with suppress(OSError):
        for path in sorted(left.iterdir()):
            if path.name not in names and not os.path.lexists(folder / path.name):
                path.rename(folder / path.name)
        left.rmdir()


def _put_in_place(temporary: Path, folder: Path, old: Path) -> None:
    """Rename `folder` to `old` and `temporary` to `folder`; if that fails, rename back."""
    try:
        with suppress(FileNotFoundError):
            folder.rename(old)
        temporary.rename(folder)
        sync_folder(folder.parent)
    except BaseException:
        with suppress(OSError):
            if not temporary.exists():
                folder.rename(temporary)
            if old.exists():
                old.rename(folder)
        raise


def retired(folder: Path) -> list[Path]:
    """Return the folders renamed away from `folder` and not removed yet; one is complete if `folder` is missing."""
    try:
        return _siblings(folder, "old")
    except OSError:
        return []


def _siblings(folder: Path, kind: str) -> list[Path]:
    return sorted(path for path in folder.parent.iterdir() if path.name.startswith(f".{kind}-{folder.name}-"))


def remove_folders(folders: Iterable[Path], names: Iterable[str]) -> None:
    """Remove the files `names` of each folder, then the folder if it is empty; whatever cannot be removed stays.

    An empty folder in place of a file is removed too. A symbolic link in place of a folder is not followed.
    """
    for folder in folders:
        if not folder.is_symlink():
            for path in (folder / name for name in names):
                with suppress(OSError):
                    path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
            with suppress(OSError):
                folder.rmdir()


class WholeFile:
    """A file for a stream of results, which gets its name only when the `with` block ends without an exception.

    A path that is not a regular file (a terminal, a pipe, ``/dev/null``) cannot be replaced and is written to directly.
    """

    def __init__(self, path: Path) -> None:
        replaceable = path.is_file() or not path.exists()
        self._path = path.resolve() if replaceable else path
        self._temporary = temporary_name(self._path) if replaceable else None
        with disk_errors(path):
            self._file = (self._temporary or self._path).open("xb" if replaceable else "wb")

    def write(self, data: bytes) -> None:
        """Append `data`."""
        with disk_errors(self._path):
            self._file.write(data)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                with disk_errors(self._path):
                    self._finish()
        finally:
            with suppress(OSError):
                self._file.close()
            if self._temporary:
                with suppress(OSError):
                    self._temporary.unlink()

    def _finish(self) -> None:
        self._file.flush()
        if self._temporary:
            os.fsync(self._file.fileno())
            self._temporary.replace(self._path)
            sync_folder(self._path.parent)
