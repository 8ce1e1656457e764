"""The gradient of whole models against differences of their loss."""

import numpy as np
import pytest

from tests.support.graph import CELLS, check_numerically, network, random_batch


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("initial_state", ["learned", "zeros"])
def test_steps(cell, initial_state):
    small = network(cell=cell, layers=[3, 2], tokens={"w": 3}, numbers=2, outputs=3, initial_state=initial_state)
    check_numerically(small, random_batch(small, [5, 3, 1]))


@pytest.mark.parametrize("pool", ["last", "mean", "max", "attention"])
def test_sequences_read_both_ways(pool):
    layers = [{"size": 2, "cell": cell} for cell in CELLS]
    small = network("number", per="sequence", pool=pool, layers=layers, numbers=2, outputs=2, bidirectional=True)
    check_numerically(small, random_batch(small, [5, 3, 1]))


@pytest.mark.parametrize("cell", CELLS)
def test_under_dropout_everywhere(cell):
    small = network("set", cell=cell, layers=[3, 2], tokens={"w": 3}, dropout=0.3, recurrent_dropout=0.3, outputs=3)
    check_numerically(small, random_batch(small, [4, 2, 2]))


@pytest.mark.parametrize("activation", ["linear", "sigmoid", "softsign"])
def test_activations(activation):
    layers = [{"size": 2, "cell": cell} for cell in CELLS]
    small = network("number", layers=layers, numbers=2, activation=activation, output_activation=activation)
    check_numerically(small, random_batch(small, [4, 2]))


@pytest.mark.parametrize("loss", [{"distance": "absolute"}, {"distance": "huber", "huber_delta": 0.5}])
def test_distances(loss):
    small = network("number", layers=[3], loss=loss)
    check_numerically(small, random_batch(small, [4, 2]))


def test_smoothed_labels():
    small = network(layers=[3], loss={"label_smoothing": 0.2})
    check_numerically(small, random_batch(small, [4, 2]))


def test_no_gradient_flows_through_a_carried_state_to_the_initial_one():
    """Sequences that continue from a state do not change the learned initial state."""
    small = network(layers=[3])
    batch = random_batch(small, [4, 2], carry=np.array([1, 0]))
    state = np.random.default_rng(3).normal(size=(2, small.model.state_size))
    gradient = small.gradient(batch, state)[1]
    segments = small.model.parameters.segments()
    initial = next(slice(start, stop) for name, start, stop in segments if name == "layers.0.initial")
    np.testing.assert_array_equal(gradient[initial], 0)
    assert np.abs(small.gradient(batch)[1][initial]).min() > 0
