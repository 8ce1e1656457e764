"""Ranks as threads of this process: they agree on everything as ranks of MPI do, without a launcher."""

import queue
import threading
from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

import numpy as np

from lstm_cli.ranks import World

TIMEOUT = 120  # seconds after which a rank that waits for another one fails


class Meeting:
    """Where ranks leave what they have, and take what all have left."""

    def __init__(self, size: int) -> None:
        self.left: list[Any] = [None] * size
        self.barrier = threading.Barrier(size, timeout=TIMEOUT)
        self.given = [queue.Queue() for _ in range(size)]

    def exchange(self, rank: int, value: Any) -> list[Any]:
        self.left[rank] = value
        self.barrier.wait()
        found = list(self.left)
        self.barrier.wait()
        return found


class ThreadWorld(World):
    """A rank that is a thread."""

    def __init__(self, rank: int, size: int, meeting: Meeting) -> None:
        super().__init__()
        self.rank, self.size, self._meeting, self._stopping = rank, size, meeting, False
        self.found = 0  # what it gave to rank 0

    @property
    def stopping(self) -> bool:
        return self._stopping

    @property
    def name(self) -> str:
        return f"rank {self.rank} on here"

    def totals(self, *values):
        found = self._meeting.exchange(self.rank, (*values, float(self.asked())))
        *sums, asked = np.sum(found, axis=0).tolist()
        self._stopping = self._stopping or asked > 0
        return tuple(sums)

    def agree_to_stop(self) -> None:
        self.totals()

    def add_up(self, array) -> None:
        parts = self._meeting.exchange(self.rank, array.copy())
        array[...] = sum(parts[1:], start=parts[0])

    def gathered(self, data):
        return self._meeting.exchange(self.rank, data)

    def replace(self, array) -> None:
        array[...] = self._meeting.exchange(self.rank, array.copy())[0]

    def broadcast(self, data):
        return self._meeting.exchange(self.rank, data)[0]

    def give(self, about, arrays) -> None:
        self.found += len(arrays[0])
        self._meeting.given[self.rank].put((about, [np.array(array) for array in arrays]))

    def taken(self, about):
        for given in self._meeting.given[1:]:
            theirs, arrays = given.get(timeout=TIMEOUT)
            assert theirs == about
            yield arrays

    @contextmanager
    def led(self):
        yield
        if self.rank:
            self.give("done", [[]])
        else:
            assert len(list(self.taken("done"))) == self.size - 1

    @contextmanager
    def one_first(self):
        yield


def on_ranks(size: int, work: Callable[[World], Any]) -> list[Any]:
    """Return what `work` returns on each of `size` ranks; an error of one ends all."""
    meeting, found, errors = Meeting(size), [None] * size, []

    def run(rank: int) -> None:
        try:
            found[rank] = work(ThreadWorld(rank, size, meeting))
        except BaseException as error:
            errors.append(error)
            meeting.barrier.abort()

    threads = [threading.Thread(target=run, args=(rank,), daemon=True) for rank in range(size)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(TIMEOUT)
    real = [error for error in errors if not isinstance(error, threading.BrokenBarrierError)]
    if errors:
        raise (real or errors)[0]
    return found
