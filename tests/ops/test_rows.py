import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest

from lstm_cli.kernels.runtime.threads import set_threads, threads
from lstm_cli.ops.rows import gather
from tests.support.ops import check_gradient, compiled


def picker():
    h, rows = pt.ftensor3(), pt.lvector()
    steps = gather(h, rows)
    return compiled([h, rows], [steps, pytensor.grad((steps * steps).sum(), h)])


@pytest.mark.parametrize("units", [1, 5, 16, 300])
def test_steps_that_count_and_zeros_between_their_gradients(units):
    rng = np.random.default_rng(0)
    function = picker()
    for steps, batch in ((1, 1), (4, 3), (60, 7)):
        h = rng.normal(size=(steps, batch, units)).astype("float32")
        for chosen in (np.ones(steps * batch, bool), np.zeros(steps * batch, bool), rng.random(steps * batch) < 0.6):
            rows = np.flatnonzero(chosen)
            picked, gradient = function(h, rows)
            flat = h.reshape(-1, units)
            np.testing.assert_array_equal(picked, flat[rows])
            np.testing.assert_array_equal(gradient.reshape(-1, units), np.where(chosen[:, None], 2 * flat, 0))


def test_the_number_of_threads_changes_nothing():
    rng, before = np.random.default_rng(0), threads()
    h, rows = rng.normal(size=(50, 20, 30)).astype("float32"), np.flatnonzero(rng.random(1000) < 0.7)
    results = []
    try:
        for count in (1, before):
            set_threads(count)
            results.append(picker()(h, rows))
    finally:
        set_threads(before)
    for one, other in zip(*results, strict=True):
        np.testing.assert_array_equal(one, other)


def test_numeric_gradients():
    h = np.random.default_rng(0).normal(size=(4, 2, 3))
    check_gradient(lambda h: gather(h, pt.constant(np.array([0, 5, 7]))), h)


@pytest.mark.parametrize("rows", [[-1, 2], [0, 8], [3, 2], [2, 2]])
def test_rows_that_are_not_there_or_out_of_order_are_named(rows):
    with pytest.raises(IndexError, match=f"rows must ascend in 0 … 7, got {rows[0]} … {rows[1]}"):
        picker()(np.zeros((4, 2, 3), np.float32), np.array(rows))
