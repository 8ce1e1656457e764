"""The parts of a model: its parameters, where it drops, what it starts from."""

from dataclasses import replace

import numpy as np
import pytest

from lstm_cli.config import config_from_mapping
from lstm_cli.graph.model import Model
from lstm_cli.graph.plan import Sizes
from lstm_cli.ops.dropout import Dropout, DropoutMask
from tests.support.graph import CELLS, network, random_batch


def model(*, numbers=3, tokens=None, outputs=4, per="step", seed=0, **section):
    config = config_from_mapping({"data": {"train": "a.jsonl", "target": "y"}, "model": section})
    return Model(config.model, Sizes(numbers, tokens or {}, outputs, per), seed=seed)


def shapes(built):
    return {parameter.name: parameter.shape for parameter in built.parameters.parameters}


def test_parameters_of_a_tagger():
    built = model(tokens={"w": 9, "s": 4}, embedding={"w": 5, "s": 2}, layers=[6, {"size": 7, "cell": "gru"}])
    assert shapes(built) == {
        "embedding.w": (9, 5),
        "embedding.s": (4, 2),
        "layers.0.W": (24, 3 + 5 + 2 + 6),
        "layers.0.b": (24,),
        "layers.0.initial": (12,),
        "layers.1.W": (21, 6 + 7),
        "layers.1.b": (28,),
        "layers.1.initial": (7,),
        "output.W": (4, 7),
        "output.b": (4,),
    }
    assert built.state_size == 12 + 7
    assert built.parameters.size == sum(np.prod(shape) for shape in shapes(built).values())


def test_parameters_of_a_classifier_that_reads_both_ways():
    built = model(per="sequence", pool="attention", cell="rnn", layers=[5], bidirectional=True, initial_state="zeros")
    assert shapes(built) == {
        "layers.0.W": (5, 8),
        "layers.0.b": (5,),
        "layers.0.reverse.W": (5, 8),
        "layers.0.reverse.b": (5,),
        "attention.W": (1, 10),
        "attention.b": (1,),
        "output.W": (4, 10),
        "output.b": (4,),
    }


def test_initial_weights_of_a_layer_do_not_depend_on_the_other_layers():
    values = [model(layers=layers).parameters.values() for layers in ([5], [5, 6])]
    np.testing.assert_array_equal(values[0]["layers.0.W"], values[1]["layers.0.W"])
    assert not np.array_equal(values[0]["layers.0.W"], model(layers=[5], seed=1).parameters.values()["layers.0.W"])


def test_starting_weights():
    values = model(tokens={"w": 500}, numbers=0, layers=[40]).parameters.values()
    assert values["embedding.w"].std() == pytest.approx(1, abs=0.02)
    np.testing.assert_array_equal(values["layers.0.b"], np.repeat([0, 1, 0, 0], 40))
    hidden = values["layers.0.W"][:40, -40:]
    np.testing.assert_allclose(hidden @ hidden.T, np.eye(40), atol=1e-5)
    assert not values["layers.0.initial"].any()


@pytest.mark.parametrize("per", ["step", "sequence"])
def test_nothing_is_dropped_outside_of_training(per):
    options = {"per": per, "tokens": {"w": 6}, "bidirectional": True}
    plain = network(**options)
    dropping = network(**options, dropout=0.5, recurrent_dropout=0.5)
    batch = random_batch(plain, [5, 3, 3])
    np.testing.assert_array_equal(dropping.outputs(batch), plain.outputs(batch))
    assert dropping.loss(batch) == plain.loss(batch) == pytest.approx(plain.gradient(batch)[0], rel=1e-12)
    assert dropping.gradient(batch)[0] != pytest.approx(plain.loss(batch))


@pytest.mark.parametrize("place", ["dropout", "recurrent_dropout"])
def test_masks_depend_only_on_seed_step_and_part(place):
    dropping = network(tokens={"w": 6}, **{place: 0.4})
    batch = random_batch(dropping, [5, 3, 3])
    first = dropping.gradient(batch, step=3)
    assert dropping.gradient(batch, step=4)[0] != first[0]
    again = dropping.gradient(batch, step=3)
    assert again[0] == first[0]
    np.testing.assert_array_equal(again[1], first[1])
    assert dropping.gradient(batch, step=3, part=1)[0] != first[0]


