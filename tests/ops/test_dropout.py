import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest

from lstm_cli.kernels.runtime.threads import set_threads, threads
from lstm_cli.ops.dropout import dropout, dropout_mask
from tests.support.ops import check_gradient, compiled, ops_of


def mask_function(rate, dtype="float32"):
    seed, rows, columns = pt.lscalar(), pt.lscalar(), pt.lscalar()
    return compiled([rows, columns, seed], dropout_mask((rows, columns), rate, seed, dtype=dtype))


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_share_and_scale(rate):
    mask = mask_function(rate)(1000, 300, 7)
    kept = mask > 0
    np.testing.assert_allclose(mask[kept], 1 / (1 - rate), rtol=1e-6)
    five_deviations = 5 * np.sqrt(rate * (1 - rate) / mask.size)
    assert abs(kept.mean() - (1 - rate)) < five_deviations
    shares = kept.mean(0)  # of single columns
    assert abs(shares.std() / np.sqrt(rate * (1 - rate) / 1000) - 1) < 0.2


def correlations(kept):
    """Correlations of a series of bits with itself 1 to 64 places on, in standard deviations."""
    bits = (kept - kept.mean()) / kept.std()
    return np.array([(bits[k:] * bits[:-k]).mean() * np.sqrt(len(bits) - k) for k in range(1, 65)])


def test_neighbours_are_independent():
    kept = mask_function(0.3)(1000, 1000, 3).ravel() > 0
    assert abs(correlations(kept)).max() < 5
    assert abs(correlations(kept.reshape(1000, 1000).T.ravel())).max() < 5


@pytest.mark.parametrize("seeds", [(0, 1), (5, 6), (2**40, 2**40 + 1), (1, -1), (3, 3 + 2**32)])
def test_seeds_are_independent(seeds):
    one, other = (mask_function(0.5)(500, 400, seed).ravel() > 0 for seed in seeds)
    correlation = np.corrcoef(one, other)[0, 1] * np.sqrt(one.size)
    assert abs(correlation) < 5
    # one mask must not be the other with its places changed about
    for distance in (1, 2, 4, 400, 1024):
        assert abs(np.corrcoef(one[distance:], other[:-distance])[0, 1]) * np.sqrt(one.size) < 5
        swapped = np.arange(2**17) ^ distance
        assert abs(np.corrcoef(one[: 2**17], other[swapped])[0, 1]) * 2**8.5 < 5


def dropped(rate=0.4):
    x, seed = pt.ftensor3(), pt.lscalar()
    y = dropout(x, rate, seed)
    return compiled([x, seed], [y, pytensor.grad((y * y).sum() / 2, x)])


def test_gradient_sees_the_same_mask():
    x = np.random.default_rng(0).normal(size=(30, 20, 40)).astype("float32")
    y, gradient = dropped()(x, 11)
    mask = mask_function(0.4)(30 * 20, 40, 11).reshape(x.shape)
    np.testing.assert_array_equal(y, x * mask)
    np.testing.assert_allclose(gradient, x * mask * mask, rtol=1e-6)


def test_numeric_gradient():
    check_gradient(lambda x: dropout(x, 0.3, pt.constant(5)), np.random.default_rng(0).normal(size=(3, 4)))


def test_the_mask_does_not_depend_on_threads_or_dtype():
    before, masks = threads(), []
    try:
        for count in (1, before):
            set_threads(count)
            masks.append(mask_function(0.5)(300, 70, 9))
    finally:
        set_threads(before)
    np.testing.assert_array_equal(*masks)
    np.testing.assert_array_equal(masks[0], mask_function(0.5, "float64")(300, 70, 9))


def test_the_same_bits_on_every_machine():
    """A resumed run, and a run on another machine, must draw the same masks: this one is written down."""
    bits = (mask_function(0.5)(4, 8, 42) > 0).astype(int)
    assert ["".join(map(str, row)) for row in bits] == ["11011011", "10100101", "00011110", "10100011"]


def test_works_in_place_only_where_nobody_looks():
    x, seed = pt.fmatrix(), pt.lscalar()
    alone = compiled([x, seed], dropout(pt.exp(x), 0.5, seed))
    given = compiled([x, seed], dropout(x, 0.5, seed))
    places = [[op.inplace for op in ops_of(f) if type(op).__name__ == "Dropout"] for f in (alone, given)]
    assert places == [[True], [False]]
    np.testing.assert_array_equal(alone(np.zeros((3, 5), np.float32), 4), given(np.ones((3, 5), np.float32), 4))


def test_no_dropout_is_no_op():
    x = pt.fmatrix()
    assert dropout(x, 0.0, pt.lscalar()) is x


def test_rates_and_seeds_are_checked():
    with pytest.raises(ValueError, match=r"the rate must lie in \[0, 1\), got 1.0"):
        dropout(pt.fmatrix(), 1.0, pt.lscalar())
    with pytest.raises(TypeError, match="seeds and sizes must be single integers"):
        dropout(pt.fmatrix(), 0.5, pt.fscalar())
