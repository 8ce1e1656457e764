"""How the cores of the machine are shared out among processes."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from lstm_cli.engine.threads import cores


def shares(count: int) -> list[list[int]]:
    """Return disjoint sets of processors for at most `count` processes, one for each that can run at a time.

    The hyper-threads of a core stay together. Where a process cannot be bound to processors, the sets are of equal size
    but only their number of cores has a meaning.
    """
    groups = cores()
    number = max(1, min(count, len(groups)))
    return [[processor for group in groups[k::number] for processor in group] for k in range(number)]


@contextmanager
def bound(processors: list[int]) -> Iterator[None]:
    """Have processes that are started inside run on these processors, where the system can bind them."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, processors)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