def test_every_place_that_drops_has_a_seed_of_its_own():
    layers = [5, {"size": 7, "bidirectional": True}, {"size": 3, "dropout": 0.0}]
    dropping = network(tokens={"w": 6}, layers=layers, dropout=0.3, recurrent_dropout=0.2)
    assert dropping.model.dropout_rates == {
        "embedding.w": 0.3,
        "layers.0": 0.2,
        "layers.0.output": 0.3,
        "layers.1": 0.2,
        "layers.1.reverse": 0.2,
        "layers.1.output": 0.3,
        "layers.2": 0.2,
    }
    nodes = dropping.trainer._set_gradient.__wrapped__.maker.fgraph.apply_nodes
    seeds = {node.inputs[1] for node in nodes if isinstance(node.op, Dropout)}
    masks = [node.inputs[0] for node in nodes if isinstance(node.op, DropoutMask)]
    assert (len(seeds), len(masks), len({*seeds, *masks})) == (3, 4, dropping.model.places_that_drop)


def test_a_layer_may_have_its_own_dropout():
    layers = [{"size": 5, "dropout": 0.9}, {"size": 7, "dropout": 0.0}]
    own, everywhere, nowhere = (network(layers=layers, dropout=0.5), network(dropout=0.5), network())
    batch = random_batch(own, [4, 2])
    assert len({built.gradient(batch)[0] for built in (own, everywhere, nowhere)}) == 3
    without = network(layers=[{**layer, "dropout": 0.0} for layer in layers], dropout=0.5)
    assert without.gradient(batch)[0] == nowhere.gradient(batch)[0]


@pytest.mark.parametrize("cell", CELLS)
def test_the_learned_initial_state_is_what_a_sequence_starts_from(cell):
    """It is the state of a stream that was left there."""
    learned = network(cell=cell, layers=[5])
    initial = learned.model.parameters.values()["layers.0.initial"]
    batch = random_batch(learned, [4, 2])
    carried = replace(batch, carry=np.array([0, 1]))
    state = np.tile(initial, (2, 1))
    np.testing.assert_allclose(learned.outputs(carried, state), learned.outputs(batch), rtol=1e-12)
    assert not np.allclose(learned.outputs(carried, 0 * state), learned.outputs(batch))


def test_each_sequence_of_a_batch_starts_or_continues():
    streaming = network(layers=[5])
    batch = random_batch(streaming, [3, 3, 3])
    state = np.random.default_rng(4).normal(size=(4, streaming.model.state_size))
    mixed = streaming.outputs(replace(batch, carry=np.array([2, -1, 0])), state)
    fresh = streaming.outputs(batch)
    continued = streaming.outputs(replace(batch, carry=np.array([2, 3, 0])), state)
    middle = batch.counted % 3 == 1
    np.testing.assert_allclose(mixed[middle], fresh[middle], rtol=1e-12)
    np.testing.assert_allclose(mixed[~middle], continued[~middle], rtol=1e-12)


def test_a_batch_in_which_nothing_counts_yields_no_output_but_a_state():
    """Such are windows that only bring the state up to date."""
    streaming = network(tokens={"w": 6}, dropout=0.1)
    batch = random_batch(streaming, [3, 1])
    nothing = replace(
        batch, counted=batch.counted[:0], target=batch.target[:0], weight=batch.weight[:0], loss_divisor=0.0
    )
    output, state = streaming.predictor(nothing)
    assert output.shape == (0, 4)
    np.testing.assert_array_equal(state, streaming.predictor(batch)[1])
    assert streaming.loss(nothing) == 0
    loss, gradient = streaming.gradient(nothing)
    assert loss == 0 and not gradient.any()


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_precision(precision):
    built = network("number", precision=precision, tokens={"w": 6})
    batch = random_batch(built, [3, 1])
    assert {array.dtype.name for array in built.predictor(batch)} == {precision}
    assert built.gradient(batch)[1].dtype == precision


def test_single_precision_is_close_to_double():
    batch = random_batch(network(), [30, 20, 20])
    results = [network(precision=precision).gradient(batch)[1] for precision in ("float32", "float64")]
    np.testing.assert_allclose(results[0], results[1], rtol=0, atol=1e-5 * np.abs(results[1]).max())
