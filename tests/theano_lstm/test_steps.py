"""One step of each layer, against its equations."""

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from numpy.testing import assert_allclose

from lstm_cli import GRU, LSTM, RNN, Embedding, GatedInput, Layer, StackedCells, clip_gradient
from tests.support.theano_lstm import evaluate, randomize, sigmoid

INPUTS, H, B = 3, 4, 5
rng = np.random.default_rng(0)
X, STATE = rng.normal(size=(B, INPUTS)), rng.normal(size=(B, H))


def values(layer):
    return [param.get_value() for param in layer.params]


def gate(W, b, *parts):
    return np.concatenate(parts, axis=1) @ W.T + b


def lstm(layer, x, state):
    c, h = state[:, :H], state[:, H:]
    i, f, z, o = (gate(W, b, x, h) for W, b in zip(values(layer)[::2], values(layer)[1::2], strict=True))
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(z)
    return np.concatenate([c, sigmoid(o) * np.tanh(c)], axis=1)


def gru(layer, x, h):
    Wr, br, Wu, bu, Wn, bn = values(layer)
    r, u = sigmoid(gate(Wr, br, x, h)), sigmoid(gate(Wu, bu, x, h))
    return (1 - u) * h + u * np.tanh(gate(Wn, bn, x, r * h))


def gru_reset_after(layer, x, h):
    Wr, br, Wu, bu, Wn, bn, bm = values(layer)
    r, u = sigmoid(gate(Wr, br, x, h)), sigmoid(gate(Wu, bu, x, h))
    n = np.tanh(x @ Wn[:, :INPUTS].T + bn + r * (h @ Wn[:, INPUTS:].T + bm))
    return u * h + (1 - u) * n


def rnn(layer, x, h):
    return np.tanh(gate(*values(layer), x, h))


def gated(layer, x, h):
    return sigmoid(gate(*values(layer), x, h))


CELLS = {
    "lstm": (LSTM(INPUTS, H, pt.tanh), np.concatenate([STATE, -STATE], axis=1), lstm),
    "gru": (GRU(INPUTS, H, pt.tanh), STATE, gru),
    "gru_reset_after": (GRU(INPUTS, H, pt.tanh, reset_after=True), STATE, gru_reset_after),
    "rnn": (RNN(INPUTS, H, pt.tanh), STATE, rnn),
    "gated_input": (GatedInput(INPUTS, H, pt.tanh), STATE, gated),
}


@pytest.mark.parametrize("name", CELLS)
def test_batch_follows_the_equations(name):
    layer, state, reference = CELLS[name]
    randomize(layer.params)
    x, h = pt.dmatrix(), pt.dmatrix()
    (got,) = evaluate([layer.activate(x, h)], {x: X, h: state})
    assert_allclose(got, reference(layer, X, state), rtol=1e-12)


@pytest.mark.parametrize("name", CELLS)
def test_vector_is_a_row_of_a_batch(name):
    layer, state, reference = CELLS[name]
    x, h = pt.dvector(), pt.dvector()
    (got,) = evaluate([layer.activate(x, h)], {x: X[0], h: state[0]})
    assert_allclose(got, np.squeeze(reference(layer, X[:1], state[:1])), rtol=1e-12)


@pytest.mark.parametrize("name", CELLS)
def test_one_state_serves_every_row(name):
    layer, state, reference = CELLS[name]
    x, h = pt.dmatrix(), pt.dvector()
    (got,) = evaluate([layer.activate(x, h)], {x: X, h: state[0]})
    assert_allclose(got, reference(layer, X, np.repeat(state[:1], B, axis=0)), rtol=1e-12)


@pytest.mark.parametrize("name", ["lstm", "gru", "gru_reset_after", "rnn"])
def test_mask_acts_on_h_in_the_matrix_products_only(name):
    layer, state, _ = CELLS[name]
    x, h = pt.dmatrix(), pt.dmatrix()
    weights = values(layer)
    masked = layer.activate(x, h, mask=np.zeros((B, H)))
    unmasked = layer.activate(x, h)
    (got,) = evaluate([masked], {x: X, h: state})
    blind = [np.concatenate([W[:, :INPUTS], 0 * W[:, INPUTS:]], axis=1) if W.ndim == 2 else W for W in weights]
    layer.params = blind
    (expected,) = evaluate([unmasked], {x: X, h: state})
    layer.params = weights
    assert_allclose(got, expected, rtol=1e-12)


def test_dense_layer_hands_its_activation_units_first():
    layer = Layer(INPUTS, 2, lambda x: x * np.array([[1.0], [-1.0]]))
    x = pt.dmatrix()
    (got,) = evaluate([layer.activate(x)], {x: X})
    assert_allclose(got, gate(*values(layer), X) * [1, -1], rtol=1e-12)


def test_embedding_takes_one_symbol_or_many():
    layer = Embedding(7, 2)
    (table,) = values(layer)
    symbol, symbols = pt.iscalar(), pt.ivector()
    one, many = evaluate([layer.activate(symbol), layer.activate(symbols)], {symbol: 3, symbols: [6, 0, 3]})
    assert_allclose(one, table[3])
    assert_allclose(many, table[[6, 0, 3]])


def test_the_candidate_of_a_gru_is_tanh_unless_its_own_activation_is_replaced():
    x, h = pt.dmatrix(), pt.dmatrix()
    model = StackedCells(INPUTS, celltype=GRU, layers=[H], activation=pt.sigmoid)
    (layer,) = model.layers
    (got,) = evaluate([layer.activate(x, h)], {x: X, h: STATE})
    assert_allclose(got, gru(layer, X, STATE), rtol=1e-12)
    layer.memory_to_memory_layer.activation = lambda x: 0 * x
    (got,) = evaluate([layer.activate(x, h)], {x: X, h: STATE})
    Wu, bu = values(layer)[2:4]
    assert_allclose(got, (1 - sigmoid(gate(Wu, bu, X, STATE))) * STATE, rtol=1e-12)


def test_gate_activation_can_be_replaced():
    layer, state, _ = CELLS["lstm"]
    plain = LSTM(INPUTS, H, lambda x: x)
    plain.params = layer.params
    plain.in_gate2.activation = pt.tanh
    x, h = pt.dmatrix(), pt.dmatrix()
    got, expected = evaluate([plain.activate(x, h), layer.activate(x, h)], {x: X, h: state})
    assert_allclose(got, expected)


def test_clip_gradient_clips_each_element_on_the_way_back():
    x = pt.dvector()
    y = clip_gradient(x, 0.5)
    gradient = pytensor.grad((y * np.array([0.1, 2.0, -3.0])).sum(), x)
    forward, backward = evaluate([y, gradient], {x: [1.0, 2.0, 3.0]})
    assert_allclose(forward, [1, 2, 3])
    assert_allclose(backward, [0.1, 0.5, -0.5])


@pytest.mark.parametrize(("cell", "gates"), [(LSTM, 4), (GRU, 3), (RNN, 1)])
def test_clipping_bounds_what_reaches_the_input(cell, gates):
    layer = cell(INPUTS, H, pt.tanh, clip_gradients=0.001)
    x = pt.dmatrix()
    (dx,) = evaluate([pytensor.grad(1e6 * layer.activate(x, layer.initial_hidden_state).sum(), x)], {x: X})
    assert 0 < abs(dx).max() <= 0.001 * gates * (1 + 1e-12)


@pytest.mark.parametrize("bound", [-1.0, float("nan")])
def test_bound_must_not_be_negative(bound):
    with pytest.raises(ValueError, match="clip_gradients: expected a bound of 0 or more"):
        clip_gradient(pt.dvector(), bound)
