"""A layer's one Op for whole sequences computes what its step computes in a loop, and so does its gradient."""

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from lstm_cli.theano.tensor import nnet
from numpy.testing import assert_allclose

from lstm_cli import GRU, LSTM, RNN, Embedding, Layer
from lstm_cli.theano_lstm.activations import ACTIVATIONS, name_of
from tests.support.theano_lstm import evaluate, randomize, steps

T, B, INPUTS, H = 3, 3, 2, 4
rng = np.random.default_rng(1)
X, LENGTHS = rng.normal(size=(T, B, INPUTS)), np.array([3, 2, 1])
MASK = 2.0 * rng.integers(0, 2, size=(B, H))
ROWS = {LSTM: (4, 4), GRU: (3, 4), RNN: (1, 1)}


def build(cell, activation="tanh"):
    """Return a layer on joined weights, and those."""
    gates, biases = ROWS[cell]
    shapes = [(gates * H, INPUTS + H), (biases * H,), (cell.states * H,)]
    shared = [pytensor.shared(rng.normal(scale=0.5, size=shape)) for shape in shapes]
    return cell.from_parameters(*shared, activation=activation), shared


def own_order(cell, finals):
    """Return the states of `sequence` as one in the order of `activate`: [c, h] for an LSTM."""
    return pt.concatenate(finals[::-1], axis=1) if cell is LSTM else finals[0]


def compare(cell, layer, parameters, **options):
    x, lengths = pt.tensor("x", shape=(T, B, INPUTS), dtype="float64"), pt.lvector()
    h, finals = layer.sequence(x, lengths, **options)
    start = pt.repeat(layer.initial_hidden_state[None], B, axis=0)
    ways = [(h, own_order(cell, finals)), steps(layer, x, lengths, start, **options)]
    weights = rng.normal(size=(T, B, H)), rng.normal(size=(B, cell.states * H))
    wrt = [x, *parameters]
    outputs = [
        [*way, *pytensor.grad(sum((o * w).sum() for o, w in zip(way, weights, strict=True)), wrt)] for way in ways
    ]
    fused, looped = (evaluate(way, {x: X, lengths: LENGTHS}) for way in outputs)
    for got, expected in zip(fused, looped, strict=True):
        assert_allclose(got, expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("options", [{}, {"mask": MASK, "reverse": True}], ids=["plain", "masked and reversed"])
@pytest.mark.parametrize("cell", [LSTM, GRU, RNN])
def test_joined_weights(cell, options):
    layer, parameters = build(cell)
    compare(cell, layer, parameters, **options)


@pytest.mark.parametrize("cell", [LSTM, GRU, RNN])
def test_weights_gate_by_gate(cell):
    layer = cell(INPUTS, H, ACTIVATIONS["softsign"], **({"reset_after": True} if cell is GRU else {}))
    randomize(layer.params)
    compare(cell, layer, [*layer.params, layer.initial_hidden_state])


@pytest.mark.parametrize("activation", ["linear", "relu", "sigmoid"])
def test_other_activations(activation):
    layer, parameters = build(LSTM, activation)
    compare(LSTM, layer, parameters)


def test_initial_states_can_be_given():
    layer, _ = build(LSTM)
    x, lengths = pt.tensor("x", shape=(T, B, INPUTS), dtype="float64"), pt.lvector()
    first, finals = layer.sequence(x, lengths)
    second, _ = layer.sequence(x[1:], lengths + 1, initial=finals)
    whole, _ = layer.sequence(x, lengths + 2)
    parts, expected = evaluate([pt.concatenate([first[:1], second]), whole], {x: X, lengths: [1, 1, 1]})
    assert_allclose(parts, expected, rtol=1e-12)


def test_tokens_are_rows_of_their_table():
    layer, (W, _, _) = build(GRU)
    ids, lengths, table = pt.imatrix(), pt.lvector(), pytensor.shared(rng.normal(size=(5, INPUTS)))
    ways = [layer.sequence(ids, lengths, table=table)[0], layer.sequence(table[ids], lengths)[0]]
    outputs = [[h, *pytensor.grad((h**2).sum(), [table, W, layer.initial_hidden_state])] for h in ways]
    values = {ids: rng.integers(0, 5, size=(T, B)).astype("int32"), lengths: LENGTHS}
    for got, expected in zip(*(evaluate(way, values) for way in outputs), strict=True):
        assert_allclose(got, expected, rtol=1e-10, atol=1e-12)


def test_initial_state_is_zero_without_one():
    _, (W, b, _) = build(GRU)
    assert not evaluate([GRU.from_parameters(W, b).initial_hidden_state])[0].any()


def test_dense_and_embedding_have_theirs():
    layer, table = Layer(INPUTS, 2, pt.tanh), Embedding(5, INPUTS)
    ids = pt.imatrix()
    rows = table.activate(ids)
    outputs = [table.sequence(ids), rows, layer.sequence(rows)[1], layer.activate(rows[1])]
    fused_rows, rows, fused, stepped = evaluate(outputs, {ids: rng.integers(0, 5, size=(T, B)).astype("int32")})
    assert_allclose(fused_rows, rows)
    assert_allclose(fused, stepped, rtol=1e-12)


def test_gates_are_views_of_joined_weights():
    layer, (W, b, _) = build(LSTM)
    gates = (layer.in_gate, layer.forget_gate, layer.out_gate, layer.in_gate2)
    joined = evaluate(
        [pt.concatenate([g.linear_matrix for g in gates]), pt.concatenate([g.bias_matrix for g in gates])]
    )
    assert_allclose(joined[0], W.get_value())
    assert_allclose(joined[1], b.get_value())
    with pytest.raises(TypeError, match=r"LSTM.params: .* is a view and cannot be set"):
        layer.params = evaluate(layer.params)


@pytest.mark.parametrize(
    ("activation", "name"),
    [
        (lambda x: x, "linear"),
        (nnet.relu, "relu"),
        (nnet.softsign, "softsign"),
        (pt.sigmoid, "sigmoid"),
        (lambda x: 2 * x, None),
    ],
)
def test_activations_are_recognised_by_what_they_compute(activation, name):
    assert name_of(activation) == name


def replaced(layer, gate):
    getattr(layer, gate).activation = lambda x: pt.clip(x, -1, 1)
    return layer


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (RNN(INPUTS, H, pt.sin), r"RNN.sequence: .* has only tanh, linear, .* for activation, which was replaced by"),
        (replaced(LSTM(INPUTS, H), "in_gate2"), "for in_gate2.activation, .*; use activate in a scan"),
        (replaced(LSTM(INPUTS, H), "forget_gate"), "has only sigmoid for forget_gate.activation"),
        (LSTM(INPUTS, H, clip_gradients=1.0), "clip_gradients acts inside each step; use activate in a scan"),
        (GRU(INPUTS, H), "construct the layer with reset_after=True, or use activate in a scan"),
    ],
)
def test_what_the_op_cannot_do_is_an_error(layer, message):
    with pytest.raises(NotImplementedError, match=message):
        layer.sequence(pt.dtensor3(), pt.lvector())


def test_weights_need_a_known_shape():
    with pytest.raises(ValueError, match=r"from_parameters: the shape of .* must be known"):
        RNN.from_parameters(pt.dmatrix(), pt.dvector())
