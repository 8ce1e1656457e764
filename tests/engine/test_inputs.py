"""The inputs of a function and the arrays of a call are the same object, so that none can be in another's place."""

import numpy as np
import pytest

from lstm_cli.engine.inputs import input_arrays, inputs_with_target
from lstm_cli.graph.inputs import Inputs
from lstm_cli.graph.model import Model
from tests.support.graph import network, random_batch
from tests.support.worlds import ALONE, CLOSED, randomized_job, world_config, write_world

NETWORKS = {
    "numbers": {"numbers": 3},
    "tokens": {"numbers": 0, "tokens": {"word": 7, "tag": 4}},
    "both": {"numbers": 2, "tokens": {"word": 5}},
}


def assert_fits(inputs, arrays):
    """Every variable has an array of its rank and dtype, and its name is that of the field in which both are."""
    assert vars(inputs).keys() == vars(arrays).keys()
    assert len(inputs.in_order()) == len(arrays.in_order())
    for variable, array in zip(inputs.in_order(), arrays.in_order(), strict=True):
        assert (variable.type.ndim, variable.type.dtype) == (array.ndim, str(array.dtype)), variable
    for name, variable in vars(inputs).items():
        if name == "tokens":
            assert list(variable) == list(arrays.tokens)
            assert [token.name for token in variable.values()] == [f"tokens.{key}" for key in variable]
        else:
            assert (variable is None) == (getattr(arrays, name) is None), name
            assert variable is None or variable.name == name


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("kind", ["category", "number", "set"])
def test_arrays_take_the_places_of_their_variables(name, kind):
    built = network(kind, **NETWORKS[name])
    batch = random_batch(built, [4, 2, 1])
    assert_fits(built.model.inputs(), input_arrays(built.model, batch))
    inputs = inputs_with_target(built.model, built.evaluator.objective)
    assert inputs.in_order()[-2:] == [inputs.target, inputs.weight]
    assert_fits(inputs, input_arrays(built.model, batch, divisor=2.0))


@pytest.mark.parametrize("base", [CLOSED, ALONE], ids=["system", "alone"])
def test_those_of_a_closed_loop(tmp_path, base):
    job = randomized_job(world_config(write_world(tmp_path), base))
    model, batch = job.trainer.model, job.batches.largest()
    arrays = input_arrays(model, batch, divisor=1.0)
    assert_fits(inputs_with_target(model, job.trainer.objective), arrays)
    assert (arrays.feed.sum(axis=0) == batch.observed).all()
    assert model.inputs().feed is not None and Model.inputs(model).feed is None


def test_the_order_is_that_of_the_fields():
    names = list(Inputs.__dataclass_fields__)
    values = {name: np.array(place) for place, name in enumerate(names)}
    inputs = Inputs(**{**values, "tokens": {"b": values["tokens"], "a": values["tokens"]}})
    assert [int(array) for array in inputs.in_order()] == [0, 1, 1, *range(2, len(names))]
    assert [int(array) for array in Inputs(**{**values, "tokens": {}, "numbers": None}).in_order()] == [
        *range(2, len(names))
    ]
