import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest

from lstm_cli.kernels import losses as kernels
from lstm_cli.kernels.runtime.threads import set_threads, threads
from lstm_cli.ops.losses import regression_loss, sigmoid_cross_entropy, softmax_cross_entropy
from tests.support.ops import check_gradient, compiled, ops_of


def log_softmax(x):
    x = x - x.max(1, keepdims=True)
    return x - np.log(np.exp(x).sum(1, keepdims=True))


def softmax_reference(x, target, weight, smoothing=0.0):
    p = log_softmax(x.astype(np.float64))
    known = target >= 0
    nll = np.where(known, -p[np.arange(len(x)), target], 0)
    loss = np.where(known, (1 - smoothing) * nll - smoothing * p.mean(1), 0)
    return (weight * loss).sum(), nll


def rows(n, k, dtype="float32", scale=3.0):
    rng = np.random.default_rng(n * k)
    x = (scale * rng.normal(size=(n, k))).astype(dtype)
    return x, rng.integers(0, k, n), rng.uniform(0.1, 1, n).astype(dtype)


def softmax_function(dtype, smoothing=0.0):
    x, target, weight = pt.matrix(dtype=dtype), pt.lvector(), pt.vector(dtype=dtype)
    loss, nll = softmax_cross_entropy(x, target, weight, label_smoothing=smoothing)
    return compiled([x, target, weight], [loss, nll, pytensor.grad(loss, x)])


@pytest.mark.parametrize(("n", "k"), [(1, 2), (3, 17), (7, 1000), (2, 50_000)])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_softmax_cross_entropy_is_the_formula(n, k, smoothing):
    x, target, weight = rows(n, k)
    loss, nll, gradient = softmax_function("float32", smoothing)(x, target, weight)
    wanted, wanted_nll = softmax_reference(x, target, weight, smoothing)
    np.testing.assert_allclose(loss, wanted, rtol=2e-6)
    np.testing.assert_allclose(nll, wanted_nll, rtol=2e-6, atol=1e-6)
    wanted = np.exp(log_softmax(x.astype(np.float64))) - smoothing / k
    wanted[np.arange(n), target] -= 1 - smoothing
    np.testing.assert_allclose(gradient, weight[:, None] * wanted, atol=2e-7)


def test_softmax_cross_entropy_numeric_gradient():
    x, target, weight = rows(4, 6, "float64")
    target[2] = -1
    check_gradient(lambda x: softmax_cross_entropy(x, pt.constant(target), pt.constant(weight))[0], x)
    smooth = {"label_smoothing": 0.2}
    check_gradient(lambda x: softmax_cross_entropy(x, pt.constant(target), pt.constant(weight), **smooth)[0], x)


def test_unknown_targets_neither_cost_nor_teach():
    x, target, weight = rows(5, 4)
    target[[1, 3]] = -1
    loss, nll, gradient = softmax_function("float32")(x, target, weight)
    assert (nll[[1, 3]] == 0).all() and (gradient[[1, 3]] == 0).all()
    known = [0, 2, 4]
    np.testing.assert_allclose(loss, softmax_reference(x[known], target[known], weight[known])[0], rtol=1e-6)


def test_large_logits_neither_overflow_nor_vanish():
    x = np.array([[1e4, 0, -1e4], [-3e38, 0, 0]], np.float32)
    loss, nll, gradient = softmax_function("float32")(x, np.array([2, 1]), np.ones(2, np.float32))
    np.testing.assert_allclose(nll, [2e4, np.log(2)], rtol=1e-6)
    assert np.isfinite(gradient).all() and np.isfinite(loss)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_logit_that_is_not_finite_shows_in_the_loss(bad):
    for k in (3, 100):
        x, target, weight = rows(2, k)
        x[1, (target[1] + 1) % k] = bad
        loss, nll, _ = softmax_function("float32")(x, target, weight)
        assert np.isfinite(nll[0]) and not np.isfinite(nll[1]) and not np.isfinite(loss)


def test_classes_out_of_range_are_named():
    x, target, weight = rows(2, 3)
    with pytest.raises(IndexError, match=r"classes must lie in -1 … 2, got 1 … 3"):
        softmax_function("float32")(x, np.array([1, 3]), weight)
    with pytest.raises(ValueError, match=r"outputs \(2, 3\) need targets \(2,\)"):
        softmax_function("float32")(x, target[:1], weight)
    with pytest.raises(TypeError, match="targets must be int64 with 1 axes"):
        softmax_cross_entropy(pt.fmatrix(), pt.fvector(), pt.fvector())


def test_other_sizes_compile_nothing():
    softmax_function("float32")(*rows(3, 17))
    before = len(kernels.softmax_losses.entries), len(kernels.softmax_gradient.entries)
    softmax_function("float32")(*rows(5, 170))
    assert (len(kernels.softmax_losses.entries), len(kernels.softmax_gradient.entries)) == before


def test_no_rows_cost_nothing():
    x, target, weight = rows(1, 3)
    loss, nll, gradient = softmax_function("float32")(x[:0], target[:0], weight[:0])
    assert loss == 0 and nll.shape == (0,) and gradient.shape == (0, 3)


