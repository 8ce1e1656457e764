"""Available memory, checked before use, before the OOM killer ends the process without a message."""

import resource
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from lstm_cli.errors import DataError, lacks_memory

#: Arrays made from the sequences read take at least this share of the sequences' memory.
_DERIVED_SHARE = 0.25
#: Bytes reserved for everything else: without room for an integer, Python 3.11 hangs while cleaning up.
_RESERVED = 1 << 26
_FIX = "give fewer or shorter sequences, or use a machine with more memory"
#: Where Linux mounts control groups, and names those of this process.
_GROUPS = Path("/sys/fs/cgroup")
_PROCESS = Path("/proc/self/cgroup")
_UNLIMITED = 1 << 62


class _Version(NamedTuple):
    """A version of control groups: its folder, the files of limits and of what is used, and the names of caches."""

    folder: str
    limits: tuple[str, ...]
    used: str
    caches: tuple[str, ...]


_V1 = _Version(
    "memory", ("memory.limit_in_bytes",), "memory.usage_in_bytes", ("total_inactive_file", "total_active_file")
)
#: Above `memory.high` a process is slowed down until it all but stands still.
_V2 = _Version("", ("memory.max", "memory.high"), "memory.current", ("inactive_file", "active_file"))


def available() -> int | None:
    """Return the bytes still free by all limits of the system and the process; None if they are unknown."""
    return min(_limits(), default=None)


def _limits() -> Iterator[int]:
    free = _from_psutil(lambda psutil: psutil.virtual_memory().available)
    if free is not None:
        yield free
    most = resource.getrlimit(resource.RLIMIT_AS)[0]  # `ulimit -v`, which macOS accepts and does not apply
    if most != resource.RLIM_INFINITY and sys.platform != "darwin":
        taken = _from_psutil(lambda psutil: psutil.Process().memory_info().vms)
        if taken is not None:
            yield max(0, most - taken)
    yield from group_limits()


def _from_psutil(question: Callable[[Any], int]) -> int | None:
    """Return what psutil finds; None if the system does not say, as without ``/proc``: the work then continues."""
    try:
        import psutil

        return question(psutil)
    except Exception:
        return None


def group_limits(groups: Path = _GROUPS, process: Path = _PROCESS) -> Iterator[int]:
    """Yield the bytes still free in each control group of this process that has a limit, as containers and jobs set it.

    Parameters
    ----------
    groups
        Where control groups are mounted.
    process
        The file that names those of this process.
    """
    try:
        lines = process.read_text().splitlines()
    except (OSError, ValueError):
        return
    for line in lines:
        number, controllers, path = [*line.split(":", 2), "", ""][:3]
        if "memory" in controllers.split(","):
            yield from _free(groups / _V1.folder, path, _V1)
        elif number == "0":
            yield from _free(groups, path, _V2)


def _free(mount: Path, path: str, version: _Version) -> Iterator[int]:
    """Yield the bytes still free in a group and in those above it.

    In a container only those from its own on may be mounted, whatever the path says: they are then at the top.
    """
    parts = [part for part in path.split("/") if part not in ("", "..")]
    for depth in range(len(parts), -1, -1):
        folder = mount.joinpath(*parts[:depth])
        limits = [limit for name in version.limits if (limit := _limit(folder / name)) is not None]
        if limits:
            with suppress(OSError, ValueError):
                used = int((folder / version.used).read_text()) - _cached(folder, version)
                yield max(0, min(limits) - used)


def _limit(file: Path) -> int | None:
    """Return the limit in a file; None if there is none, which the first version writes as a huge number."""
    try:
        limit = int(file.read_text())
    except (OSError, ValueError):  # no such file, or "max"
        return None
    return limit if limit < _UNLIMITED else None


def _cached(folder: Path, version: _Version) -> int:
    """Return the bytes of the cache of files, which counts as used and is dropped when memory is needed."""
    with suppress(OSError, ValueError):
        lines = (line.split() for line in (folder / "memory.stat").read_text().splitlines())
        return sum(int(value) for name, value in lines if name in version.caches)
    return 0


def readable(count: float) -> str:
    """Return a number of bytes with a unit, for messages."""
    for unit in ("bytes", "kB", "MB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:,.3g} GB"


class Watch:
    """Watches the memory while a file is read, as all of its sequences are held until the end."""

    def __init__(self) -> None:
        self._before = resident()

    def check(self, where: str, *, more: int = 0) -> None:
        """Raise a `DataError` if memory is too short for `more` bytes, or for arrays of everything read so far."""
        free = available()
        if free is None or self._before is None:
            return
        taken = (resident() or 0) - self._before
        if free < max(more, _DERIVED_SHARE * taken, min(_RESERVED, taken)):
            what = f"reading this takes {readable(max(taken, more))} of memory, but only {readable(free)} are free"
            raise DataError(f"{where}: {what}: {_FIX}")


def resident() -> int | None:
    """Return the bytes of memory that this process holds; None if unknown."""
    return _from_psutil(lambda psutil: psutil.Process().memory_info().rss)


@contextmanager
def memory_errors(name: str) -> Iterator[None]:
    """Turn a `MemoryError`, or a library for whose code there is no room, into a `DataError` that names the data."""
    try:
        yield
    except (MemoryError, ImportError) as error:
        if not lacks_memory(error):
            raise
        raise DataError(f"{name}: does not fit into memory: {_FIX}") from None
