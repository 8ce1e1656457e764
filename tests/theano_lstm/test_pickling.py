"""Compiled functions are pickled and copied."""

import copy
import pickle
import subprocess
import sys

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from lstm_cli import LSTM, Embedding, Layer, StackedCells, clip_gradient, create_optimization_updates, theano
from lstm_cli.theano.tensor.shared_randomstreams import RandomStreams

T = theano.tensor
rng = np.random.default_rng(0)
X, X3, LABELS = rng.uniform(0.1, 1, (2, 3)), rng.uniform(0.1, 1, (2, 3, 4)), np.array([0, 2], dtype="int32")


def softmax(x):
    return T.nnet.softmax(x.T).T


def batched_dot():
    x = T.tensor3()
    y = T.batched_dot(x, x.dimshuffle(0, 2, 1))
    return [x], [y, T.grad(y.sum(), x)], [X3]


def elementwise():
    x = T.matrix()
    outputs = [T.cast(x, "int32"), T.clip(x, 0, 0.5), T.switch(x > 0.3, x, 0), T.nnet.sigmoid(x), T.nnet.relu(x)]
    outputs += [
        x + x + x,
        x * x * x,
        T.maximum(x, 0.3),
        x**2,
        T.erf(x),
        T.round(x),
        T.and_(x > 0, x < 1),
        T.second(x, 1),
    ]
    return [x], outputs, [X]


def parts_and_sums():
    x, i = T.matrix(), T.ivector()
    outputs = [x[:, i], T.inc_subtensor(x[:, i], 1.0), T.set_subtensor(x[0], 5), x.flatten(), x.reshape((3, 2))]
    outputs += [T.concatenate([x, x]), T.repeat(x, 2, 0), T.diag(x[0]), x.argmax(1), x.mean(), x.norm(2), T.sort(x, 1)]
    outputs += [T.nlinalg.matrix_inverse(T.dot(x, x.T) + T.eye(2)), T.grad(x[:, i].sum(), x), T.cumsum(x)]
    return [x, i], outputs, [X, LABELS]


def classes():
    x, y = T.matrix(), T.ivector()
    cost = T.nnet.categorical_crossentropy(T.nnet.softmax(x), y).mean()
    return [x, y], [cost, T.grad(cost, x), T.grad((clip_gradient(x, 0.1) ** 2).sum(), x)], [X, LABELS]


def ops_of_graphs():
    x, a, b = T.matrices("x", "a", "b")
    op = theano.OpFromGraph([a, b], [a * b + T.exp(a)])
    y = op(x, x + 1)
    return [x], [y, T.grad(y.sum(), x)], [X]


def random_numbers():
    streams = RandomStreams(3)
    draws = [streams.uniform((2,)), streams.normal((2,)), streams.binomial((3,)), streams.permutation((1,), 5)]
    return [], [*draws, streams.multinomial(pvals=np.array([[0.2, 0.8]])), streams.choice((2,), 3)], []


def choices():
    x = T.matrix()
    return [x], [theano.ifelse.ifelse(T.gt(x.sum(), 0), 2 * x, 3 * x), theano.printing.Print("x", ())(x)], [X]


def loops():
    streams, x, weights = RandomStreams(4), T.matrix(), theano.shared(np.full((3, 3), 0.1))

    def step(x, h):
        return T.tanh(x * streams.binomial((3,), p=0.5, dtype="float64") + T.dot(h, weights))

    states, _ = theano.scan(step, sequences=x, outputs_info=T.zeros((3,)))
    return [x], [states], [X], [(weights, weights - T.grad(states.sum(), weights))]


def layers():
    x = T.imatrix()
    model = StackedCells(3, celltype=LSTM, layers=[4], activation=T.tanh)
    model.layers.insert(0, Embedding(5, 3))
    model.layers.append(Layer(4, 5, softmax))
    initial = [T.repeat(T.shape_padleft(layer.initial_hidden_state), 2, axis=0) for layer in model.layers[1:-1]]

    def step(symbols, *states):
        return model.forward(symbols, [None, *states])[1:]

    outputs, _ = theano.scan(step, sequences=x.T, outputs_info=[*initial, None])
    cost = -T.log(outputs[-1][:, :, 0]).mean()
    updates = create_optimization_updates(cost, model.params)[0]
    return [x], [cost, outputs[-1]], [np.array([[0, 4, 2], [1, 1, 3]], dtype="int32")], updates


PROGRAMS = {
    program.__name__: program
    for program in (
        batched_dot,
        elementwise,
        parts_and_sums,
        classes,
        random_numbers,
        choices,
        loops,
        layers,
        ops_of_graphs,
    )
}


def compiled(program):
    inputs, outputs, values, *updates = program()
    return theano.function(inputs, outputs, updates=updates[0] if updates else None), values


def assert_same(got, expected):
    for value, other in zip(got, expected, strict=True):
        assert_array_equal(value, other)


@pytest.mark.parametrize("name", [pytest.param(n, marks=[pytest.mark.slow] * (n == "layers")) for n in PROGRAMS])
def test_pickled(name):
    function, values = compiled(PROGRAMS[name])
    function(*values)
    loaded = pickle.loads(pickle.dumps(function))
    for _ in range(2):
        assert_same(loaded(*values), function(*values))


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda f: f.copy(), lambda f: f.copy(share_memory=True)])
def test_copied(copied):
    function, values = compiled(batched_dot)
    assert_same(copied(function)(*values), function(*values))


def test_a_copy_can_have_its_own_shared_variables():
    total, own, x = theano.shared(1.0), theano.shared(10.0), T.scalar()
    add = theano.function([x], total + x, updates=[(total, total + x)])
    add_to_own = add.copy(swap={total: own})
    add(1)
    assert (add_to_own(5), own.get_value(), total.get_value()) == (15, 15, 2)
    assert add.copy(delete_updates=True)(5) == 7
    assert total.get_value() == 2


LOADS = """
import pickle, sys
with open(sys.argv[1], "rb") as file:
    pickled, values, expected = pickle.load(file)
for function, arguments, arrays in zip(map(pickle.loads, pickled), values, expected):
    print(all((got == array).all() for got, array in zip(function(*arguments), arrays)))
"""


@pytest.mark.slow
def test_loaded_by_a_process_that_imports_nothing_else(tmp_path):
    functions, values = zip(*map(compiled, (batched_dot, elementwise, loops)), strict=True)
    pickled = [pickle.dumps(function) for function in functions]
    expected = [function(*arguments) for function, arguments in zip(functions, values, strict=True)]
    (tmp_path / "functions.pkl").write_bytes(pickle.dumps((pickled, values, expected)))
    command = [sys.executable, "-c", LOADS, str(tmp_path / "functions.pkl")]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["True"] * 3
