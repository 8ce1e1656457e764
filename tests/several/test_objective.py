"""The loss of several target columns is the weighted sum of their losses, each where its target is known."""

import numpy as np
import pytest

from lstm_cli.data import Dataset
from lstm_cli.data.batching.whole import WholeBatches
from tests.support.several import KINDS
from tests.support.worlds import randomized_job

WEIGHTS = {"load": 0.25, "tags": 2.0}


def losses(kind, outputs, truth):
    """The loss of each position in float64."""
    outputs, truth = outputs.astype(np.float64), np.asarray(truth)
    if kind == "category":
        return np.logaddexp.reduce(outputs, axis=1) - np.take_along_axis(outputs, truth[:, None], axis=1)[:, 0]
    if kind == "set":
        return (np.logaddexp(0, outputs) - outputs * truth).sum(axis=1)
    return ((outputs - truth) ** 2).mean(axis=1)


@pytest.mark.parametrize("name", ["whole", "steps"])
def test_the_loss_is_the_sum_over_columns_of_known_targets(config, name):
    job = randomized_job(config(name, loss={"weights": WEIGHTS}, precision="float64"))
    (batch,) = job.scored["train"].epoch(0)
    scored, total, target = job.evaluator.scored(batch, None), 0.0, job.data.schema.target
    for part, (column, own) in enumerate(target.parts_of_outputs.items()):
        view, kept = batch.view(part, target)
        assert 0 < len(kept) and (len(kept) < len(batch.counted)) == (column != "tags")
        found = losses(KINDS[column], scored.outputs[kept, own], view.target)
        np.testing.assert_allclose(scored.losses[kept, part], found, rtol=1e-9)
        total += WEIGHTS.get(column, 1.0) * found.sum()
    assert scored.loss == pytest.approx(total, rel=1e-9)


@pytest.mark.parametrize("name", ["whole", "steps"])
@pytest.mark.parametrize("column", KINDS)
def test_with_one_weight_the_gradient_is_that_of_a_network_of_this_column(config, name, column):
    weights = {other: float(other == column) for other in KINDS}
    job = randomized_job(config(name, loss={"weights": weights}, precision="float64"))
    alone = randomized_job(config(name, {"column": column, "kind": KINDS[column]}, precision="float64"))
    own = job.data.schema.target.parts_of_outputs[column]
    values = job.trainer.model.parameters.values()
    alone.trainer.model.parameters.set_values(
        {name: value[own] if name.startswith("output") else value for name, value in values.items()}
    )
    together, expected = gradient(job), gradient(alone)
    for name, values in expected.items():
        given = together[name].reshape(job.data.schema.target.outputs, -1)[own] if "output" in name else together[name]
        np.testing.assert_allclose(given.ravel(), values, rtol=1e-9, atol=1e-12)


def gradient(job):
    """The gradient on all training data by the names of the parameters."""
    (batch,) = job.scored["train"].epoch(0)
    job.trainer.backpropagate(batch, None, divisor=7.0, seed=1, step=0)
    flat = job.trainer.gradient.get_value()
    return {name: flat[start:stop].copy() for name, start, stop in job.trainer.model.parameters.segments()}


def test_a_padded_batch_gives_what_its_sequences_give_one_by_one(config):
    job = randomized_job(config("steps", precision="float64"))
    batches = job.scored["train"]
    (batch,) = batches.epoch(0)
    together = job.evaluator.scored(batch, None)
    dataset, total = batches.dataset, 0.0
    for sequence in dataset:
        (single,) = WholeBatches(job.config.model, Dataset([sequence], dataset.schema)).epoch(0)
        total += job.evaluator.scored(single, None).loss
    assert together.loss == pytest.approx(total, rel=1e-9)
