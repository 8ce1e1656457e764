"""Axes of length one: how they are marked, and states of scans that have them."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from lstm_cli import theano

pytestmark = pytest.mark.filterwarnings("ignore:The `broadcastable` keyword:DeprecationWarning")

T = theano.tensor
UNITS = 3
W = theano.shared(0.5 * np.eye(UNITS))


def test_axes_are_marked_and_unmarked():
    row, x = T.row(), T.matrix()
    assert T.unbroadcast(row, 0).broadcastable == (False, False)
    assert T.unbroadcast(row, -2).broadcastable == (False, False)
    assert T.unbroadcast(x, 0, 1) is x
    assert T.addbroadcast(x, 1).broadcastable == (False, True)
    assert T.patternbroadcast(row, (False, True)).broadcastable == (False, True)
    assert T.Rebroadcast((0, False), (1, True))(row).broadcastable == (False, True)
    assert T.unbroadcast(np.ones((1, 2)), 0).broadcastable == (False, False)


def test_axes_are_checked():
    with pytest.raises(ValueError, match="Trying to rebroadcast non-existent dimension: axis 2 of 2"):
        T.unbroadcast(T.row(), 2)
    with pytest.raises(TypeError, match="Rebroadcast: expected pairs"):
        T.Rebroadcast((0, 1))
    x = T.matrix()
    with pytest.raises(AssertionError):
        theano.function([x], T.addbroadcast(x, 0))(np.ones((2, 2)))


def test_unmarking_has_a_gradient_and_is_part_of_other_graphs():
    row = T.row()
    cost = (T.unbroadcast(row, 0) ** 2).sum()
    gradient = T.grad(cost, row)
    assert gradient.broadcastable == (True, False)
    along = T.Rop(cost, row, T.ones_like(row))
    value = np.array([[1.0, 2.0]])
    gradient, along = theano.function([row], [gradient, along])(value)
    assert_array_equal(gradient, 2 * value)
    assert along == 6


STATES = {
    "alloc": lambda: T.alloc(0.0, 1, UNITS),
    "zeros": lambda: T.zeros((1, UNITS)),
    "array": lambda: np.zeros((1, UNITS)),
    "padded vector": lambda: T.shape_padleft(theano.shared(np.zeros(UNITS))),
    "vector as a row": lambda: theano.shared(np.zeros(UNITS)).dimshuffle("x", 0),
    "shared matrix": lambda: theano.shared(np.zeros((1, UNITS))),
    "shared row": lambda: theano.shared(np.zeros((1, UNITS)), broadcastable=(True, False)),
    "unmarked": lambda: T.unbroadcast(T.alloc(0.0, 1, UNITS), 0),
    "with its taps": lambda: {"initial": T.unbroadcast(T.zeros((1, UNITS)), 0), "taps": [-1]},
}

LONG = {"zeros", "array", "padded vector", "shared matrix", "unmarked"}


@pytest.mark.parametrize("name", [pytest.param(n, marks=[pytest.mark.slow] * (n in LONG)) for n in STATES])
def test_state_of_one_row(name):
    x = T.tensor3()
    states, _ = theano.scan(lambda x, h: T.tanh(x + T.dot(h, W)), sequences=x, outputs_info=STATES[name]())
    values = np.random.default_rng(0).normal(size=(4, 1, UNITS))
    got, gradient = theano.function([x], [states, T.grad(states[-1].sum(), W)])(values)
    h = np.zeros((1, UNITS))
    for step, expected in zip(values, got, strict=True):
        h = np.tanh(step + 0.5 * h)
        assert_allclose(h, expected, rtol=1e-12)
    assert np.abs(gradient).min() > 0


@pytest.mark.parametrize("width", [1, 2])
def test_only_one_unit(width):
    """The state knows its length, what a step returns does not; and the other way around."""
    x, w = T.matrix(), theano.shared(np.ones((2, 1)))
    known, _ = theano.scan(lambda x, h: T.dot(x, w) + h, sequences=x, outputs_info=T.zeros(1))
    initial = theano.shared(np.zeros(width))
    returned, _ = theano.scan(lambda x, h: (x.sum() + h.sum()).dimshuffle("x"), sequences=x, outputs_info=initial)
    values = np.arange(6.0).reshape(3, 2)
    if width == 1:
        first, second = theano.function([x], [known, returned])(values)
        assert_array_equal(first[:, 0], [1, 6, 15])
        assert_array_equal(second, first)
    else:
        with pytest.raises(AssertionError, match="an axis of length 1 that is longer in the initial state"):
            theano.function([x], returned)(values)


def test_step_and_result_repeat_a_state_that_stays_broadcastable():
    offsets = theano.shared(np.arange(2.0 * UNITS).reshape(2, UNITS))

    def step(x, before, h, other):
        return [(h + before + x * offsets).sum(axis=0, keepdims=True), other + 1]

    x = T.vector()
    initial = {"initial": T.ones((2, 1, UNITS)), "taps": [-2, -1]}
    (states, counts), _ = theano.scan(step, sequences=x, outputs_info=[initial, T.zeros(())])
    assert states.broadcastable == (False, True, False)
    got, counts, repeated = theano.function([x], [states, counts, states[-1] + offsets])([1.0, 2.0])
    total = np.array([3.0, 5.0, 7.0])
    assert_array_equal(got[:, 0], [4 + total, 2 * (4 + total) + 2 + 2 * total])
    assert_array_equal(counts, [1, 2])
    assert repeated.shape == (2, UNITS)


def test_loop_that_stops_keeps_its_state_of_one_row():
    (states, _), _ = theano.scan(
        lambda h, n: ([2 * h, n + 1], theano.scan_module.until(h.sum() > 10)),
        outputs_info=[T.ones((1, 2)), T.zeros(())],
        n_steps=50,
    )
    assert theano.function([], states)()[-1].tolist() == [[16, 16]]


def test_steps_that_only_update_shared_variables():
    total, x = theano.shared(np.zeros((1, 2))), T.matrix()
    _, updates = theano.scan(lambda x: {total: total + x}, sequences=x)
    theano.function([x], [], updates=updates)(np.ones((3, 2)))
    assert_array_equal(total.get_value(), [[3, 3]])


def test_elements_before_and_taps_given_as_an_array():
    x, initial = T.matrix(), {"initial": T.zeros((1, 2)), "taps": np.array([-1])}
    states, _ = theano.scan(
        lambda before, x, h, scale: h + before + scale * x,
        sequences={"input": x, "taps": [-1, 0]},
        outputs_info=initial,
        non_sequences=theano.shared(2.0),
    )
    got = theano.function([x], states)(np.arange(6.0).reshape(3, 2))
    assert_array_equal(got, [[[4, 7]], [[14, 20]]])


def test_state_cannot_grow():
    x = T.tensor3()
    states, _ = theano.scan(lambda x, h: x + h, sequences=x, outputs_info=T.zeros((1, UNITS)))
    with pytest.raises(ValueError, match="broadcast"):
        theano.function([x], states)(np.ones((3, 2, UNITS)))


def test_shared_variables_are_updated_by_other_patterns():
    row = theano.shared(np.zeros((1, 2)), broadcastable=(True, False))
    matrix = theano.shared(np.zeros((3, 2)))
    x, y = T.matrix(), T.row()
    update = theano.function([x, y], [], updates=[(row, x), (matrix, y)])
    update(np.ones((1, 2)), 2 * np.ones((1, 2)))
    assert_array_equal(row.get_value(), [[1, 1]])
    assert_array_equal(matrix.get_value(), [[2, 2]])
    with pytest.raises(AssertionError):
        update(np.ones((2, 2)), np.ones((1, 2)))


def test_new_axes_of_an_index_stand_for_what_it_leaves_out():
    """As the mask of one step of a loop, made with ``T.alloc(1.0, n, 1)``."""
    n, x = T.iscalar(), T.matrix()
    mask = T.alloc(1.0, n, 1)
    masked = theano.function([n, x], mask[:, None] * x)
    assert masked(3, np.ones((3, 4))).shape == (3, 4)
    shapes = [mask[0, None], mask[:, None, :], mask[..., None], mask[[0, 1], None], x[:, None], T.col()[1:, None]]
    assert [item.type.shape for item in shapes] == [
        (1,),
        (None, 1, 1),
        (None, 1, 1),
        (2, 1, 1),
        (None, 1, None),
        (None, 1),
    ]


def test_known_lengths_of_a_shape_that_depends_on_a_scan():
    x = T.matrix()
    sums, _ = theano.scan(lambda row, total: total + row, sequences=x, outputs_info=T.zeros_like(x[0]))
    zeros = T.zeros((sums.shape[0], 1, 2 * 3))
    assert zeros.type.shape == (None, 1, 6)
    assert theano.function([x], zeros)(np.ones((4, 3))).shape == (4, 1, 6)
    with pytest.raises(TypeError, match="integers"):
        T.zeros((sums.sum(), 1))
