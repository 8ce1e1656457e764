"""NanGuardMode: what it finds, what it passes over, and what it says."""

import logging
import pickle
import sys

import numpy as np
import pytensor
import pytest
from pytensor.tensor.basic import AllocEmpty

from lstm_cli import LSTM, theano
from lstm_cli.theano.compile.nanguardmode import NanGuardMode
from lstm_cli.theano.tensor.shared_randomstreams import RandomStreams
from tests.support.theano_lstm import randomize

T = theano.tensor
GUARD = NanGuardMode(nan_is_error=True, inf_is_error=True, big_is_error=True)


@pytest.fixture(scope="module")
def logarithm():
    """A function that draws random numbers, and its weights."""
    x, W = T.matrix("x"), theano.shared(np.ones((3, 2)), name="W")
    y = T.log(x)
    y.name = "y"
    noise = RandomStreams(1).normal((2,))
    return theano.function([x], (T.dot(y, W) + noise).sum(), mode=GUARD), W


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (
            -1.0,
            "NaN detected\nNanGuardMode found an error in the output of a node: 'y', .*Log.* of x; float64",
        ),
        (0.0, "Inf detected\nNanGuardMode found an error in the output of a node: 'y'"),
        (np.nan, "NaN detected\nNanGuardMode found an error in an input of the graph, x; float64 of shape"),
        (2e10, "Big value detected\nNanGuardMode found an error in an input of the graph, x"),
    ],
)
def test_message_names_the_variable(value, found, logarithm):
    function, _ = logarithm
    assert np.isfinite(function(np.ones((4, 3))))
    with pytest.raises(AssertionError, match=found):
        function(np.full((4, 3), value))


def test_shared_variables_are_inputs(logarithm):
    function, W = logarithm
    W.set_value(np.full((3, 2), np.inf))
    with pytest.raises(AssertionError, match="Inf detected\nNanGuardMode found an error in an input of the graph, W"):
        function(np.ones((4, 3)))
    W.set_value(np.ones((3, 2)))


def test_a_guarded_function_is_pickled_with_its_guard(logarithm):
    loaded = pickle.loads(pickle.dumps(logarithm[0]))
    with pytest.raises(AssertionError, match="'y'"):
        loaded(-np.ones((4, 3)))


def test_loops_are_guarded_with_their_gradients():
    x, streams = T.tensor3("x"), RandomStreams(2)
    layer = LSTM(3, 4, T.tanh)
    randomize([*layer.params, layer.initial_hidden_state])

    def step(x, state):
        state = layer.activate(x * streams.binomial((3,), p=0.5), state)
        return state, T.sqrt(x.sum(axis=1))

    initial = T.repeat(T.shape_padleft(layer.initial_hidden_state), x.shape[1], axis=0)
    (states, roots), updates = theano.scan(step, sequences=x, outputs_info=[initial, None])
    cost = states[-1].mean() + roots.mean()
    function = theano.function([x], [cost, *T.grad(cost, layer.params)], updates=updates, mode=GUARD)
    values = np.ones((5, 2, 3))
    assert all(np.isfinite(value).all() for value in function(values))
    values[3] = -1
    with pytest.raises(AssertionError, match=r"NaN detected\n.*Sqrt.* of Sum"):
        function(values)


def test_generators_and_what_an_op_keeps_for_itself_are_passed_over():
    x, lengths = T.tensor3(), T.lvector()
    generator = pytensor.shared(np.random.default_rng(1))
    following, noise = pytensor.tensor.random.normal(size=(2,), rng=generator, return_next_rng=True)
    h, _ = LSTM(3, 4, T.tanh).sequence(x, lengths)
    outputs = [h.sum() + noise.sum(), T.grad(h.sum(), x)]
    function = theano.function([x, lengths], outputs, updates=[(generator, following)], mode=GUARD)
    for _ in range(2):
        assert np.isfinite(function(np.ones((20, 2, 3)), [20, 1])[0])


def test_memory_to_be_filled_and_what_a_script_marks_are_passed_over():
    x, memory = T.vector(), AllocEmpty("float64")(3)
    marked = x + 1
    marked.tag.nan_guard_mode_check = False
    for variable in (memory, T.set_subtensor(memory[:1], 0.0), marked):
        GUARD.guard.after_node(variable.owner, None, {variable: [np.array([np.nan])]}, {variable: [True]})
    for variable in (T.inc_subtensor(memory[:1], 0.0), T.set_subtensor(x[:1], 0.0), x + 2):
        with pytest.raises(AssertionError, match="NaN detected"):
            GUARD.guard.after_node(variable.owner, None, {variable: [np.array([np.nan])]}, {variable: [True]})


def test_each_error_is_chosen_alone():
    x = T.vector("x")
    values = np.array([np.nan, np.inf, 1e11])
    for chosen, expected in [("nan", "NaN"), ("inf", "Inf"), ("big", "Big value")]:
        flags = {f"{name}_is_error": name == chosen for name in ("nan", "inf", "big")}
        function = theano.function([x], 2 * x, mode=NanGuardMode(**flags))
        with pytest.raises(AssertionError, match=f"^{expected} detected"):
            function(values)
    with pytest.raises(AssertionError, match="NanGuardMode: nothing is an error"):
        NanGuardMode(nan_is_error=False, inf_is_error=False, big_is_error=False)


@pytest.mark.parametrize(("action", "stops"), [("warn", 0), ("pdb", 2)])
def test_flag_warns_or_starts_the_debugger_instead(action, stops, caplog, monkeypatch):
    stopped, x = [], T.vector("x")
    monkeypatch.setattr(pytensor.config, "NanGuardMode__action", action)
    monkeypatch.setattr(sys, "breakpointhook", lambda: stopped.append(1))
    with caplog.at_level(logging.ERROR):
        assert np.isnan(theano.function([x], 2 * x, mode=GUARD)([np.nan]))
    assert len(stopped) == stops
    assert caplog.text.count("NaN detected") == 2  # in the input and in the output


def test_copies_keep_the_guard():
    x = T.vector("x")
    for mode in (GUARD.including("local_remove_useless_assert"), GUARD.excluding("fusion"), GUARD.clone()):
        with pytest.raises(AssertionError, match="Inf detected"):
            theano.function([x], 1 / x, mode=mode)([0.0])
