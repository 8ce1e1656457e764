import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest

from lstm_cli.ops.parameters import flatten, flatten_into, unflatten
from tests.support.ops import check_gradient, compiled

SHAPES = [(2, 3), (4,), (1, 2, 2)]


def test_views_and_back():
    flat = np.arange(14.0)
    vector = pt.dvector()
    views = unflatten(vector, SHAPES)
    *parts, again = compiled([vector], [*views, flatten(views)])(flat)
    assert [part.shape for part in parts] == SHAPES
    np.testing.assert_array_equal(np.concatenate([part.ravel() for part in parts]), flat)
    np.testing.assert_array_equal(again, flat)


def test_numeric_gradient_with_a_view_used_twice_and_one_not_at_all():
    def function(flat):
        W, b, _ = unflatten(flat, SHAPES)
        return pt.dot(W, W.T) + b[:2]

    check_gradient(function, np.random.default_rng(0).normal(size=14))


def test_results_are_not_views_of_the_parameters():
    flat = pytensor.shared(np.arange(14.0))
    W, *_ = compiled([], unflatten(flat, SHAPES))()
    W[:] = -1
    np.testing.assert_array_equal(flat.get_value(), np.arange(14.0))


def test_a_step_in_place_waits_for_every_reader_of_the_old_parameters():
    """The views, the gradient from them and a change of the vector they belong to, all in one function."""
    flat = pytensor.shared(np.arange(14.0) / 14)
    W, b, _ = unflatten(flat, SHAPES)
    cost = (pt.dot(W, b[:3]) ** 2).sum() + b[3]
    gradient = pytensor.grad(cost, flat)
    late = W.sum()
    new = flatten_into(flat, [-0.1 * gradient], add=True)
    function = compiled([], [cost, late, gradient], updates={flat: new})
    address = flat.get_value(borrow=True).ctypes.data
    before = flat.get_value()
    _, total, slope = function()
    assert total == pytest.approx(before[:6].sum())
    np.testing.assert_allclose(flat.get_value(), before - 0.1 * slope)
    assert flat.get_value(borrow=True).ctypes.data == address


@pytest.mark.parametrize("add", [False, True])
def test_joining_into_a_buffer(add):
    total = pytensor.shared(np.full(14, 100.0, np.float32))
    parts = [pt.tensor(dtype="float32", shape=(None,) * len(shape)) for shape in SHAPES]
    function = compiled(parts, [], updates={total: flatten_into(total, parts, add=add)})
    values = [np.full(shape, k, np.float32) for k, shape in enumerate(SHAPES)]
    address = total.get_value(borrow=True).ctypes.data
    function(*values)
    wanted = np.concatenate([value.ravel() for value in values]) + (100 if add else 0)
    np.testing.assert_array_equal(total.get_value(), wanted)
    assert total.get_value(borrow=True).ctypes.data == address


def test_sizes_are_checked():
    with pytest.raises(ValueError, match="need a vector of 14 numbers, got one of 13"):
        vector = pt.dvector()
        compiled([vector], unflatten(vector, SHAPES))(np.zeros(13))
    with pytest.raises(ValueError, match="the parts are not 3 numbers in all"):
        compiled([vector], flatten_into(pt.zeros(3), [vector]))(np.zeros(2))
