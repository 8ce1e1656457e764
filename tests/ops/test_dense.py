import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest

from lstm_cli.kernels import dense as kernels
from lstm_cli.kernels.runtime.memory import aligned
from lstm_cli.ops.dense import DenseGradient, dense
from lstm_cli.ops.mode import python_mode
from tests.support.ops import check_gradient, compiled, ops_of

SHAPES = [
    (1, 1, 1),
    (7, 3, 5),
    (33, 40, 70),
    (700, 200, 1000),
    (500, 130, 9),
    (17, 801, 450),
    (1, 100, 3000),
    (3000, 2, 1),
]


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 2e-6), ("float64", 1e-14)])
def test_outputs_and_gradients_are_those_of_numpy(dtype, tolerance):
    x, dy = pt.matrix(dtype=dtype), pt.matrix(dtype=dtype)
    W, b = pt.matrix(dtype=dtype), pt.vector(dtype=dtype)
    y = dense(x, W, b)
    function = compiled([x, W, b, dy], [y, *pytensor.grad(None, [x, W, b], known_grads={y: dy})])
    for rows, inputs, classes in SHAPES:
        rng = np.random.default_rng(rows)
        values = [rng.normal(size=s) for s in ((rows, inputs), (classes, inputs), (classes,), (rows, classes))]
        xv, Wv, bv, dyv = values
        expected = [xv @ Wv.T + bv, dyv @ Wv, dyv.T @ xv, dyv.sum(0)]
        for got, value in zip(function(*(v.astype(dtype) for v in values)), expected, strict=True):
            assert got.dtype == dtype
            np.testing.assert_allclose(got, value, rtol=0, atol=tolerance * np.abs(value).max() * 4)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_products_stay_within_their_memory_whatever_it_held(monkeypatch, dtype, threads):
    beyond = []

    def guarded(name, count, dtype):
        memory = aligned(count + 64, dtype)
        memory[:] = np.nan
        beyond.append(memory[count:])
        return memory[:count]

    monkeypatch.setattr(kernels, "scratch", guarded)
    monkeypatch.setattr(kernels, "threads", lambda: threads)
    monkeypatch.setattr(kernels, "SMALL", 1)
    for rows, inputs, classes in SHAPES:
        rng = np.random.default_rng(rows)
        x, W, dy = (rng.normal(size=s).astype(dtype) for s in ((rows, inputs), (classes, inputs), (rows, classes)))
        y, dx, dW, db = np.empty_like(dy), np.empty_like(x), np.empty_like(W), np.empty(classes, dtype)
        kernels.affine(x, W, db[:0], y)
        kernels.times_weights(dy, W, dx)
        kernels.weight_gradient(x, dy, dW, db)
        for got, value in ((y, x @ W.T), (dx, dy @ W), (dW, dy.T @ x), (db, dy.sum(0))):
            np.testing.assert_allclose(got, value, rtol=0, atol=4e-6 * np.abs(value).max())
    assert len(beyond) == 3 * len(SHAPES) and np.isnan(beyond).all()


def test_leading_axes_are_kept():
    rng = np.random.default_rng(0)
    check_gradient(
        lambda x, W, b: dense(x, W, b), rng.normal(size=(2, 3, 4)), rng.normal(size=(5, 4)), rng.normal(size=5)
    )


def test_two_runs_give_the_same_bits():
    x, W, b = pt.fmatrix(), pt.fmatrix(), pt.fvector()
    function = compiled([x, W, b], [dense(x, W, b), *pytensor.grad(dense(x, W, b).sum(), [x, W, b])])
    rng = np.random.default_rng(0)
    values = [rng.normal(size=s).astype("float32") for s in ((300, 100), (77, 100), (77,))]
    first = [a.copy() for a in function(*values)]
    assert all((a == b).all() for a, b in zip(first, function(*values), strict=True))


def test_the_gradient_of_an_input_is_computed_only_for_a_reader():
    x, W, b = pt.dmatrix(), pt.dmatrix(), pt.dvector()
    cost = (dense(x, W, b) ** 2).sum()
    for wanted, variables in ((False, [W, b]), (True, [x])):
        ops = ops_of(compiled([x, W, b], pytensor.grad(cost, variables)))
        assert next(op for op in ops if isinstance(op, DenseGradient)).wanted == wanted


def test_shapes_and_kinds_that_do_not_fit_are_refused():
    x, W, b = pt.dmatrix(), pt.dmatrix(), pt.dvector()
    with pytest.raises(ValueError, match=r"dense: got x \(2, 3\), W \(4, 5\), b \(4,\), expected"):
        compiled([x, W, b], dense(x, W, b))(np.zeros((2, 3)), np.zeros((4, 5)), np.zeros(4))
    with pytest.raises(TypeError, match="dense: x: got float32, expected float64 as W has"):
        dense(pt.fmatrix(), W, b)
    with pytest.raises(TypeError, match=r"dense: b: got .*, expected floats of 1 dimensions"):
        dense(x, W, pt.dmatrix())


def test_second_derivatives_are_those_of_the_product():
    numbers = np.random.default_rng(2)
    values = [numbers.normal(size=size) for size in ((2, 3, 4), (5, 4), (5,))]
    inputs = [pt.dtensor3(), pt.dmatrix(), pt.dvector()]
    x, W, b = inputs
    results = []
    for y in (dense(x, W, b), pt.dot(x, W.T) + b):
        first = pytensor.grad(pt.sin(y).sum(), inputs)
        second = pytensor.grad(sum((g**2).sum() for g in first), inputs)
        results.append(pytensor.function(inputs, second, mode=python_mode())(*values))
    for got, expected in zip(*results, strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-12)
