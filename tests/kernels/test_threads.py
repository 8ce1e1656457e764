"""Kernels called from several threads at a time, as by functions that share nothing."""

import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import lstm_cli
from lstm_cli.kernels.dense import affine

IMPORT_ALL = """
import importlib, pkgutil
import lstm_cli

names = [module.name for module in pkgutil.walk_packages(lstm_cli.__path__, "lstm_cli.")]
for name in names:
    if name in ("lstm_cli.ranks.mpi", "lstm_cli.ranks.frames"):  # start MPI: only ranks of a launcher import them
        continue
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name.partition(".")[0] not in ("mlflow", "tensorboard"):  # of the extra `track`
            raise
print(len(names))
print(open("/proc/self/maps").read())
"""


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
    """One of them killed while it holds the lock would stop all others, as happened with numba's."""
    done = subprocess.run([sys.executable, "-c", IMPORT_ALL], capture_output=True, text=True, check=True)
    count, *maps = done.stdout.splitlines()
    assert int(count) == len(list(Path(lstm_cli.__path__[0]).rglob("*.py"))) - 1  # without the package's own file
    assert [line for line in maps if "lib" in line and ".so" in line]
    assert [line for line in maps if "/dev/shm" in line] == []
