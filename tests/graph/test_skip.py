"""Skip connections around layers, against their equation; output layers whose weights are the embeddings."""

import numpy as np
import pytest

from tests.support import reference
from tests.support.graph import EXACT, RAGGED, check_alone, check_numerically, network, random_batch

BOTH_WAYS = [{"size": 2, "bidirectional": True}, {"size": 4, "cell": "gru"}, {"size": 2, "bidirectional": True}]


def layer(weights, name, cell, x, lengths, *, reverse=False):
    """One direction of a layer in numpy: its outputs (T, B, H) and its last ones (B, H)."""
    states = [np.tile(part, (len(lengths), 1)) for part in np.split(weights[f"{name}.initial"], 1 + (cell == "lstm"))]
    h, finals = reference.recurrent(
        x, lengths, weights[f"{name}.W"], weights[f"{name}.b"], states, cell=cell, reverse=reverse
    )
    return h, finals[0]


def outputs(built, batch):
    """The network of `BOTH_WAYS` in numpy: y = layer(x) + x for each layer, and of each direction the last one."""
    weights, lengths, y = built.model.parameters.values(), batch.lengths, batch.numbers.astype(np.float64)
    batches = np.arange(len(lengths))
    for number, cell in enumerate(["lstm", "gru", "lstm"]):
        x, ahead, back = y, layer(weights, f"layers.{number}", cell, y, lengths), None
        if cell == "lstm":
            back = layer(weights, f"layers.{number}.reverse", cell, y, lengths, reverse=True)
        y = x + (ahead[0] if back is None else np.concatenate([ahead[0], back[0]], axis=2))
    last = np.concatenate([ahead[1] + x[lengths - 1, batches, :2], back[1] + x[0, :, 2:]], axis=1)
    features = y.reshape(-1, 4)[batch.counted] if built.model.sizes.per == "step" else last
    return features @ weights["output.W"].T + weights["output.b"]


@pytest.mark.parametrize("per", ["step", "sequence"])
def test_outputs_are_the_equation(per):
    layers = [{**BOTH_WAYS[0], "skip": True}, *BOTH_WAYS[1:]]
    built = network(per=per, numbers=4, layers=layers, skip=True)
    assert [plan.skip for plan in built.model.layers] == [True, True, True]
    batch = random_batch(built, RAGGED)
    np.testing.assert_allclose(built.outputs(batch), outputs(built, batch), **EXACT)


@pytest.mark.parametrize(("per", "pool"), [("step", "last"), ("sequence", "last"), ("sequence", "attention")])
def test_gradients_and_padding(per, pool):
    layers = [{**BOTH_WAYS[0], "skip": True}, *BOTH_WAYS[1:]]
    options = {"per": per, "pool": pool, "numbers": 2, "tokens": {"w": 3}, "layers": layers, "skip": True}
    check_alone(network(**options))
    small = network(**options, dropout=0.3)
    check_numerically(small, random_batch(small, [4, 2, 1]), directions=2)


def test_tokens_alone_enter_the_first_layer_and_are_added_to_it():
    built = network(numbers=0, tokens={"w": 6}, embedding=5, layers=[{"size": 5, "skip": True}])
    weights, batch = built.model.parameters.values(), random_batch(built, RAGGED)
    x = weights["embedding.w"][batch.tokens["w"]]
    y = x + layer(weights, "layers.0", "lstm", x, batch.lengths)[0]
    expected = y.reshape(-1, 5)[batch.counted] @ weights["output.W"].T + weights["output.b"]
    np.testing.assert_allclose(built.outputs(batch), expected, **EXACT)


def test_the_first_layer_of_a_model_adds_nothing_unless_it_says_so():
    assert [plan.skip for plan in network(layers=[5, 5, 5], skip=True).model.layers] == [False, True, True]
    own = [5, 5, {"size": 5, "skip": False}]
    assert [plan.skip for plan in network(layers=own, skip=True).model.layers] == [False, True, False]
    assert not any(plan.skip for plan in network(layers=[5, 5]).model.layers)


def test_tied_weights_are_those_of_a_layer_with_the_same_ones():
    options = {"numbers": 0, "tokens": {"w": 6}, "outputs": 6, "embedding": 5, "layers": [5]}
    tied, own = (network(**options, tie_embeddings=tie, target="next") for tie in (True, False))
    assert "output.W" not in tied.model.parameters.values()
    values = tied.model.parameters.values()
    own.model.parameters.set_values({**values, "output.W": values["embedding.w"]})
    batch = random_batch(own, RAGGED)
    np.testing.assert_array_equal(tied.outputs(batch), own.outputs(batch))
    (loss, gradient), (same, apart) = tied.gradient(batch), own.gradient(batch)
    assert loss == same
    parts = {name: apart[start:stop] for name, start, stop in own.model.parameters.segments()}
    np.testing.assert_allclose(gradient[:30], parts["embedding.w"] + parts["output.W"], **EXACT)


@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_gradients_of_tied_weights(dropout):
    options = {"numbers": 0, "tokens": {"w": 4}, "outputs": 4, "embedding": 3, "layers": [5, 3]}
    small = network(**options, tie_embeddings=True, target="next", dropout=dropout)
    check_alone(small) if not dropout else check_numerically(small, random_batch(small, [4, 2, 1]), directions=2)
