"""The chain against every labeling written out: sums, gradients, probabilities, the best labeling."""

from itertools import product

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest

from lstm_cli.kernels.runtime.threads import set_threads, threads
from lstm_cli.ops.crf import Chains, crf_decode, crf_loss, crf_marginals, log_partition
from tests.support.ops import check_gradient, compiled

LENGTHS = np.array([4, 3, 1])
CLASSES = 3


def problem(dtype="float64", lengths=LENGTHS, classes=CLASSES, seed=0):
    """Return the arrays of chains whose rows lie as in a padded batch: step by step."""
    rng = np.random.default_rng(seed)
    owners = np.concatenate([np.flatnonzero(lengths > t) for t in range(lengths.max())])
    shapes = [(len(owners), classes), (classes, classes), (classes,), (classes,)]
    emissions, *parameters = ((2 * rng.normal(size=shape)).astype(dtype) for shape in shapes)
    return [emissions, owners, np.array(lengths), *parameters]


def symbols(dtype="float64"):
    matrices, vectors = [pt.matrix(dtype=dtype) for _ in range(2)], [pt.vector(dtype=dtype) for _ in range(2)]
    return Chains(matrices[0], pt.lvector(), pt.lvector(), matrices[1], *vectors)


def chains_of(arrays, b):
    """Return the emissions of one sequence, and transitions, start and end."""
    return arrays[0][arrays[1] == b].astype(float), *arrays[3:]


def labelings(arrays, b, allowed=None):
    """Return all labelings of a sequence that have the allowed classes, and their scores."""
    x, transitions, start, end = chains_of(arrays, b)
    found = np.array(list(product(range(x.shape[1]), repeat=len(x))))
    if allowed is not None:
        own = allowed[arrays[1] == b]
        found = found[((found == own) | (own < 0)).all(axis=1)]
    scores = x[np.arange(len(x)), found].sum(1) + start[found[:, 0]] + end[found[:, -1]]
    return found, scores + transitions[found[:, :-1], found[:, 1:]].sum(1)


def log_z(arrays, b, allowed=None):
    return np.logaddexp.reduce(labelings(arrays, b, allowed)[1])


def marginals(arrays, b):
    found, scores = labelings(arrays, b)
    shares = np.exp(scores - np.logaddexp.reduce(scores))
    return np.stack([[shares[found[:, t] == k].sum() for k in range(CLASSES)] for t in range(found.shape[1])])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_sums_probabilities_and_best_labelings_are_those_of_all_labelings(dtype):
    arrays, chains = problem(dtype), symbols(dtype)
    allowed = np.array([-1, 2, 0, 1, -1, -1, 2, 0])
    outputs = [log_partition(chains, pt.full_like(chains.owners, -1)), log_partition(chains, pt.constant(allowed))]
    every, some, shares, best = compiled([*chains], [*outputs, crf_marginals(chains), crf_decode(chains)])(*arrays)
    tolerance = 1e-12 if dtype == "float64" else 2e-6
    assert shares.dtype == dtype
    for b in range(3):
        own = arrays[1] == b
        np.testing.assert_allclose(every[b], log_z(arrays, b), rtol=tolerance)
        np.testing.assert_allclose(some[b], log_z(arrays, b, allowed), rtol=tolerance, atol=tolerance)
        np.testing.assert_allclose(shares[own], marginals(arrays, b), atol=tolerance)
        found, scores = labelings(arrays, b)
        np.testing.assert_array_equal(best[own], found[scores.argmax()])


def test_the_loss_is_the_likelihood_of_the_known_classes():
    arrays, chains = problem(), symbols()
    target, weight = np.array([0, 2, -1, 1, -1, 1, 2, 0]), np.linspace(0.1, 0.8, 8)
    loss, shares = compiled([*chains], [*crf_loss(chains, pt.constant(target), pt.constant(weight))])(*arrays)
    for b in range(3):
        own, known = arrays[1] == b, target[arrays[1] == b] >= 0
        wanted = log_z(arrays, b) - log_z(arrays, b, target)
        np.testing.assert_allclose(shares[own], np.where(known, wanted / max(known.sum(), 1), 0), rtol=1e-12)
    np.testing.assert_allclose(loss, weight @ shares, rtol=1e-12)


