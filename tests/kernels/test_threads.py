"""Kernels called from several threads at a time, as by functions that share nothing."""

import sys
import threading

import numpy as np

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
