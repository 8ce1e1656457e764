"""Where compiled code is kept: that of this package's kernels, and PyTensor's."""

import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path


def cache_folder(name: str) -> Path:
    """Return a folder for compiled code, made if need be, that can be written.

    It lies in ``$LSTM_CLI_CACHE``, else in ``lstm-cli`` in ``$XDG_CACHE_HOME`` or ``~/.cache``. Where that cannot be
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


def set_pytensor_flags() -> None:
    """Give PyTensor, before it is imported, no C++ compiler, and have it cache beside our kernels.

    None of our graphs has C code, but a PyTensor that finds a compiler builds a module of its own at the first
    function, which fails without Python's headers, or where ``~/.pytensor`` cannot be written.
    """
    folder = cache_folder("pytensor")
    try:
        Path.home()
    except RuntimeError:  # PyTensor looks for its settings there
        os.environ["HOME"] = str(folder)
    quoted = str(folder).replace("'", "'\"'\"'")  # PyTensor splits the flags as a shell does words
    ours = f"cxx=,base_compiledir='{quoted}'"
    given = os.environ.get("PYTENSOR_FLAGS", "").rstrip(" ,")
    if not given.endswith(ours):  # as from a process that started this one; of several values the last one counts
        os.environ["PYTENSOR_FLAGS"] = f"{given},{ours}" if given else ours
