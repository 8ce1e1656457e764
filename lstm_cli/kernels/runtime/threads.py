"""The threads that kernels run on."""

import os

import numba

# Threads that wait for work look for it in a loop for a while. By default libgomp's do that a hundred times longer than
# there is nothing to do within a step, and take the processor from the one thread that has work wherever other programs
# want it too. It reads this when numba starts the threads; a value that the user has set stays.
if "OMP_WAIT_POLICY" not in os.environ:
    os.environ.setdefault("GOMP_SPINCOUNT", "3000")

_threads: list[int] = []  # numba takes a microsecond to return it, and a step asks many times


def threads() -> int:
    """Return the number of shards that the work of one call is cut into.

    The first call makes numba start its threads, under a lock that processes forked later share; importing does not.
    """
    if not _threads:
        _threads.append(numba.get_num_threads())
    return _threads[0]


def set_threads(count: int) -> None:
    """Use `count` threads from now on; more than the process was started with is brought down to that."""
    _threads[:] = [max(1, min(count, numba.config.NUMBA_NUM_THREADS))]
    numba.set_num_threads(_threads[0])
