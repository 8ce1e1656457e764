"""The folder where compiled code is kept from one process to the next."""

import errno
import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path


def cache_folder(name: str) -> Path:
    """Return the folder for compiled code, created if needed and possible.

    It is ``$LSTM_CLI_CACHE``, else in ``lstm-cli`` in ``$XDG_CACHE_HOME`` or ``~/.cache``; where neither can be made, a
    folder in the place for temporary files serves, which later processes of the same user find again. A folder that is
    there already need not be writable: an image or a shared installation may hold what others compiled.

    Code is loaded from it. So it must not be one that every user can write, nor one that another user may have put
    there because every user can write beside it, as in ``/tmp``. Whom else its owner lets write is not looked at.

    Raises
    ------
    OSError
        There is no such folder; `filename` and `strerror` tell which, and why.
    """
    try:
        return _usable(_chosen() / name)
    except OSError as error:
        if os.environ.get("LSTM_CLI_CACHE"):
            raise
        with suppress(OSError):
            return _usable(_temporary() / name)
        raise error  # the first one is where the user expects it


def _usable(folder: Path) -> Path:
    try:
        folder.mkdir(mode=0o775, parents=True, exist_ok=True)
        if _others_can_write(folder.absolute()) or _others_can_write(folder.resolve()):
            raise PermissionError(errno.EPERM, "other users can write to it")
        if not os.access(folder, os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        error.filename = str(folder)
        raise
    return folder


def _others_can_write(folder: Path) -> bool:
    """Whether every user can write to a folder, or could have put it there: it, or one that it is in."""
    open_to_all = bool(folder.stat().st_mode & stat.S_IWOTH)
    for place in (folder, *folder.parents):
        beside = place.parent.stat().st_mode & stat.S_IWOTH
        open_to_all |= bool(beside) and place.lstat().st_uid not in (0, os.getuid())
    return open_to_all


def _chosen() -> Path:
    if given := os.environ.get("LSTM_CLI_CACHE"):
        return Path(given).absolute()
    if caches := os.environ.get("XDG_CACHE_HOME"):
        return Path(caches).absolute() / "lstm-cli"
    try:
        return Path.home() / ".cache" / "lstm-cli"
    except RuntimeError as error:  # there is neither HOME nor an entry for the user
        raise FileNotFoundError(errno.ENOENT, "no home folder", "~/.cache/lstm-cli") from error


def _temporary() -> Path:
    """Return a folder that only this user can write."""
    place = Path(tempfile.gettempdir())
    if _last_resort(place):
        raise FileNotFoundError(errno.ENOENT, "no folder for temporary files can be written", str(place))
    folder = place / f"lstm-cli-{os.getuid()}"
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise PermissionError(errno.EPERM, "other users can write to it", str(folder))
    return folder


def _last_resort(place: Path) -> bool:
    """Whether Python found no place for temporary files and offers the working folder, where we have no business."""
    named = [Path(value).absolute() for name in ("TMPDIR", "TEMP", "TMP") if (value := os.environ.get(name))]
    try:
        return place == Path.cwd() and place not in (*named, Path("/tmp"), Path("/var/tmp"), Path("/usr/tmp"))
    except FileNotFoundError:  # the working folder was removed
        return False
