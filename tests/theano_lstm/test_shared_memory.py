"""Several processes on one set of weights."""

import multiprocessing

import numpy as np
import pytest
from numpy.testing import assert_allclose

from lstm_cli import Layer, borrow_all_memories, borrow_memory, create_optimization_updates, wrap_params
from lstm_cli.theano_lstm import theano

T = theano.tensor


def model_and_update():
    """Return a layer that is to learn y = x, and the function of one update."""
    layer = Layer(3, 3, lambda x: x)
    x = T.matrix()
    cost = T.sqr(layer.activate(x) - x).mean()
    updates, *_ = create_optimization_updates(cost, layer.params, method="sgd", lr=0.2)
    return layer, theano.function([x], cost, updates=updates)


def work(memories, seed, start, costs):
    layer, update = model_and_update()
    borrow_all_memories(layer.params, memories)
    rng = np.random.default_rng(seed)
    start.wait()
    costs.put([float(update(rng.normal(size=(8, 3)))) for _ in range(150)])


def test_two_processes_train_one_model():
    spawn = multiprocessing.get_context("spawn")
    layer, update = model_and_update()
    before = float(update(np.eye(3)))
    memories = wrap_params(layer.params)
    start, costs = spawn.Barrier(2), spawn.Queue()
    processes = [spawn.Process(target=work, args=(memories, seed, start, costs)) for seed in (1, 2)]
    for process in processes:
        process.start()
    runs = [costs.get(timeout=120) for _ in processes]
    for process in processes:
        process.join()
    assert all(run[-1] < 0.1 * run[0] for run in runs)
    assert_allclose(layer.linear_matrix.get_value(), np.eye(3), atol=0.1)
    assert float(update(np.eye(3))) < 0.01 * before  # a function compiled before sees the memory too


def test_updates_stay_in_the_memory():
    layer, update = model_and_update()
    W, _ = wrap_params(layer.params)
    before = np.array(W)
    update(np.eye(3))
    assert (np.array(W) != before).any()
    assert_allclose(np.reshape(W, (3, 3)), layer.linear_matrix.get_value())


def test_memory_of_another_parameter_is_refused():
    layer, _ = model_and_update()
    W, _ = wrap_params(layer.params)
    with pytest.raises(ValueError, match="expected memory for 3 numbers of float64, got 9"):
        borrow_memory(layer.bias_matrix, W)