def test_numeric_gradients():
    x, owners, lengths, *parameters = problem()
    target, weight = np.array([0, 2, -1, 1, -1, 1, 2, 0]), np.linspace(0.1, 0.8, 8)

    def loss(x, transitions, start, end):
        chains = Chains(x, pt.constant(owners), pt.constant(lengths), transitions, start, end)
        return crf_loss(chains, pt.constant(target), pt.constant(weight))[0]

    check_gradient(loss, x, *parameters)


def loss_function(dtype="float32"):
    chains, target, weight = symbols(dtype), pt.lvector(), pt.vector(dtype=dtype)
    loss, shares = crf_loss(chains, target, weight)
    gradients = pytensor.grad(loss, [chains.emissions, *chains[3:]])
    return compiled([*chains, target, weight], [loss, shares, *gradients, crf_marginals(chains), crf_decode(chains)])


def many(dtype="float32", classes=9):
    lengths = np.sort(np.random.default_rng(1).integers(1, 60, 40))[::-1].copy()
    arrays = problem(dtype, lengths, classes)
    target = np.random.default_rng(2).integers(-1, classes, len(arrays[1]))
    return [*arrays, target, np.ones(len(target), dtype)]


def test_a_sequence_among_others_is_as_alone():
    function, arrays = loss_function(), many()
    x, owners, lengths, *parameters, target, weight = arrays
    _, shares, dx, *_, probabilities, best = function(*arrays)
    for b in (0, 17, 39):
        own = owners == b
        given = [x[own], np.zeros(own.sum(), np.int64), lengths[b : b + 1], *parameters, target[own], weight[own]]
        alone = function(*given)
        for together, single in zip((shares, dx, probabilities, best), (alone[1], alone[2], *alone[-2:]), strict=True):
            np.testing.assert_array_equal(together[own], single)


def test_the_number_of_threads_changes_no_bit():
    function, arrays, before = loss_function(), many(classes=40), threads()
    try:
        set_threads(1)
        one = function(*arrays)
        set_threads(2)
        for single, double in zip(one, function(*arrays), strict=True):
            np.testing.assert_array_equal(single, double)
    finally:
        set_threads(before)


def test_a_long_chain_loses_no_digits():
    lengths = np.array([20_000])
    arrays = problem("float32", lengths, 4)
    given = [*arrays, arrays[0].argmax(axis=1), np.ones(20_000, np.float32)]
    found = loss_function()(*given)
    exact = loss_function("float64")(*(a.astype("float64") if a.dtype == np.float32 else a for a in given))
    np.testing.assert_allclose(found[0], exact[0], rtol=1e-5)
    np.testing.assert_allclose(found[-2], exact[-2], atol=1e-5)
    np.testing.assert_allclose(found[3], exact[3], rtol=1e-4, atol=0.05)
    np.testing.assert_array_equal(found[-1], exact[-1])


def test_forbidden_transitions_leave_probabilities_finite():
    arrays = problem("float32")
    arrays[3][:] = -1e4
    arrays[3][0, 1] = arrays[3][1, 0] = 0
    target = np.where(np.isin(arrays[1], [0]), -1, 0)
    loss, _, dx, *_, probabilities, best = loss_function()(*arrays, target, np.ones(8, np.float32))
    assert np.isfinite(loss) and np.isfinite(dx).all()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    assert best[arrays[1] == 0].tolist() in ([0, 1, 0, 1], [1, 0, 1, 0])


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_number_that_is_not_finite_shows_in_the_loss(bad):
    arrays = problem("float32")
    arrays[0][1, 1] = bad
    given = [np.zeros(8, np.int64), np.ones(8, np.float32)]
    loss, shares, *_ = loss_function()(*arrays, *given)
    assert np.isnan(loss) and np.isnan(shares[arrays[1] == 1]).all() and np.isfinite(shares[arrays[1] == 0]).all()
    arrays = problem("float32")
    arrays[3][1, 1] = bad
    assert np.isnan(loss_function()(*arrays, *given)[0])


def test_what_kernels_could_not_bear_is_refused():
    function, arrays = loss_function("float64"), problem()
    target, weight = np.zeros(8, np.int64), np.ones(8)
    with pytest.raises(IndexError, match=r"expected a class in -1 … 2"):
        function(*arrays, target + 3, weight)
    for change, words in ((1, "needs a row for each"), (4, "do not fit")):
        given = list(arrays)
        given[change] = given[change] + 1 if change == 1 else given[change][:2]
        with pytest.raises(ValueError, match=words):
            function(*given, target, weight)
