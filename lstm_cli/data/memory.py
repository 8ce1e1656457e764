"""How much memory there is: asked before it is used, before the OOM killer ends the process without a message."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lstm_cli.errors import DataError

#: What is made of sequences that were read takes at least this share of what they take.
_MADE_OF_SEQUENCES = 0.25
#: Bytes left free for everything else: where not even an integer fits, Python 3.11 hangs while it cleans up.
_LEFT = 1 << 26
_FIX = "give fewer or shorter sequences, or a machine with more"


def available() -> int | None:
    """Return the bytes still free, by the system and everything that limits the process; None if nothing is known."""
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
    """Return a number of bytes as people write it."""
    for unit in ("bytes", "kB", "MB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:,.3g} GB"


class Watch:
    """Watches the memory while a file is read, as everything that is read is held until all of it is needed."""

    def __init__(self) -> None:
        self._before = resident()

    def check(self, where: str, *, more: int = 0) -> None:
        """Raise a `DataError` if memory is short for `more` bytes, or for what is made of everything read so far."""
        free = available()
        if free is None or self._before is None:
            return
        taken = (resident() or 0) - self._before
        if free < max(more, _MADE_OF_SEQUENCES * taken, min(_LEFT, taken)):
            what = f"to read this takes {readable(max(taken, more))} of memory, and {readable(free)} are left"
            raise DataError(f"{where}: {what}: {_FIX}")


def resident() -> int | None:
    """Return the bytes of memory that this process holds; None where it is not known."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
    except (OSError, ValueError):
        return None


@contextmanager
def enough(name: str) -> Iterator[None]:
    """Turn a `MemoryError` into a `DataError` that names the data."""
    try:
        yield
    except MemoryError:
        raise DataError(f"{name}: it does not fit into the memory: {_FIX}") from None
