"""What theano-lstm computed on Theano, to nine digits."""

from functools import partial

import numpy as np
import pytest

from tests.theano_lstm.parity import CASES, NUMBERS, digest, fused, train

FUSED = ("lstm_adadelta", "lstm_identity_gate_sgd", "rnn_adagrad", "embedding_adagrad")


@pytest.fixture(scope="module")
def numbers():
    with np.load(NUMBERS) as file:
        return dict(file)


def of_case(numbers, name):
    return {key.partition("/")[2]: value for key, value in numbers.items() if key.startswith(f"{name}/")}


def assert_close(arrays, expected):
    """Compare the digests, each to 1e-9 of the length of its array."""
    for (name, array), digits in zip(arrays.items(), expected, strict=True):
        np.testing.assert_allclose(digest(array), digits, rtol=1e-9, atol=1e-9 * np.linalg.norm(array), err_msg=name)


def check(name, expected, graph=None):
    output, gradients, costs, after = train(CASES[name], expected, graph)
    np.testing.assert_allclose(output, expected["output"], rtol=1e-9)
    assert_close(gradients, expected["g0"])
    np.testing.assert_allclose(costs, expected["cost"], rtol=1e-9)
    assert_close(after, expected["p1"])


@pytest.mark.parametrize("name", CASES)
def test_loop_of_steps(name, numbers):
    check(name, of_case(numbers, name))


@pytest.mark.parametrize("name", FUSED)
def test_one_op_for_the_sequence(name, numbers):
    check(name, of_case(numbers, name), partial(CASES[name].graph, run=fused))
