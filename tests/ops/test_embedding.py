import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest

from lstm_cli.kernels.runtime.threads import set_threads, threads
from lstm_cli.ops.embedding import embedding
from tests.support.ops import check_gradient, compiled


def lookup(ids):
    table = pt.fmatrix()
    numbers = pt.as_tensor_variable(ids).type()
    rows = embedding(table, numbers)
    return compiled([table, numbers], [rows, pytensor.grad((rows * rows).sum(), table)])


@pytest.mark.parametrize("columns", [1, 5, 16, 50])
@pytest.mark.parametrize("dtype", ["int32", "int64"])
def test_rows_of_a_table_and_the_sum_of_their_gradients(columns, dtype):
    rng = np.random.default_rng(0)
    table, ids = rng.normal(size=(7, columns)).astype("float32"), rng.integers(0, 6, (4, 3)).astype(dtype)
    rows, gradient = lookup(ids)(table, ids)
    np.testing.assert_array_equal(rows, table[ids])
    wanted = np.zeros_like(table)
    np.add.at(wanted, ids, 2 * table[ids])
    np.testing.assert_allclose(gradient, wanted, rtol=1e-6)
    assert (gradient[6] == 0).all()


def test_numeric_gradients():
    rng = np.random.default_rng(0)
    ids = pt.constant(rng.integers(0, 5, (3, 4)))
    check_gradient(lambda table: embedding(table, ids), rng.normal(size=(5, 3)))


def test_the_gradient_does_not_depend_on_the_threads():
    rng, before = np.random.default_rng(0), threads()
    table, ids = rng.normal(size=(9, 100)).astype("float32"), rng.integers(0, 9, (50, 20))
    results = []
    try:
        for count in (1, before):
            set_threads(count)
            results.append(lookup(ids)(table, ids)[1])
    finally:
        set_threads(before)
    np.testing.assert_array_equal(*results)


@pytest.mark.parametrize("row", [-1, 7])
def test_rows_out_of_range_are_named(row):
    ids = np.array([[0, row]])
    with pytest.raises(IndexError, match=f"rows must lie in 0 … 6, got {min(0, row)} … {max(0, row)}"):
        lookup(ids)(np.zeros((7, 2), np.float32), ids)


def test_no_ids():
    ids = np.zeros((0, 3), np.int64)
    rows, gradient = lookup(ids)(np.ones((7, 2), np.float32), ids)
    assert rows.shape == (0, 3, 2) and (gradient == 0).all()
