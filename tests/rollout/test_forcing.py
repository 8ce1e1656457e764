"""Teacher forcing in training: the schedule of the config decides, update by update, what a loop is fed."""

import pytest

from tests.support.worlds import ALONE, randomized_job, world_config


def loss(job, step):
    batch = job.batches.largest()
    return job.trainer.backpropagate(batch, None, divisor=batch.loss_divisor, seed=1, step=step)[0]


@pytest.mark.parametrize("name", ["linear", "exponential"])
def test_training_goes_from_observed_values_to_its_own(world, name):
    def forced(**forcing):
        return randomized_job(world_config(world, ALONE, rollout={"teacher_forcing": forcing or None}))

    observed, own = loss(forced(name="constant", start=1.0), 0), loss(forced(), 0)
    scheduled = forced(name=name, start=1.0, end=0.0, steps=6)
    assert loss(scheduled, 0) == observed
    assert loss(scheduled, 1000) == own
    between = [loss(scheduled, step) for step in range(1, 6)]
    assert observed != own
    assert any(value not in (observed, own) for value in between)
