"""Kernels called from several threads at a time, as by functions that share nothing."""

import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from lstm_cli.kernels.dense import affine


def test_threads_do_not_share_what_a_call_works_in():
    rng, interval, wrong = np.random.default_rng(0), sys.getswitchinterval(), []
    ready = threading.Barrier(4)

    def work(rows: int) -> None:
        x, W, b = (rng.normal(size=shape) for shape in ((rows, 5), (7, 5), 7))
        y = np.empty((rows, 7))
        ready.wait()
        for _ in range(2000):
            y[:] = 0
            affine(x, W, b, y)
            if not np.allclose(y, x @ W.T + b):
                wrong.append(rows)
                return

    threads = [threading.Thread(target=work, args=(rows,)) for rows in (3, 4, 50, 200)]
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert wrong == []


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="which memory a process shares is read from /proc")
def test_an_import_makes_no_lock_that_forked_processes_would_share():
    """One of them killed while it holds the lock would stop all the others, as numba's did once."""
    shown = "import lstm_cli.training.keeper; print(open('/proc/self/maps').read())"
    maps = subprocess.run([sys.executable, "-c", shown], capture_output=True, text=True, check=True).stdout.splitlines()
    assert len(maps) > 100
    assert [line for line in maps if "/dev/shm" in line] == []
