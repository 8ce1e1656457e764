"""How many threads the compiled functions run on."""

import os
from pathlib import Path

from threadpoolctl import threadpool_limits

from lstm_cli.kernels.runtime.threads import set_threads
from lstm_cli.ops.mode import exclusive


@exclusive
def use_threads(threads: int | str) -> None:
    """Set how many threads the kernels use; libraries beside them get one, as threads inside threads thrash."""
    threadpool_limits(1)
    set_threads(thread_count(threads))


def thread_count(threads: int | str) -> int:
    """Return how many threads the config's `threads` means here."""
    return physical_cores() if threads == "auto" else int(threads)


def physical_cores() -> int:
    """Return how many cores this process may use; hyper-threads of one core count once where the system lists them."""
    allowed = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1)
    return len({_core(processor) for processor in allowed})


def _core(processor: int) -> str:
    try:
        return Path(f"/sys/devices/system/cpu/cpu{processor}/topology/thread_siblings_list").read_text()
    except OSError:
        return str(processor)
