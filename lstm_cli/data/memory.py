"""How much memory a batch takes, and how much there is: asked before it is used, as the system's answer is a kill."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from lstm_cli.config.model import ModelSpec
from lstm_cli.errors import DataError

if TYPE_CHECKING:
    from lstm_cli.data.schema.schema import Schema

#: Numbers per unit and step: the gates, and beside them the states, their gradient and a copy for dropout.
_TRAINED = {"lstm": 4 + 3, "gru": 3 + 3, "rnn": 1 + 3}
_EVALUATED = 2
#: Numbers per step with a target: where it stands, its weight, its loss, and what they are made from.
_PER_TARGET = 40
#: Numbers per output and such step; metrics of numbers and sets work in double precision.
_PER_LABEL, _PER_NUMBER_TRAINED, _PER_NUMBER_EVALUATED = 1, 3, 8

#: What is made of rows that were read takes at least this share of what they take.
_MADE_OF_ROWS = 0.25
#: So much is left for what else there is: where not even an integer fits, Python 3.11 hangs while it cleans up.
_LEFT = 1 << 26
_FIX = "give fewer or shorter sequences, or a machine with more"


def needed(spec: ModelSpec, schema: "Schema", steps: int, *, precision: str, training: bool) -> int:
    """Return about how many bytes a batch of so many padded steps takes, to train on or only to look at.

    Parameters
    ----------
    spec
        The section `model` of the config.
    schema
        What the data's columns are.
    steps
        T * B.
    precision
        ``float32`` or ``float64``.
    training
        With gradients, or without.
    """
    numbers = (3 if training else 1) * (schema.numeric_size + _embedded(spec, schema))
    for layer in spec.layers:
        width = layer.size * (2 if layer.bidirectional else 1)
        numbers += width * (_TRAINED[layer.cell] if training else _EVALUATED)
    target = schema.target
    if target.per == "step":
        per_number = _PER_NUMBER_TRAINED if training else _PER_NUMBER_EVALUATED
        numbers += _PER_TARGET + target.size * (_PER_LABEL if target.kind == "category" else per_number)
    elif training and spec.pool != "last":
        numbers += 2 * width
    return steps * numbers * (4 if precision == "float32" else 8)


def _embedded(spec: ModelSpec, schema: "Schema") -> int:
    """Return the width of all embeddings together."""
    sizes = spec.embedding
    return sum(sizes if isinstance(sizes, int) else sizes.get(name, 0) for name in schema.tokens)


def available() -> int | None:
    """Return the bytes that can still be had, by the word of the system and of all who limit it; None if none says."""
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
            most, taken = ((folder / f"memory.{name}").read_text().strip() for name in ("max", "current"))
        except OSError:
            continue
        if most != "max":
            yield max(0, int(most) - int(taken))


def readable(count: float) -> str:
    """Return a number of bytes as people say it."""
    for unit in ("bytes", "kB", "MB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:,.3g} GB"


class Watch:
    """Watches over the memory while a file is read: what is read piles up where all of it is needed."""

    def __init__(self) -> None:
        self._before = resident()

    def check(self, where: str, *, more: int = 0) -> None:
        """Refuse to read on where there is no memory for what is made of all that was read, or for so many bytes."""
        free = available()
        if free is None or self._before is None:
            return
        taken = (resident() or 0) - self._before
        if free < max(more, _MADE_OF_ROWS * taken, min(_LEFT, taken)):
            what = f"to read this takes {readable(max(taken, more))} of memory, and {readable(free)} are left"
            raise DataError(f"{where}: {what}: {_FIX}")


def resident() -> int | None:
    """Return the bytes of memory that this process holds; None if the system does not say."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
    except (OSError, ValueError):
        return None


@contextmanager
def enough(name: str) -> Iterator[None]:
    """Make it an error of the data if the memory is not enough for it after all."""
    try:
        yield
    except MemoryError:
        raise DataError(f"{name}: it does not fit into the memory: {_FIX}") from None
