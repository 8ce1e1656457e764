"""PyTensor under Theano's names."""

import ast
import pydoc
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytensor
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import special

import lstm_cli
from lstm_cli import theano
from lstm_cli.theano.sandbox.rng_mrg import MRG_RandomStreams
from lstm_cli.theano.tensor.shared_randomstreams import RandomStreams

T = theano.tensor
rng = np.random.default_rng(4)
X = rng.normal(size=(3, 4))


def test_importing_the_package_imports_nothing_heavy():
    code = "import sys, lstm_cli; dir(lstm_cli); print('pytensor' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "False\n"


def test_type_checkers_see_the_same_names():
    """In an `if TYPE_CHECKING`, since they do not run `__getattr__`."""
    tree = ast.parse(Path(lstm_cli.__file__).read_text(encoding="utf-8"))
    (checked,) = (node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
    names = {alias.asname: f"{node.module}.{alias.name}" for node in checked.body for alias in node.names}
    assert sorted(names.keys() - {"SequenceClassifier", "SequenceRegressor"}) == lstm_cli.__all__
    assert all(pydoc.locate(place) is getattr(lstm_cli, name) for name, place in names.items())


def test_every_name_is_there():
    assert [name for name in lstm_cli.__all__ if not hasattr(lstm_cli, name)] == []
    with pytest.raises(AttributeError, match="module 'lstm_cli' has no attribute 'Perceptron'"):
        lstm_cli.Perceptron


NNET = {
    "softmax": lambda x: special.softmax(x, axis=1),
    "logsoftmax": lambda x: special.log_softmax(x, axis=1),
    "sigmoid": special.expit,
    "ultra_fast_sigmoid": special.expit,
    "hard_sigmoid": lambda x: np.clip(0.2 * x + 0.5, 0, 1),
    "softplus": lambda x: np.log1p(np.exp(x)),
    "relu": lambda x: np.maximum(x, 0),
    "elu": lambda x: np.where(x > 0, x, np.expm1(x)),
    "softsign": lambda x: x / (1 + abs(x)),
}


@pytest.mark.parametrize("name", NNET)
def test_activation(name):
    x = T.dmatrix()
    assert_allclose(theano.function([x], getattr(T.nnet, name)(x))(X), NNET[name](X), rtol=1e-12)


def test_softmax_of_a_vector_is_a_row():
    x = T.dvector()
    assert theano.function([x], T.nnet.softmax(x))(X[0]).shape == (1, 4)


def test_crossentropies():
    x, classes, targets = T.dmatrix(), T.ivector(), T.dmatrix()
    p = T.nnet.softmax(x)
    outputs = [T.nnet.categorical_crossentropy(p, classes), T.nnet.categorical_crossentropy(p, targets)]
    outputs += [T.nnet.binary_crossentropy(p, targets), T.nnet.sigmoid_binary_crossentropy(x, targets)]
    labels, t, q = np.array([3, 0, 1], dtype="int32"), rng.uniform(size=(3, 4)), special.softmax(X, axis=1)
    by_class, by_row, binary, logistic = theano.function([x, classes, targets], outputs)(X, labels, t)
    assert_allclose(by_class, -np.log(q[range(3), labels]))
    assert_allclose(by_row, -(t * np.log(q)).sum(axis=1))
    assert_allclose(binary, -(t * np.log(q) + (1 - t) * np.log(1 - q)))
    assert_allclose(logistic, -(t * special.log_expit(X) + (1 - t) * special.log_expit(-X)))


def test_crossentropy_of_a_softmax_does_not_underflow():
    x = T.dmatrix()
    cost = T.nnet.categorical_crossentropy(T.nnet.softmax(x), np.array([1]))
    assert_allclose(theano.function([x], cost)([[1000.0, 0.0]]), [1000])


def test_crossentropy_of_other_shapes():
    with pytest.raises(TypeError, match="expected true_dist of 2 axes like coding_dist, or a vector of classes"):
        T.nnet.categorical_crossentropy(T.dmatrix(), T.dtensor3())


def test_names_that_pytensor_dropped():
    x = T.dmatrix()
    stacked, listed = T.stack(x, x), T.stack([x, x], axis=1)
    outputs = [stacked, listed, T.abs_(x), T.inv(x), T.alloc(0.0, 2), T.extra_ops.to_one_hot(T.arange(2), 3)]
    stacked, listed, positive, inverse, zeros, hot = theano.function([x], outputs)(X)
    assert_array_equal(stacked, [X, X])
    assert_array_equal(listed, np.stack([X, X], axis=1))
    assert_allclose(positive, abs(X))
    assert_allclose(inverse, 1 / X)
    assert zeros.dtype == theano.config.floatX
    assert_array_equal(hot, np.eye(3)[:2])
    assert T.addbroadcast(T.tensor("float32", (False, False)), 0).broadcastable == (True, False)
    assert T.patternbroadcast(x, (False, True)).broadcastable == (False, True)
    assert T.unbroadcast(x, 0) is x


@pytest.mark.parametrize(
    ("module", "name"),
    [
        (theano, "shared"),
        (theano, "Mode"),
        (theano, "ifelse.ifelse"),
        (theano, "printing.Print"),
        (theano, "compile.nanguardmode.NanGuardMode"),
        (theano, "compile.SharedVariable"),
        (theano, "gof.Op"),
        (theano, "gof.graph.Apply"),
        (theano, "gradient.grad_clip"),
        (theano, "gradient.consider_constant"),
        (T, "ivector"),
        (T, "ftensor3"),
        (T, "shared_randomstreams.RandomStreams"),
        (T, "discrete_dtypes"),
        (T, "nlinalg.det"),
    ],
)
def test_names_are_found(module, name):
    for part in name.split("."):
        module = getattr(module, part)


@pytest.mark.parametrize("name", ["theano.tensor.signal_processing", "theano.sandbox_two", "theano.gof.nothing"])
def test_unknown_names_are_errors(name):
    *path, last = name.split(".")
    module = theano
    for part in path[1:]:
        module = getattr(module, part)
    with pytest.raises(AttributeError, match=f"{name}: neither PyTensor nor lstm_cli.theano has this name"):
        getattr(module, last)


def test_flags():
    assert theano.config.floatX == pytensor.config.floatX
    assert theano.config.device == "cpu"
    theano.config.compute_test_value = "off"
    theano.config.floatX = "float32"
    try:
        assert pytensor.config.floatX == "float32"
        assert T.vector().dtype == "float32"
    finally:
        theano.config.floatX = "float64"


def test_inputs_are_cast_down_on_request():
    x = T.fvector()
    function = theano.function([x], x.sum(), allow_input_downcast=True)
    assert function([1.0, 2.5]) == 3.5
    with pytest.raises(TypeError):
        theano.function([x], x.sum())(np.ones(2))


def test_another_mode_can_be_asked_for():
    x = T.dvector()
    function = theano.function([x], T.nnet.sigmoid(x) * x * x, mode="FAST_COMPILE")
    assert_allclose(function(X[0]), special.expit(X[0]) * X[0] ** 2)


def test_updates_given_as_pairs_or_mapping():
    a, b = theano.shared(1.0), theano.shared(np.int64(2))
    theano.function([], [], updates=[(a, a * 3), (b, b + 1)])()
    theano.function([], a + b, updates={b: b * 2})()
    assert (a.get_value(), b.get_value()) == (3, 6)


def test_update_of_another_type_is_pytensors_error():
    with pytest.raises(TypeError, match="update"):
        theano.function([], [], updates=[(theano.shared(np.float32(1)), T.dscalar())])


def test_loops_return_outputs_and_updates():
    x = T.dvector()
    sums, updates = theano.scan(lambda x, total: x + total, sequences=x, outputs_info=T.zeros(()))
    doubled, _ = theano.map(lambda x: 2 * x, x)
    last, _ = theano.reduce(lambda x, total: x + total, x, T.zeros(()))
    backwards, _ = theano.foldr(lambda x, total: x - total, x, T.zeros(()))
    forwards, _ = theano.foldl(lambda x, total: x - total, x, T.zeros(()))
    got = theano.function([x], [sums, doubled, last, backwards, forwards])([1.0, 2.0, 3.0])
    assert updates == {}
    for value, expected in zip(got, [[1, 3, 6], [2, 4, 6], 6, 2, 2], strict=True):
        assert_allclose(value, expected)


def test_loop_stops_on_a_condition():
    x, _ = theano.scan(lambda x: (2 * x, theano.scan_module.until(x > 10)), outputs_info=T.ones(()), n_steps=100)
    assert theano.function([], x)()[-1] == 32


def test_gradient_through_a_loop():
    a, n = T.dscalar(), T.iscalar()
    powers, _ = theano.scan(lambda x, a: a * x, outputs_info=T.ones_like(a), non_sequences=a, n_steps=n)
    assert_allclose(theano.function([a, n], T.grad(powers[-1], a))(1.5, 4), 4 * 1.5**3)


DRAWS = {
    "uniform": (lambda s: s.uniform((4000,), -1, 3), 1.0, 4 / np.sqrt(12)),
    "normal": (lambda s: s.normal(size=(4000,), avg=2.0, std=0.5), 2.0, 0.5),
    "one trial": (lambda s: s.binomial(size=(4000,), p=0.3, dtype="float64"), 0.3, np.sqrt(0.21)),
    "ten trials": (lambda s: s.binomial(size=(4000,), n=10, p=0.3), 3.0, np.sqrt(2.1)),
    "integers": (lambda s: s.random_integers((4000,), 1, 6), 3.5, np.sqrt(35 / 12)),
    "choice": (lambda s: s.choice((4000,), a=3, p=np.array([0.5, 0.0, 0.5])), 1.0, 1.0),
}


@pytest.mark.parametrize("name", DRAWS)
def test_random_numbers_are_distributed_as_they_should(name):
    draw, mean, deviation = DRAWS[name]
    function = theano.function([], draw(RandomStreams(5)))
    first, second = function(), function()
    assert (first != second).any()
    assert_allclose(np.concatenate([first, second]).mean(), mean, atol=5 * deviation / np.sqrt(8000))
    assert_allclose(first.std(), deviation, rtol=0.1)


def test_classes_come_as_often_as_their_probabilities():
    p = np.array([[0.1, 0.9, 0.0], [0.5, 0.25, 0.25]])
    counts = theano.function([], MRG_RandomStreams(6).multinomial(n=4000, pvals=p))()
    assert_array_equal(counts.sum(axis=1), [4000, 4000])
    assert_allclose(counts / 4000, p, atol=0.04)


def test_orders():
    streams = RandomStreams(7)
    order, rows = streams.permutation(size=(2,), n=6), streams.shuffle_row_elements(T.as_tensor_variable(X))
    order, rows = theano.function([], [order, rows])()
    assert_array_equal(np.sort(order, axis=1), [range(6)] * 2)
    assert (order[0] != order[1]).any()
    assert_array_equal(np.sort(rows, axis=1), np.sort(X, axis=1))


def test_streams_start_again_from_their_seed():
    streams, same = RandomStreams(8), RandomStreams(8)
    function, other = (theano.function([], [s.uniform((3,)), s.uniform((3,))]) for s in (streams, same))
    first, second = function()
    assert (first != second).all()
    assert_array_equal(other(), [first, second])
    function()
    streams.seed()
    assert_array_equal(function(), [first, second])
    streams.seed(9)
    assert (function()[0] != first).all()


def test_sizes_can_be_variables():
    x, n = T.dmatrix(), T.iscalar()
    streams = RandomStreams(10)
    outputs = [streams.uniform(x.shape).shape, streams.normal((n, 2)).shape, streams.uniform(n).shape]
    shapes = theano.function([x, n], outputs)(X, 5)
    assert [tuple(shape) for shape in shapes] == [(3, 4), (5, 2), (5,)]
    with pytest.raises(TypeError, match="size: its length must be known"):
        streams.uniform(T.lvector())


def test_each_step_of_a_loop_draws_anew_and_each_call():
    streams = RandomStreams(11)
    draws, updates = theano.scan(lambda: streams.uniform((3,)), n_steps=4)
    function = theano.function([], draws)  # without the updates, as scripts do that drop them
    first, second = function(), function()
    assert len(np.unique([first, second])) == 24
    streams.seed()
    assert_array_equal(theano.function([], draws, updates=updates)(), first)
