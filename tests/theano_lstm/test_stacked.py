"""Layers one on top of the other, and the masks between them."""

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from lstm_cli import (
    GRU,
    LSTM,
    RNN,
    Dropout,
    Embedding,
    GatedInput,
    Layer,
    MultiDropout,
    StackedCells,
    apply_dropout,
    srng,
)
from lstm_cli.theano_lstm import theano
from tests.support.theano_lstm import evaluate, randomize

rng = np.random.default_rng(2)
X = rng.normal(size=(5, 3))


def test_the_input_of_a_layer_is_the_output_of_the_one_below():
    model = StackedCells(3, celltype=LSTM, layers=[4, 2], activation=pt.tanh)
    model.layers.append(Layer(2, 6, pt.tanh))
    x = pt.dmatrix()
    below, above, top = model.forward(x)
    again = model.layers[1].activate(below[:, 4:], model.layers[1].initial_hidden_state)
    shapes, got, expected = evaluate([pt.stack([below.shape, above.shape, top.shape]), above, again], {x: X})
    assert_array_equal(shapes, [(5, 8), (5, 4), (5, 6)])
    assert_allclose(got, expected, rtol=1e-12)


@pytest.mark.parametrize("cell", [RNN, GRU, LSTM])
def test_params_are_read_and_set_in_order(cell):
    model, other = (StackedCells(3, celltype=cell, layers=[4, 2], activation=pt.tanh) for _ in range(2))
    assert model.params == [param for layer in model.layers for param in layer.params]
    other.params = model.params
    for got, expected in zip(other.params, model.params, strict=True):
        assert got is not expected
        assert_array_equal(got.get_value(), expected.get_value())


def test_lstm_params_go_gate_by_gate():
    layer = LSTM(3, 4)
    gates = (layer.in_gate, layer.forget_gate, layer.in_gate2, layer.out_gate)
    assert layer.params == [param for gate in gates for param in (gate.linear_matrix, gate.bias_matrix)]
    assert [param.get_value().shape for param in layer.params[:2]] == [(4, 7), (4,)]
    assert layer.initial_hidden_state.get_value().shape == (8,)


def test_params_of_other_shapes_are_refused():
    model = StackedCells(3, celltype=RNN, layers=[4])
    with pytest.raises(ValueError, match=r"StackedCells.params: expected 2 values of shapes \[\(4, 7\), \(4,\)\], got"):
        model.params = [np.zeros((4, 7))]


def test_embedding_below_a_batch_of_initial_states():
    model = StackedCells(2, celltype=GRU, layers=[4], activation=pt.tanh)
    model.layers.insert(0, Embedding(7, 2))
    symbol, symbols = pt.iscalar(), pt.ivector()
    one, many = evaluate([model.forward(symbol)[-1], model.forward(symbols)[-1]], {symbol: 3, symbols: [3, 3, 1]})
    assert_allclose(many[:2], [one, one], rtol=1e-12)


def test_gated_input_scales_all_of_x():
    model = StackedCells(3, celltype=RNN, layers=[4], activation=pt.tanh)
    model.layers.insert(0, GatedInput(3, 4, pt.tanh))
    randomize(model.params)
    x, h = pt.dmatrix(), pt.dmatrix()
    gate, above = model.forward(x, [h, h])
    gate, above, expected = evaluate([gate, above, model.layers[1].activate(gate * x, h)], {x: X, h: np.ones((5, 4))})
    assert gate.shape == (5, 1)
    assert_allclose(above, expected, rtol=1e-12)


def test_gated_input_is_gated_by_the_masked_input_and_scales_all_of_it():
    """As in theano-lstm: the mask applies to the input of the gate, and the layer above gets the whole x, scaled."""
    model = StackedCells(3, celltype=RNN, layers=[4], activation=pt.tanh)
    model.layers.insert(0, GatedInput(3, 4, pt.tanh))
    randomize(model.params)
    x, h, mask = pt.dmatrix(), pt.dmatrix(), np.array([1.0, 0.0, 2.0])
    _, above = model.forward(x, [h, h], dropout=[mask, None])
    gate = model.layers[0].activate(x * mask, h)
    assert_allclose(*evaluate([above, model.layers[1].activate(gate * x, h)], {x: X, h: np.ones((5, 4))}), rtol=1e-12)


