"""Available memory, checked before use, before the OOM killer ends the process without a message."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lstm_cli.errors import DataError

#: Arrays made from the sequences read take at least this share of the sequences' memory.
_DERIVED_SHARE = 0.25
#: Bytes reserved for everything else: without room for an integer, Python 3.11 hangs while cleaning up.
_RESERVED = 1 << 26
#: What the loader of shared libraries says where memory ends.
_NO_ROOM = ("failed to map segment", "cannot allocate memory", "Cannot allocate memory")
_FIX = "give fewer or shorter sequences, or use a machine with more memory"


def available() -> int | None:
    """Return the bytes still free by all limits of the system and the process; None if they are unknown."""
    return min(_limits(), default=None)


def _limits() -> Iterator[int]:
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                yield 1024 * int(line.split()[1])
        most = resource.getrlimit(resource.RLIMIT_AS)[0]  # `ulimit -v`
        if most != resource.RLIM_INFINITY:
            taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
            yield max(0, most - taken)
        group = Path("/sys/fs/cgroup") / Path("/proc/self/cgroup").read_text().partition("0::/")[2].strip()
    except (OSError, ValueError):
        return
    for folder in (group, *group.parents):
        try:
            limit, current = ((folder / f"memory.{name}").read_text().strip() for name in ("max", "current"))
        except OSError:
            continue
        if limit != "max":
            yield max(0, int(limit) - int(current))


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
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
    except (OSError, ValueError):
        return None


@contextmanager
def memory_errors(name: str) -> Iterator[None]:
    """Turn a `MemoryError`, or a library for whose code there is no room, into a `DataError` that names the data."""
    try:
        yield
    except (MemoryError, ImportError) as error:
        if isinstance(error, ImportError) and not any(reason in str(error) for reason in _NO_ROOM):
            raise
        raise DataError(f"{name}: does not fit into memory: {_FIX}") from None
