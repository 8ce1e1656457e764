"""`masked_loss` and `create_optimization_updates`, against numpy."""

from collections import OrderedDict

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from numpy.testing import assert_allclose

from lstm_cli import create_optimization_updates, masked_loss, masked_loss_dx
from lstm_cli.theano_lstm import theano
from tests.support.theano_lstm import evaluate

rng = np.random.default_rng(3)
P = rng.dirichlet(np.ones(4), size=(3, 5))
LABELS = rng.integers(0, 4, size=(3, 6)).astype("int32")
LENGTHS, STARTS = np.array([5, 2, 0], dtype="int32"), np.array([0, 2, 4], dtype="int32")


def window_losses(p=P, labels=LABELS, lengths=LENGTHS, starts=STARTS):
    return evaluate([masked_loss(pt.as_tensor(p), labels, lengths, starts)])[0]


def test_masked_loss_sums_over_each_window():
    labels = LABELS.copy()
    labels[1, :2] = 99  # ignored outside the window
    ranges = [range(start, start + length) for start, length in zip(STARTS, LENGTHS, strict=True)]
    expected = [-sum(np.log(P[b, t, LABELS[b, t]]) for t in steps) for b, steps in enumerate(ranges)]
    assert_allclose(window_losses(labels=labels), expected, rtol=1e-12)


def test_masked_loss_has_the_gradient_of_its_windows():
    p, weights = pt.dtensor3(), np.array([1.0, 2.0, 3.0])
    (got,) = evaluate([masked_loss_dx(p, LABELS, LENGTHS, STARTS, pt.as_tensor(weights))], {p: P})
    expected = np.zeros_like(P)
    for b, t in [(0, 0), (0, 1), (0, 2), (0, 3), (0, 4), (1, 2), (1, 3)]:
        expected[b, t, LABELS[b, t]] = -weights[b] / P[b, t, LABELS[b, t]]
    assert_allclose(got, expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"lengths": np.array([6, 1, 1])}, "a window, start to start \\+ length, lies outside the steps"),
        ({"starts": np.array([-1, 0, 0])}, "a window, start to start \\+ length, lies outside the steps"),
        ({"labels": LABELS + 4}, "a label inside a window is not a class"),
        ({"labels": LABELS - 4}, "a label inside a window is not a class"),
    ],
)
def test_masked_loss_refuses_what_lies_outside(wrong, message):
    with pytest.raises(AssertionError, match=message):
        window_losses(**wrong)


START = np.array([1.0, -2.0, 3.0])


def scaled(g, max_norm):
    norm = np.sqrt((g**2).sum())
    return min(max_norm, norm) / (norm + 1e-6) * g


def updated_in_numpy(method, updates, lr=0.01, rho=0.95, eps=1e-6, max_norm=5.0):
    """Return the parameter after some updates of the cost ``sum p² + p``."""
    p, s, r = START.copy(), np.zeros(3), np.zeros(3)
    for _ in range(updates):
        g = scaled(2 * p + 1, max_norm)
        if method == "sgd":
            p -= lr * g
        elif method == "adagrad":
            s += g**2
            p -= lr * g / np.sqrt(s + eps)
        else:
            s = rho * s + (1 - rho) * g**2
            d = -np.sqrt((r + eps) / (s + eps)) * g
            r = rho * r + (1 - rho) * d**2
            p += d
    return p


def descend(**options):
    p = theano.shared(START)
    cost = (p**2 + p).sum()
    results = create_optimization_updates(cost, [p], **options)
    return p, theano.function([], cost, updates=results[0]), results


@pytest.mark.parametrize("method", ["adadelta", "adagrad", "sgd"])
def test_method_follows_its_equations(method):
    p, function, _ = descend(method=method, lr=0.1)
    for _ in range(4):
        function()
    assert_allclose(p.get_value(), updated_in_numpy(method, 4, lr=0.1), rtol=1e-9)


@pytest.mark.parametrize(
    ("method", "caches", "rate"),
    [("adadelta", (True, True), 0.9), ("adagrad", (True, False), 0.2), ("sgd", (False, False), 0.2)],
)
def test_five_results(method, caches, rate):
    _, _, (updates, gsums, xsums, lr, max_norm) = descend(method=method, lr=0.2, rho=0.9, max_norm=3.0)
    assert len(updates) == 1 + sum(caches)
    assert tuple(cache[0] is not None for cache in (gsums, xsums)) == caches
    assert (lr.get_value(), max_norm.get_value()) == (rate, 3.0)


def test_rate_and_bound_can_be_changed_between_calls():
    p, function, (*_, lr, max_norm) = descend(method="sgd", lr=0.2)
    lr.set_value(0.5)
    max_norm.set_value(1.0)
    function()
    assert_allclose(p.get_value(), START - 0.5 * scaled(2 * START + 1, 1.0), rtol=1e-6)


@pytest.mark.parametrize("max_norm", [None, False])
def test_no_scaling(max_norm):
    p, function, (*_, returned) = descend(method="sgd", lr=0.2, max_norm=max_norm)
    function()
    assert returned is max_norm
    assert_allclose(p.get_value(), START - 0.2 * (2 * START + 1), rtol=1e-12)


def test_gradients_and_updates_can_be_given():
    count = theano.shared(0)
    p = theano.shared(START)
    updates, *_ = create_optimization_updates(
        None, [p], updates={count: count + 1}, gradients=[pt.ones(3)], method="sgd", max_norm=None
    )
    theano.function([], [], updates=updates)()
    assert count.get_value() == 1
    assert_allclose(p.get_value(), START - 0.01)


def test_a_mapping_of_updates_is_filled_and_returned():
    p, q, mine = theano.shared(START), theano.shared(START), OrderedDict()
    for param in (p, q):
        returned, *_ = create_optimization_updates((param**2).sum(), [param], updates=mine, method="sgd")
        assert returned is mine
    theano.function([], [], updates=mine)()
    assert_allclose(p.get_value(), q.get_value())
    assert (p.get_value() != START).all()


def test_pairs_of_updates_are_left_as_they_are():
    count, p = theano.shared(0), theano.shared(START)
    pairs = [(count, count + 1)]
    updates, *_ = create_optimization_updates((p**2).sum(), [p], updates=pairs, method="SGD")
    assert list(updates) == [count, p] and len(pairs) == 1


def test_parameters_keep_their_dtype():
    p = theano.shared(START.astype("float32"))
    updates, *_ = create_optimization_updates((p**2).sum(), [p])
    theano.function([], [], updates=updates)()
    assert p.get_value().dtype == "float32"


def test_unknown_method():
    with pytest.raises(ValueError, match="method: got 'adam', expected one of adadelta, adagrad, sgd"):
        create_optimization_updates(pt.dscalar(), [], method="adam")


def test_unused_parameter_is_pytensors_error():
    with pytest.raises(pytensor.gradient.DisconnectedInputError):
        create_optimization_updates(theano.shared(1.0) ** 2, [theano.shared(START)])