def test_missing_state_is_named():
    model = StackedCells(3, celltype=RNN, layers=[4])
    model.layers.insert(0, GatedInput(3, 4, pt.tanh))
    with pytest.raises(ValueError, match="prev_hiddens has no state for layer 0, a GatedInput"):
        model.forward(pt.dmatrix())


def test_masks_fall_on_the_input_of_each_layer():
    model = StackedCells(3, celltype=RNN, layers=[4, 2], activation=pt.tanh)
    x, masks = pt.dmatrix(), [np.array([1.0, 0, 1]), None]
    dropped, by_hand = model.forward(x, dropout=masks), model.forward(x * masks[0])
    assert_allclose(*evaluate([dropped[-1], by_hand[-1]], {x: X}), rtol=1e-12)


@pytest.mark.parametrize("nothing", [None, [], (), 0, 0.0])
def test_nothing_is_dropped(nothing):
    model = StackedCells(3, celltype=RNN, layers=[4])
    x = pt.dmatrix()
    assert_allclose(*evaluate([model.forward(x, dropout=nothing)[0], model.forward(x)[0]], {x: X}))


def test_a_rate_draws_masks_for_every_layer():
    model = StackedCells(50, celltype=RNN, layers=[50, 1])
    for layer in model.layers:
        layer.linear_matrix.set_value(np.ones_like(layer.linear_matrix.get_value()))
        layer.initial_hidden_state.set_value(0 * layer.initial_hidden_state.get_value())
        layer.bias_matrix.set_value(0 * layer.bias_matrix.get_value())
    rate = theano.shared(0.5)
    function = theano.function([], model.forward(np.ones(50), dropout=rate))
    first, last = function()
    assert_allclose(first, first[0])
    assert 10 < first[0] < 40
    assert 10 < last[0] / first[0] < 40
    assert (first != function()[0]).any()
    rate.set_value(0.0)
    assert_allclose(function()[1], 2500)


def test_dropout_masks():
    shape, rate = (200, 50), theano.shared(np.asarray(0.3))
    masks = [
        Dropout(shape, rate),
        *MultiDropout([shape, 50], 0.9),
        apply_dropout(pt.ones(shape) * 2, Dropout(shape, 0.5)),
    ]
    function = theano.function([], masks)
    first, second, vector, applied = function()
    assert set(np.unique(first)) == {0, 1}
    assert first.dtype == theano.config.floatX
    assert vector.shape == (50,)
    assert_allclose([first.mean(), second.mean(), applied.mean()], [0.7, 0.1, 1.0], atol=0.03)
    assert (function()[0] != first).any()
    rate.set_value(1.0)
    assert not function()[0].any()


def test_no_mask_is_no_dropout():
    x = pt.dvector()
    assert apply_dropout(x, None) is x


@pytest.mark.parametrize("inside", [True, False])
def test_dropout_in_a_loop_has_the_gradient_of_what_it_computed(inside):
    """The gradient of the loop must use the masks of the loop, which the original did not."""
    layer = RNN(3, 3, pt.tanh)
    x, scale = pt.dmatrix(), theano.shared(1.0)
    outside = MultiDropout([3], 0.5)

    def step(x, h, *masks):
        masks = masks or [Dropout((3,), 0.5)]
        return layer.activate(scale * apply_dropout(x, masks[0]), h)

    given = [] if inside else outside
    h, updates = theano.scan(step, sequences=[x], outputs_info=[layer.initial_hidden_state], non_sequences=given)
    assert bool(updates) == inside
    cost = (h**2).sum()
    function = theano.function([x], [cost, pytensor.grad(cost, scale)])

    def at(value):
        srng.seed(1)  # the same masks again
        scale.set_value(value)
        return function(X)

    assert_allclose(at(1.0)[1], (at(1 + 1e-6)[0] - at(1 - 1e-6)[0]) / 2e-6, rtol=1e-6)
    assert len({float(function(X)[0]) for _ in range(20)}) > 1
