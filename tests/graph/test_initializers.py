"""What the weights of a model start from."""

import numpy as np
import pytest

from lstm_cli.config import config_from_mapping
from lstm_cli.config.initializer import Initial
from lstm_cli.config.model import ModelSpec
from lstm_cli.graph.initializers import DISTRIBUTIONS, matrix
from lstm_cli.graph.model import Model
from lstm_cli.graph.plan import Sizes


def model(*, numbers=3, tokens=None, outputs=4, **section):
    config = config_from_mapping({"data": {"train": "a.jsonl", "target": "y"}, "model": section})
    return Model(config.model, Sizes(numbers, tokens or {}, outputs, "step"))


# The deviation of a matrix (300, 200): PyTorch's and Keras's formulas, and whether the values are bounded.
DEVIATIONS = {
    "glorot_uniform": (np.sqrt(2 / 500), True),
    "glorot_normal": (np.sqrt(2 / 500), False),
    "he_uniform": (np.sqrt(2 / 200), True),
    "he_normal": (np.sqrt(2 / 200), False),
    "lecun_uniform": (np.sqrt(1 / 200), True),
    "lecun_normal": (np.sqrt(1 / 200), False),
    "normal": (1, False),
    "uniform": (np.sqrt(1 / 3), True),
    "orthogonal": (np.sqrt(1 / 300), False),
}


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_deviations(name):
    deviation, bounded = DEVIATIONS[name]
    drawn = matrix(Initial(distribution=name, scale=2))(np.random.default_rng(0), (300, 200)) / 2
    assert abs(drawn.mean()) < 0.02 * deviation
    assert drawn.std() == pytest.approx(deviation, rel=0.02)
    assert (np.abs(drawn).max() <= np.sqrt(3) * deviation) == bounded


@pytest.mark.parametrize("shape", [(7, 7), (9, 4), (4, 9)])
def test_orthogonal(shape):
    drawn = matrix(Initial(distribution="orthogonal"))(np.random.default_rng(0), shape)
    assert drawn.shape == shape
    tall = drawn if shape[0] >= shape[1] else drawn.T
    np.testing.assert_allclose(tall.T @ tall, np.eye(min(shape)), atol=1e-12)


def test_each_part_has_its_own_and_gates_are_drawn_one_by_one():
    given = {"input": "orthogonal", "recurrent": {"distribution": "uniform", "scale": 0.01}}
    given |= {"embedding": {"distribution": "normal", "scale": 0.1}, "output": "he_normal"}
    built = model(numbers=0, tokens={"w": 800}, embedding=20, layers=[20], outputs=900, initializer=given)
    values = built.parameters.values()
    for gate in np.split(values["layers.0.W"], 4):
        np.testing.assert_allclose(gate[:, :20] @ gate[:, :20].T, np.eye(20), atol=1e-5)
        assert 0.009 < np.abs(gate[:, 20:]).max() <= 0.01
    assert values["embedding.w"].std() == pytest.approx(0.1, rel=0.02)
    assert values["output.W"].std() == pytest.approx(np.sqrt(2 / 20), rel=0.02)


def test_what_is_named_is_what_is_drawn_without_naming_it():
    named = {"input": "glorot_uniform", "recurrent": "orthogonal", "embedding": "normal", "output": "glorot_uniform"}
    plain, same = (model(tokens={"w": 5}, layers=[4], **given) for given in ({}, {"initializer": named}))
    np.testing.assert_array_equal(plain.parameters.flat.get_value(), same.parameters.flat.get_value())


def test_the_forget_gates_of_lstm_cells_alone():
    built = model(layers=[3, {"size": 2, "cell": "gru"}], forget_bias=2.5)
    values = built.parameters.values()
    np.testing.assert_array_equal(values["layers.0.b"], np.repeat([0, 2.5, 0, 0], 3))
    assert not values["layers.1.b"].any()


def test_embeddings_that_are_output_weights_start_small_unless_the_config_says_otherwise():
    given = {"tie_embeddings": True}
    assert ModelSpec(**given).initializer.embedding.scale == 0.3
    assert ModelSpec().initializer.embedding.scale == 1
    for own in ("normal", {"distribution": "normal", "scale": 1.0}):
        assert ModelSpec(**given, initializer={"embedding": own}).initializer.embedding.scale == 1
    spec = ModelSpec(**given, initializer={"output": "he_normal"})
    again = ModelSpec(**spec.model_dump(mode="json"))
    assert again.initializer == spec.initializer and spec.initializer.embedding.scale == 0.3
