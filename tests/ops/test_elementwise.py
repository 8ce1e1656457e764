"""Element-wise Ops as numpy calls: the same numbers and dtypes as PyTensor's own, and the same refusals."""

import warnings

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from pytensor.tensor.elemwise import Elemwise

from lstm_cli.ops.elementwise import NumpyElementwise
from lstm_cli.theano.compiling import fast_start

A, B = np.array([[-1.5, 0.2, 3.0]]), np.array([[2.0, -0.5, 1.0]])
COUNTS = np.array([[2, 0, 3]], dtype="int32")

EXPRESSIONS = {
    "product of four": lambda a, b, n: a * b * a * n,
    "sum of three": lambda a, b, n: a + b + n,
    "cast": lambda a, b, n: pt.cast(a, "int8"),
    "cast to floats": lambda a, b, n: pt.cast(n, "float32"),
    "clip": lambda a, b, n: pt.clip(a, -1, 1),
    "comparison": lambda a, b, n: a > b,
    "choice": lambda a, b, n: pt.switch(a > b, a, n),
    "sigmoid": lambda a, b, n: pt.sigmoid(a),
    "logarithm": lambda a, b, n: pt.log(a),
    "quotient": lambda a, b, n: a / n,
    "row and column": lambda a, b, n: a + b.T,
    "integers": lambda a, b, n: n * n + 1,
    "fill": lambda a, b, n: pt.second(a, pt.constant(2.0, dtype="float32")),
}


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_same_as_pytensor(name):
    a, b, n = pt.drow(), pt.drow(), pt.irow()
    output = EXPRESSIONS[name](a, b, n)
    mode = fast_start().excluding("canonicalize", "specialize", "stabilize")
    lean, plain = (
        pytensor.function([a, b, n], output, mode=mode, on_unused_input="ignore")
        for mode in (mode, mode.excluding("lstm_numpy_elementwise"))
    )
    ops = [type(node.op) for node in lean.maker.fgraph.toposort()]
    assert NumpyElementwise in ops
    assert Elemwise not in ops
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTensor's casts of infinity
        got, expected = lean(A, B, COUNTS), plain(A, B, COUNTS)
    assert got.dtype == expected.dtype
    assert_allclose(got, expected, rtol=1e-14)


def test_integers_that_give_floats_are_left_to_pytensor():
    n = pt.bvector()
    function = pytensor.function([n], pt.sqrt(n), mode=fast_start())
    assert Elemwise in [type(node.op) for node in function.maker.fgraph.toposort()]
    assert_array_equal(function([4, 9]), [2, 3])


def test_lengths_that_would_broadcast_by_chance_are_refused():
    a, b = pt.dvector(), pt.dvector()
    function = pytensor.function([a, b], a * b, mode=fast_start())
    with pytest.raises(ValueError, match="Runtime broadcasting not allowed"):
        function([1.0], [1.0, 2.0])


def test_gradients_are_simple_graphs_too():
    a = pt.dvector()
    function = pytensor.function([a], pytensor.grad((a**2 * pt.tanh(a)).sum(), a), mode=fast_start())
    t = np.tanh(A[0])
    assert_allclose(function(A[0]), 2 * A[0] * t + A[0] ** 2 * (1 - t**2))
