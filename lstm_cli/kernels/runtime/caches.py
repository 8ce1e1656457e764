"""The folder where compiled code is kept from one process to the next."""

import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path


def cache_folder(name: str) -> Path:
    """Return a folder for compiled code that can be written to, created if needed.

    It is ``$LSTM_CLI_CACHE``, else in ``lstm-cli`` in ``$XDG_CACHE_HOME`` or ``~/.cache``. Where that cannot be
    written, a folder in the place for temporary files serves, which later processes of the same user find again.
    """
    with suppress(OSError, RuntimeError):  # RuntimeError: there is neither HOME nor an entry for the user
        return _writable(_chosen() / name)
    return _writable(_temporary() / name)


def _writable(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    tempfile.TemporaryFile(dir=folder).close()
    return folder


def _chosen() -> Path:
    if given := os.environ.get("LSTM_CLI_CACHE"):
        return Path(given).absolute()
    caches = os.environ.get("XDG_CACHE_HOME")
    return (Path(caches).absolute() if caches else Path.home() / ".cache") / "lstm-cli"


def _temporary() -> Path:
    """Return a folder that only this user can write, as code is loaded from it."""
    folder = Path(tempfile.gettempdir()) / f"lstm-cli-{os.getuid()}"
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    found = folder.lstat()
    ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o077
    return folder if ours else Path(tempfile.mkdtemp(prefix="lstm-cli-"))