def test_the_loss_does_not_depend_on_the_threads():
    arrays, before = rows(50, 301), threads()
    results = []
    try:
        for count in (1, before):
            set_threads(count)
            results.append(softmax_function("float32")(*arrays))
    finally:
        set_threads(before)
    for one, other in zip(*results, strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_gradient_overwrites_logits_only_where_nobody_reads_them():
    x, W, target, weight = pt.fmatrix(), pt.fmatrix(), pt.lvector(), pt.fvector()
    logits = pt.dot(x, W)
    loss, _ = softmax_cross_entropy(logits, target, weight)
    gradient = pytensor.grad(loss, W)
    alone = compiled([x, W, target, weight], gradient)
    watched = compiled([x, W, target, weight], [gradient, logits])
    assert [op.inplace for op in ops_of(alone) if hasattr(op, "inplace") and "Softmax" in str(op)] == [True]
    assert [op.inplace for op in ops_of(watched) if hasattr(op, "inplace") and "Softmax" in str(op)] == [False]
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(5, 3)).astype("float32"), rng.normal(size=(3, 4)).astype("float32")
    given = (a, b, np.array([0, 1, 2, 3, 0]), np.ones(5, np.float32))
    np.testing.assert_allclose(watched(*given)[1], a @ b, rtol=1e-6)
    np.testing.assert_array_equal(alone(*given), watched(*given)[0])


def test_inputs_of_a_function_are_never_overwritten():
    x, target, weight = rows(5, 4)
    before = x.copy()
    softmax_function("float32")(x, target, weight)
    np.testing.assert_array_equal(x, before)


def sigmoid_function():
    x, target, weight = pt.fmatrix(), pt.fmatrix(), pt.fvector()
    loss, nll = sigmoid_cross_entropy(x, target, weight)
    return compiled([x, target, weight], [loss, nll, pytensor.grad(loss, x)])


def test_sigmoid_cross_entropy_is_the_formula():
    x, _, weight = rows(6, 35, scale=20.0)
    target = (np.random.default_rng(0).uniform(size=x.shape) < 0.2).astype("float32")
    loss, nll, gradient = sigmoid_function()(x, target, weight)
    x = x.astype(np.float64)
    wanted = (np.logaddexp(0, x) - x * target).sum(1)
    np.testing.assert_allclose(nll, wanted, rtol=1e-6)
    np.testing.assert_allclose(loss, (weight * wanted).sum(), rtol=1e-6)
    np.testing.assert_allclose(gradient, weight[:, None] * (1 / (1 + np.exp(-x)) - target), atol=2e-7)


def test_sigmoid_cross_entropy_numeric_gradient():
    x, _, weight = rows(3, 5, "float64")
    target = (x > 1).astype("float64")
    check_gradient(lambda x: sigmoid_cross_entropy(x, pt.constant(target), pt.constant(weight))[0], x)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_labels_and_numbers_that_are_not_finite_show_in_the_loss(bad):
    x, _, weight = rows(2, 20)
    x[1, 7] = bad
    assert np.isfinite(sigmoid_function()(x, np.zeros_like(x), weight)[1]).tolist() == [True, False]
    for distance in ("squared", "absolute", "huber"):
        losses = regression_function("float32", distance)(x, np.zeros_like(x), weight)[1]
        assert np.isfinite(losses).tolist() == [True, False]


def regression_function(dtype, distance):
    x, target, weight = pt.matrix(dtype=dtype), pt.matrix(dtype=dtype), pt.vector(dtype=dtype)
    loss, losses = regression_loss(x, target, weight, distance=distance, delta=0.7)
    return compiled([x, target, weight], [loss, losses, pytensor.grad(loss, x)])


DISTANCES = {
    "squared": lambda d: d**2,
    "absolute": abs,
    "huber": lambda d: np.where(abs(d) <= 0.7, d**2 / 2, 0.7 * (abs(d) - 0.35)),
}


@pytest.mark.parametrize("distance", DISTANCES)
def test_regression_loss_is_the_mean_distance_of_a_row(distance):
    x, _, weight = rows(6, 3, scale=1.0)
    target = np.random.default_rng(1).normal(size=x.shape).astype("float32")
    loss, losses, _ = regression_function("float32", distance)(x, target, weight)
    wanted = DISTANCES[distance](x.astype(np.float64) - target).mean(1)
    np.testing.assert_allclose(losses, wanted, rtol=1e-6)
    np.testing.assert_allclose(loss, (weight * wanted).sum(), rtol=1e-6)


@pytest.mark.parametrize("distance", DISTANCES)
def test_regression_loss_numeric_gradient(distance):
    x, _, weight = rows(4, 3, "float64", scale=1.0)
    target = pt.constant(np.random.default_rng(1).normal(size=x.shape))
    check_gradient(lambda x: regression_loss(x, target, pt.constant(weight), distance=distance, delta=0.7)[0], x)


def test_distances_are_named():
    with pytest.raises(ValueError, match="got 'cubic', expected one of squared, absolute, huber"):
        regression_loss(pt.fmatrix(), pt.fmatrix(), pt.fvector(), distance="cubic")
