"""Ranks that a launcher of MPI started.

Waiting for work of unknown length, such as reading data, polls and sleeps; within an update MPI waits, which is faster
and keeps the processor busy.
"""

import os
import signal
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from lstm_cli.errors import DataError, Diverged, Interrupted, LstmError
from lstm_cli.ranks.frames import Frames
from lstm_cli.ranks.world import World

_POLL = 0.005  # seconds between two looks whether a rank has come
_OWN_SIGNAL = 0.3  # seconds within which a launcher's signal has reached every rank
_DONE, _FAILED = "done", "failed"  # what a rank sends to rank 0 at its end


class Ended(LstmError):
    """Another rank failed, and tells why."""


class MpiWorld(World):
    """All ranks of ``MPI_COMM_WORLD``."""

    def __init__(self) -> None:
        super().__init__()
        self._all = MPI.COMM_WORLD.Dup()
        self.rank, self.size = self._all.Get_rank(), self._all.Get_size()
        self._node = self._all.Split_type(MPI.COMM_TYPE_SHARED)
        self.rank_on_machine = self._node.Get_rank()
        self._stopping = self._told = self._tells = False
        self._frames = Frames(MPI.COMM_WORLD.Dup())

    @property
    def stopping(self) -> bool:
        """Whether the work stops here; on every rank the same."""
        return self._stopping

    def agree_to_stop(self) -> None:
        """Let every rank know whether one was asked to stop, so that all stop at the same place."""
        self.totals()

    def totals(self, *values: float) -> tuple[float, ...]:
        """Return numbers summed over the ranks; whether to stop is agreed on the way."""
        sums = np.array([*values, self.asked()], np.float64)
        self._all.Allreduce(MPI.IN_PLACE, sums)
        *found, asked = sums.tolist()
        self._stopping = self._stopping or asked > 0
        return tuple(found)

    def add_up(self, array: NDArray[np.floating]) -> None:
        """Replace an array by its sum over the ranks."""
        self._all.Allreduce(MPI.IN_PLACE, array)

    def gathered(self, data: bytes) -> list[bytes]:
        """Return what every rank gives, in the order of ranks."""
        return self._gathered(self._all, data)

    def _gathered(self, group: MPI.Comm, data: bytes) -> list[bytes]:
        sizes = np.zeros(group.Get_size(), np.int64)
        self._patiently(group.Iallgather(np.array([len(data)], np.int64), sizes))
        found, ends = bytearray(int(sizes.sum())), np.cumsum(sizes)
        starts = ends - sizes
        self._patiently(group.Iallgatherv([data, MPI.BYTE], [found, (sizes, starts), MPI.BYTE]))
        return [bytes(found[start:end]) for start, end in zip(starts, ends, strict=True)]

    def replace(self, array: np.ndarray) -> None:
        """Replace the values of an array by those that rank 0 has in it."""
        self._all.Bcast(array)

    def broadcast(self, data: bytes) -> bytes:
        """Return what rank 0 gives."""
        size = np.array([len(data)], np.int64)
        self._patiently(self._all.Ibcast(size))
        found = bytearray(data if self.rank == 0 else int(size[0]))
        self._patiently(self._all.Ibcast([found, MPI.BYTE]))
        return bytes(found)

    def share_cores(self, own: list[list[int]]) -> None:
        """Give this rank its share of the machine's cores, unless the launcher has bound it to some.

        `own` are the processors of each core that it may use.
        """
        if not hasattr(os, "sched_setaffinity"):
            return
        given = self._gathered(self._node, repr(own).encode())
        if len(given) > 1 and len(set(given)) == 1:
            count = max(1, len(own) // len(given))
            first = self.rank_on_machine * count % len(own)
            os.sched_setaffinity(0, [processor for core in own[first : first + count] for processor in core])

    @contextmanager
    def agreed(self) -> Iterator[None]:
        """Run a block on every rank: where it fails on one, all end, and one message says why."""
        error: BaseException | None = None
        try:
            yield
        except BaseException as found:
            error = found
        failed = [flag != b"" for flag in self.gathered(b"" if error is None else b"!")]
        if not any(failed):
            return
        self._tells = failed.index(True) == self.rank
        self._told = not self._tells
        if error is None or self._told:
            raise Ended("another rank failed") from None
        raise error

    @contextmanager
    def led(self) -> Iterator[None]:
        """Run a block on every rank, in which the others `give` and rank 0 takes, and alone says what fails on all.

        Where another rank alone fails, it says why once rank 0 has come to what it should have given.
        """
        if self.rank == 0:
            yield
            for _ in self.taken(_DONE):
                pass
            return
        try:
            yield
        except KeyboardInterrupt:
            self._frames.tell_stopped()
            raise
        except Exception:
            self._frames.send(_FAILED)
            self._frames.settle()
            raise
        self._frames.send(_DONE)
        self._frames.settle()

    def give(self, about: str, arrays: Sequence[np.ndarray]) -> None:
        """Send arrays to rank 0, from any other; this waits only where rank 0 is far behind."""
        self._frames.send(about, arrays)

    def taken(self, about: str) -> Iterator[list[np.ndarray]]:
        """Yield on rank 0 what each other rank gives, in the order of ranks."""
        for rank in range(1, self.size):
            found = self._frames.take(rank)
            if found is None:
                time.sleep(_OWN_SIGNAL)
                raise Interrupted("another rank was stopped by a signal", signal.SIGTERM)
            theirs, arrays = found
            if theirs == _FAILED:
                self._told = True
                raise Ended(f"rank {rank} failed")
            if theirs != about:
                raise DataError(f"rank {rank} has read other data than rank 0: let all machines see the same files")
            yield arrays

    @contextmanager
    def one_first(self) -> Iterator[None]:
        """Run a block on one rank of every machine before the others, which find what it has compiled."""
        if self.rank_on_machine:
            self._patiently(self._node.Ibarrier())
        yield
        if not self.rank_on_machine:
            self._patiently(self._node.Ibarrier())

    def rejoin(self) -> None:
        """Wait until every rank has come here, without keeping a processor busy."""
        self._patiently(self._all.Ibarrier())

    def end(self, code: int) -> None:
        """End all other ranks at once, with an exit code."""
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # MPI would add lines of its own to our message
        MPI.COMM_WORLD.Abort(code)

    def ends_silently(self, error: BaseException) -> bool:
        """Return whether another rank tells about an error, so that this one keeps silent; it ends all in a moment."""
        on_all = isinstance(error, Diverged | Interrupted | Ended) and not self._tells
        return self._told or (self.rank > 0 and on_all)

    def wait_for_end(self) -> None:
        """Wait until another rank ends all."""
        while True:
            time.sleep(1)

    @property
    def name(self) -> str:
        """What this rank is called in messages."""
        return f"rank {self.rank} on {socket.gethostname()}"

    @staticmethod
    def _patiently(request: Any) -> None:
        while not request.Test():
            time.sleep(_POLL)
