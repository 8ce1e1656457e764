"""Products of each pair in a batch, against numpy."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from lstm_cli import theano

T = theano.tensor
rng = np.random.default_rng(0)


def variable(shape):
    return T.TensorType("float64", (False,) * len(shape))(), rng.normal(size=shape)


@pytest.mark.parametrize(
    ("left", "right", "product"),
    [
        ((5,), (5,), "b,b->b"),
        ((5,), (5, 2, 3), "b,bij->bij"),
        ((5, 2, 3), (5,), "bij,b->bij"),
        ((5, 3), (5, 3), "bi,bi->b"),
        ((5, 3), (5, 3, 4), "bi,bij->bj"),
        ((5, 2, 3), (5, 3), "bij,bj->bi"),
        ((5, 2, 3), (5, 3, 4), "bij,bjk->bik"),
        ((5, 2, 3, 4), (5, 4, 6), "bijk,bkl->bijl"),
        ((5, 2, 3), (5, 4, 3, 6), "bij,bkjl->bikl"),
    ],
)
def test_batched_dot(left, right, product):
    (a, A), (b, B) = variable(left), variable(right)
    y = T.batched_dot(a, b)
    got, gradient = theano.function([a, b], [y, T.grad((y**2).sum(), b)])(A, B)
    expected = np.einsum(product, A, B)
    assert_allclose(got, expected, rtol=1e-12)
    inputs, output = product.split("->")
    of_a, of_b = inputs.split(",")
    assert_allclose(gradient, np.einsum(f"{of_a},{output}->{of_b}", A, 2 * expected), rtol=1e-10)


def test_batched_tensordot():
    (a, A), (b, B) = variable((5, 2, 3, 4)), variable((5, 3, 4, 6))
    outputs = [
        T.batched_tensordot(a, b),
        T.batched_tensordot(a, b, [[2, 3], [1, 2]]),
        T.batched_tensordot(a, b, [2, 1]),
    ]
    by_number, by_axes, one_axis = theano.function([a, b], outputs)(A, B)
    assert_allclose(by_number, np.einsum("bijk,bjkl->bil", A, B))
    assert_allclose(by_axes, by_number)
    assert_allclose(one_axis, np.einsum("bijk,bjlm->biklm", A, B))


def test_what_has_no_batch_is_an_error():
    with pytest.raises(TypeError, match="batched_dot: expected variables with an axis for the batch, got 0 and 1 axes"):
        T.batched_dot(T.scalar(), T.vector())
    with pytest.raises(ValueError, match="batched_tensordot: expected as many axes of x as of y, without the batch"):
        T.batched_tensordot(T.matrix(), T.matrix(), [[0], [1]])
