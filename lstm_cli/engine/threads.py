"""The number of threads that compiled functions use."""

import os
from pathlib import Path

from threadpoolctl import threadpool_limits

from lstm_cli.kernels.runtime.registers import REGISTERS
from lstm_cli.kernels.runtime.threads import set_threads, threads
from lstm_cli.ops.mode import exclusive


@exclusive
def use_threads(count: int | str) -> None:
    """Set how many threads the kernels use; other libraries get one, as threads inside threads thrash."""
    threadpool_limits(1)
    set_threads(thread_count(count))


def in_use() -> dict[str, int]:
    """Return what the last bits of results depend on beside versions: threads, and float32 lanes of a register."""
    return {"threads": threads(), "lanes": REGISTERS.lanes}


def thread_count(count: int | str) -> int:
    """Return the number of threads for the config's `threads` on this machine."""
    return physical_cores() if count == "auto" else int(count)


def physical_cores() -> int:
    """Return how many cores this process may use; hyper-threads of one core count once."""
    return len(cores())


def cores() -> list[list[int]]:
    """Return the processors of each core that this process may use; hyper-threads are processors of one core."""
    if hasattr(os, "sched_getaffinity"):
        groups: dict[str, list[int]] = {}
        for processor in sorted(os.sched_getaffinity(0)):
            groups.setdefault(_core(processor), []).append(processor)
        return list(groups.values())
    import psutil  # which takes a while

    return [[number] for number in range(psutil.cpu_count(logical=False) or os.cpu_count() or 1)]


def _core(processor: int) -> str:
    try:
        return Path(f"/sys/devices/system/cpu/cpu{processor}/topology/thread_siblings_list").read_text()
    except OSError:
        return str(processor)
