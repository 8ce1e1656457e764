"""A layer's one Op for whole sequences computes what its step computes in a loop, and so does its gradient."""

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from numpy.testing import assert_allclose

from lstm_cli import GRU, LSTM, RNN, Embedding, Layer
from lstm_cli.ops.activations import ACTIVATIONS
from lstm_cli.ops.recurrent import recurrent
from lstm_cli.theano.tensor import nnet
from lstm_cli.theano_lstm.fusing import activation_name
from tests.support.theano_lstm import evaluate, on_joined_weights, randomize, steps

T, B, INPUTS, H = 3, 3, 2, 4
rng = np.random.default_rng(1)
X, LENGTHS = rng.normal(size=(T, B, INPUTS)), np.array([3, 2, 1])
MASK = 2.0 * rng.integers(0, 2, size=(B, H))
# G gate blocks, blocks of biases, parts of the state
BLOCKS = {"lstm": (4, 4, 2), "gru": (3, 4, 1), "rnn": (1, 1, 1)}
each_cell = pytest.mark.parametrize("cell", [LSTM, GRU, RNN])


def own_order(states):
    """Return the states of the Op as one in the order of `activate`: [c, h] for an LSTM."""
    return pt.concatenate(states[::-1], axis=1) if len(states) == 2 else states[0]


def compare(one_op, layer, start, parameters, **options):
    """Compare the outputs of an Op for sequences, ``(h, finals)``, with a loop of the layer's steps; gradients too.

    Parameters
    ----------
    one_op : callable
        ``(x, lengths, **options) -> h, finals``.
    start : vector
        The state before the first step, in the layer's order.
    parameters : list of shared variables
        What both depend on.
    """
    x, lengths = pt.tensor("x", shape=(T, B, INPUTS), dtype="float64"), pt.lvector()
    h, finals = one_op(x, lengths, **options)
    ways = [(h, own_order(finals)), steps(layer, x, lengths, pt.repeat(start[None], B, axis=0), **options)]
    weights = rng.normal(size=(T, B, H)), rng.normal(size=(B, len(finals) * H))
    wrt = [x, *parameters]
    outputs = [
        [*way, *pytensor.grad(sum((o * w).sum() for o, w in zip(way, weights, strict=True)), wrt)] for way in ways
    ]
    fused, looped = (evaluate(way, {x: X, lengths: LENGTHS}) for way in outputs)
    for got, expected in zip(fused, looped, strict=True):
        assert_allclose(got, expected, rtol=1e-10, atol=1e-12)


def compare_joined(cell, activation="tanh", **options):
    """Compare the Op on joined weights with the steps of a layer whose gates are views of them."""
    gates, biases, parts = BLOCKS[cell]
    shapes = [(gates * H, INPUTS + H), (biases * H,), (parts * H,)]
    W, b, start = (pytensor.shared(rng.normal(scale=0.5, size=shape)) for shape in shapes)
    layer = on_joined_weights(cell, W, b, units=H, inputs=INPUTS, activation=ACTIVATIONS[activation])
    states = [pt.repeat(start[None, k * H : (k + 1) * H], B, axis=0) for k in reversed(range(parts))]

    def one_op(x, lengths, **options):
        return recurrent(x, lengths, W, b, states, cell=cell, activation=activation, **options)

    compare(one_op, layer, start, [W, b, start], **options)


@pytest.mark.parametrize("options", [{}, {"mask": MASK, "reverse": True}], ids=["plain", "masked and reversed"])
@pytest.mark.parametrize("cell", BLOCKS)
def test_joined_weights(cell, options):
    compare_joined(cell, **options)


@pytest.mark.parametrize("activation", ["linear", "relu", "sigmoid"])
def test_other_activations(activation):
    compare_joined("lstm", activation)


def build(cell, activation="softsign"):
    layer = cell(INPUTS, H, ACTIVATIONS[activation], **({"reset_after": True} if cell is GRU else {}))
    randomize([*layer.params, layer.initial_hidden_state])
    return layer


@pytest.mark.parametrize("options", [{}, {"mask": MASK, "reverse": True}], ids=["plain", "masked and reversed"])
@each_cell
def test_weights_gate_by_gate(cell, options):
    layer = build(cell)
    start = layer.initial_hidden_state
    compare(layer.sequence, layer, start, [*layer.params, start], **options)


def test_initial_states_can_be_given():
    layer = build(LSTM, "tanh")
    x, lengths = pt.tensor("x", shape=(T, B, INPUTS), dtype="float64"), pt.lvector()
    first, finals = layer.sequence(x, lengths)
    second, _ = layer.sequence(x[1:], lengths + 1, initial=finals)
    whole, _ = layer.sequence(x, lengths + 2)
    parts, expected = evaluate([pt.concatenate([first[:1], second]), whole], {x: X, lengths: [1, 1, 1]})
    assert_allclose(parts, expected, rtol=1e-12)


def test_dense_and_embedding_layers_have_one_too():
    layer, table = Layer(INPUTS, 2, pt.tanh), Embedding(5, INPUTS)
    ids = pt.imatrix()
    rows = table.activate(ids)
    outputs = [table.sequence(ids), rows, layer.sequence(rows)[1], layer.activate(rows[1])]
    fused_rows, rows, fused, stepped = evaluate(outputs, {ids: rng.integers(0, 5, size=(T, B)).astype("int32")})
    assert_allclose(fused_rows, rows)
    assert_allclose(fused, stepped, rtol=1e-12)


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
    assert activation_name(activation) == name


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
