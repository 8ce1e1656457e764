import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest

from lstm_cli.ops.pooling import pool_attention, pool_max, pool_mean
from tests.support.ops import check_gradient, compiled

LENGTHS = np.array([5, 3, 1, 4])


def batch(seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(5, 4, 3)), rng.normal(size=(5, 4))


def references(h, scores):
    for b, length in enumerate(LENGTHS):
        real, weights = h[:length, b], np.exp(scores[:length, b])
        yield real.mean(0), real.max(0), weights @ real / weights.sum()


def test_each_sequence_over_its_real_steps():
    h, scores = batch()
    x, s, lengths = pt.tensor3(dtype="float64"), pt.dmatrix(), pt.lvector()
    pooled = [pool_mean(x, lengths), pool_max(x, lengths), pool_attention(x, s, lengths)]
    results = compiled([x, s, lengths], pooled)(h, scores, LENGTHS)
    for result, wanted in zip(results, zip(*references(h, scores), strict=True), strict=True):
        np.testing.assert_allclose(result, wanted, rtol=1e-12)


@pytest.mark.parametrize("pool", [pool_mean, pool_max, pool_attention])
def test_padding_neither_counts_nor_learns(pool):
    h, scores = batch()
    x, s, lengths = pt.tensor3(dtype="float64"), pt.dmatrix(), pt.lvector()
    pooled = pool(x, s, lengths) if pool is pool_attention else pool(x, lengths)
    gradients = pytensor.grad((pooled**2).sum(), [x, s], disconnected_inputs="ignore")
    function = compiled([x, s, lengths], [pooled, *gradients], on_unused_input="ignore")
    padding = np.arange(5)[:, None] >= LENGTHS
    clean = function(h, scores, LENGTHS)
    h[padding], scores[padding] = 1e9, 1e9
    for one, other in zip(clean, function(h, scores, LENGTHS), strict=True):
        np.testing.assert_array_equal(one, other)
    assert (clean[1][padding] == 0).all() and (clean[2][padding] == 0).all()


def test_numeric_gradients():
    h, scores = batch()
    lengths = pt.constant(LENGTHS)
    check_gradient(lambda h: pool_mean(h, lengths), h)
    check_gradient(lambda h: pool_max(h, lengths), h)
    check_gradient(lambda h, scores: pool_attention(h, scores, lengths), h, scores)


def test_float32_stays_float32():
    h, scores = (a.astype("float32") for a in batch())
    x, s, lengths = pt.ftensor3(), pt.fmatrix(), pt.lvector()
    pooled = [pool_mean(x, lengths), pool_max(x, lengths), pool_attention(x, s, lengths)]
    gradients = pytensor.grad(sum(p.sum() for p in pooled), [x, s])
    results = compiled([x, s, lengths], [*pooled, *gradients])(h, scores, LENGTHS)
    assert {r.dtype.name for r in results} == {"float32"}


@pytest.mark.parametrize("wrong", [[5, 3, 0, 4], [6, 3, 1, 4], [5, 3, 1]])
def test_lengths_are_checked(wrong):
    x, lengths = pt.tensor3(dtype="float64"), pt.lvector()
    for pool in (pool_mean, pool_max):
        with pytest.raises(ValueError, match="expected 4 lengths in 1 … 5"):
            compiled([x, lengths], pool(x, lengths))(batch()[0], np.array(wrong))
