"""Models whose layers normalise their sums."""

import numpy as np
import pytest

from tests.support import reference
from tests.support.graph import EXACT, RAGGED, check_alone, check_numerically, network, random_batch

LAYERS = [5, {"size": 4, "cell": "gru"}, {"size": 3, "layer_norm": False}]


def test_each_layer_has_a_gain_for_each_of_its_biases():
    model = network(layers=LAYERS, layer_norm=True).model
    gains = {p.name: p for p in model.parameters.parameters if p.name.endswith(".gain")}
    assert {name: p.shape for name, p in gains.items()} == {"layers.0.gain": (20,), "layers.1.gain": (16,)}
    for gain in gains.values():
        assert (gain.initializer(np.random.default_rng(0), gain.shape) == 1).all()
    assert gains["layers.0.gain"].blocks == ("in_gate", "forget_gate", "out_gate", "in_gate2")


def test_outputs_are_those_of_the_reference():
    built = network(layers=LAYERS, layer_norm=True, initial_state="zeros")
    weights, batch = built.model.parameters.values(), random_batch(built, RAGGED)
    h = batch.numbers.astype(np.float64)
    for number, (cell, size, states) in enumerate([("lstm", 5, 2), ("gru", 4, 1), ("lstm", 3, 2)]):
        W, b, gain = (weights.get(f"layers.{number}.{leaf}") for leaf in ("W", "b", "gain"))
        initial = [np.zeros((len(RAGGED), size))] * states
        h, _ = reference.recurrent(h, batch.lengths, W, b, initial, cell=cell, gain=gain)
    expected = h.reshape(-1, 3)[batch.counted] @ weights["output.W"].T + weights["output.b"]
    np.testing.assert_allclose(built.outputs(batch), expected, **EXACT)


@pytest.mark.parametrize(("per", "pool"), [("step", "last"), ("sequence", "last"), ("sequence", "attention")])
def test_gradients_and_padding(per, pool):
    options = {"per": per, "pool": pool, "tokens": {"w": 3}, "layers": [4, {"size": 4, "cell": "gru"}], "skip": True}
    options |= {"layer_norm": True, "bidirectional": True}
    check_alone(network(**options))
    small = network(**options, dropout=0.3, recurrent_dropout=0.3)
    check_numerically(small, random_batch(small, [4, 2, 1]), directions=2)


def test_tokens_alone():
    small = network(numbers=0, tokens={"w": 6}, layers=[5], layer_norm=True)
    check_alone(small)
    check_numerically(small, random_batch(small, [4, 2, 1]), directions=2)
