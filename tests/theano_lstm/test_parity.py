"""What theano-lstm computed on Theano, to nine digits."""

from functools import partial

import numpy as np
import pytest
from pytensor.graph.rewriting.db import RewriteDatabaseQuery

from lstm_cli import theano
from tests.support.parity import CASES, NUMBERS, assert_close, fused, of_case, train

# The longest to build.
SLOW = {"lstm_adadelta", "lstm_identity_gate_sgd", "lstm_clip_elementwise", "closed_loop_adadelta", "gated_input_sgd"}
LOOPS = [pytest.param(name, marks=pytest.mark.slow if name in SLOW else ()) for name in CASES]
FUSED = ("lstm_adadelta", "lstm_identity_gate_sgd", "rnn_adagrad", "embedding_adagrad")


@pytest.fixture(scope="module")
def numbers():
    with np.load(NUMBERS) as file:
        return dict(file)


def check(name, expected, graph=None):
    output, gradients, costs, after = train(CASES[name], expected, graph)
    np.testing.assert_allclose(output, expected["output"], rtol=1e-9)
    assert_close(gradients, expected["g0"])
    np.testing.assert_allclose(costs, expected["cost"], rtol=1e-9)
    assert_close(after, expected["p1"])


@pytest.fixture
def barely_optimized():
    """Halve the time that building a loop takes; a call then takes twice as long."""
    rewrites = ("merge", "useless", "stabilize", "lstm_numpy_elementwise", "lstm_work_in_place", "minimum_compile")
    with theano.config.change_flags(mode=theano.Mode("vm", RewriteDatabaseQuery(include=rewrites))):
        yield


@pytest.mark.usefixtures("barely_optimized")
@pytest.mark.parametrize("name", LOOPS)
def test_loop_of_steps(name, numbers):
    check(name, of_case(numbers, name))


@pytest.mark.parametrize("name", FUSED)
def test_one_op_for_the_sequence(name, numbers):
    check(name, of_case(numbers, name), partial(CASES[name].graph, run=fused))
