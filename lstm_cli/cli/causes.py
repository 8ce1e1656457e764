"""What failed outside the package, in words: too little of the machine, the file system, a broken installation.

What no cause here explains is a mistake of the package itself, and is reported as one.
"""

import errno
import os
import re
import resource
from collections.abc import Iterator
from pathlib import Path

from lstm_cli.errors import FULL, MAKE_ROOM, ConfigError, DiskError, lacks_memory, on_one_line

#: Exit code of what the machine or the installation lacks, and of the package's own mistakes.
UNEXPECTED = 1

_DISK = {*FULL, errno.EIO, errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOENT, errno.ENOTDIR, errno.EISDIR,
         errno.ELOOP, errno.ENAMETOOLONG, errno.ESTALE, errno.ETXTBSY, errno.ENXIO, errno.ENODEV,
         errno.EBUSY, errno.EILSEQ, errno.ENOTEMPTY, errno.EEXIST}  # fmt: skip


def outside(error: BaseException) -> tuple[str, int] | None:
    """Return the message and the exit code of an error whose cause lies outside the package, else None."""
    words = _words(error)
    if any(map(lacks_memory, _chain(error))):
        return "too little memory: free some, raise the limit (ulimit -v) or train a smaller model", UNEXPECTED
    if isinstance(error, OSError) and error.errno:
        return _of_system(error)
    if isinstance(error, RuntimeError) and "can't start new thread" in words:
        return "no thread can be started: raise the limit on processes (ulimit -u), or end others", UNEXPECTED
    if isinstance(error, UnicodeEncodeError):
        return _of_text(error), ConfigError.exit_code
    if isinstance(error, OverflowError) and "timestamp" in words:
        return "this machine's clock is set to a time beyond what Python can represent: set the clock", UNEXPECTED
    return _of_installation(error, words)


def _of_text(error: UnicodeEncodeError) -> str:
    text = repr(error.object[:200]).encode("ascii", "backslashreplace").decode()
    if error.encoding.replace("-", "").lower() == "utf8":
        return f"{text}: bytes that are not UTF-8: give this name or text in UTF-8"
    return f"{text}: characters that this locale's encoding, {error.encoding}, lacks: set PYTHONUTF8=1"


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and those that led to it."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _words(error: BaseException) -> str:
    return on_one_line(" ".join(str(error).split())[:500])


def _of_system(error: OSError) -> tuple[str, int] | None:
    if error.errno in (errno.EMFILE, errno.ENFILE):
        files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        limit = "this system" if error.errno == errno.ENFILE else f"the limit of {files} (ulimit -n)"
        return f"{_place(error)}too many open files for {limit}: raise it", UNEXPECTED
    if error.errno == errno.EAGAIN:
        return "no process can be started: raise the limit on processes (ulimit -u), or end others", UNEXPECTED
    if error.errno not in _DISK:
        return None
    if not _folder_exists():
        return "the current folder was removed: change to one that exists", DiskError.exit_code
    what, fix = "read or written", "check the disk, the path and its permissions"
    if error.errno in FULL:
        what, fix = "written", MAKE_ROOM
    place = _place(error) or "standard output or a file: "
    return f"{place}cannot be {what}: {error.strerror or error}: {fix}", DiskError.exit_code


def _place(error: OSError) -> str:
    name = error.filename if error.filename2 is None else error.filename2
    if name is None or isinstance(name, int):
        return ""
    return f"{on_one_line(os.fsdecode(name))}: "


def _folder_exists() -> bool:
    try:
        Path.cwd()
    except OSError:
        return False
    return True


def _of_installation(error: BaseException, words: str) -> tuple[str, int] | None:
    """Say which library is missing, broken or of a version that the package does not work with."""
    wrong = list(wrong_versions())
    if wrong:
        found = f"{type(error).__name__}: {words}: "
        return f"{found}{', '.join(wrong)}: install the package anew: {_INSTALL}", UNEXPECTED
    loading = isinstance(error, OSError) and not error.errno and "shared object" in words
    name = (getattr(error, "name", None) or "a library").partition(".")[0]
    if loading or (isinstance(error, ImportError) and name != "lstm_cli"):
        return f"{name} cannot be imported ({words}): its installation is broken: {_INSTALL}", UNEXPECTED
    return None


_INSTALL = "pip install --force-reinstall lstm-cli (in a clone: .)"


def wrong_versions() -> Iterator[str]:
    """Yield each library that is missing, or that has a version that the package does not declare to work with."""
    from importlib import metadata  # slow, and needed for few messages

    try:
        required = metadata.requires("lstm-cli") or []
    except metadata.PackageNotFoundError:
        return
    for line in required:
        if "extra ==" in line:
            continue
        requirement = line.partition(";")[0]
        name = re.split(r"[^\w.-]", requirement, maxsplit=1)[0]
        bounds = requirement.removeprefix(name).strip()
        try:
            version = metadata.version(name)
        except metadata.PackageNotFoundError:
            yield f"{name} is not installed"
            continue
        if not all(_holds(version, bound.strip()) for bound in bounds.split(",") if bound.strip()):
            yield f"{name} {version} is installed, expected {bounds}"


def _holds(version: str, bound: str) -> bool:
    """Whether a version fulfils ``>=1.2`` or ``<3``."""
    numbers, least = (tuple(map(int, re.findall(r"\d+", text.partition("+")[0])))[:3] for text in (version, bound))
    return numbers < least if bound.startswith("<") else numbers >= least
