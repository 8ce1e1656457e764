"""What the other ranks send to rank 0 while all work: arrays as they lie in memory, behind a line of JSON."""

import json
import time
from collections import deque
from collections.abc import Sequence

import numpy as np
from mpi4py import MPI

AHEAD = 2  # messages of a rank that rank 0 has not taken yet, at most: so much more memory a rank needs
_POLL = 0.0005  # seconds between two looks whether a message has come
_FRAME, _STOPPED = 1, 2


class Frames:
    """Messages of each rank to rank 0, in order.

    Parameters
    ----------
    group
        All ranks; nothing else is sent through it.
    """

    def __init__(self, group: MPI.Comm) -> None:
        self._group = group
        self._sent: deque[tuple[MPI.Request, bytearray]] = deque()

    def send(self, about: str, arrays: Sequence[np.ndarray] = ()) -> None:
        """Send arrays to rank 0, first waiting until it has taken all messages but the last few."""
        while len(self._sent) >= AHEAD:
            self._settle_first()
        data = packed(about, arrays)
        # A synchronous one is complete when rank 0 has taken it: MPI holds none of them for us.
        self._sent.append((self._group.Issend([data, MPI.BYTE], 0, _FRAME), data))

    def settle(self) -> None:
        """Wait until rank 0 has taken every message."""
        while self._sent:
            self._settle_first()

    def tell_stopped(self) -> None:
        """Let rank 0 know, before what it has still to take, that a signal ended this rank."""
        data = bytearray(1)
        self._sent.append((self._group.Isend([data, MPI.BYTE], 0, _STOPPED), data))

    def take(self, rank: int) -> tuple[str, list[np.ndarray]] | None:
        """Wait for the next message of a rank, and return it; None: a signal ended a rank."""
        while (message := self._group.Improbe(rank, _FRAME, status := MPI.Status())) is None:
            if self._group.Iprobe(MPI.ANY_SOURCE, _STOPPED):
                return None
            time.sleep(_POLL)
        data = bytearray(status.Get_count(MPI.BYTE))
        request = message.Irecv([data, MPI.BYTE])
        while not request.Test():
            time.sleep(_POLL)
        return unpacked(data)

    def _settle_first(self) -> None:
        request, _ = self._sent[0]
        while not request.Test():
            time.sleep(_POLL)
        self._sent.popleft()


def packed(about: str, arrays: Sequence[np.ndarray]) -> bytearray:
    """Return arrays as bytes: a line of JSON with their types and shapes, then their values."""
    head = json.dumps({"about": about, "arrays": [[array.dtype.str, array.shape] for array in arrays]})
    data = bytearray(f"{head}\n".encode())
    for array in arrays:
        data += np.ascontiguousarray(array).data.cast("B") if array.size else b""
    return data


def unpacked(data: bytearray) -> tuple[str, list[np.ndarray]]:
    """Return what `packed` was given."""
    place = data.index(b"\n") + 1
    head, arrays = json.loads(data[:place]), []
    for kind, shape in head["arrays"]:
        dtype, count = np.dtype(kind), int(np.prod(shape, dtype=np.int64))
        arrays.append(np.frombuffer(data, dtype, count, place).reshape(shape) if count else np.zeros(shape, dtype))
        place += count * dtype.itemsize
    return head["about"], arrays
