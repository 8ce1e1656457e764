"""A running average of the weights: what it is, what uses it, and that training does not."""

import numpy as np
import pytest

import lstm_cli
from lstm_cli.engine.memory import open_checked_data
from lstm_cli.ops.averaging import RunningAverage
from lstm_cli.ops.mode import compiled
from lstm_cli.run.checkpoint import load
from lstm_cli.training.events import StepDone
from lstm_cli.training.loop import train as loop
from lstm_cli.training.session import build_job
from tests.support.runs import small_config, train, write_data

TEXT = {"train": "text.txt", "valid": 0.25, "window": 6}


@pytest.mark.parametrize("decay", [0.5, 0.999])
def test_it_is_the_weighted_mean_of_all_values(decay):
    """Against the sum with its weights, in double precision; debiased as by ``optax.ema``."""
    import pytensor.tensor as pt

    average, count, values = pt.dvector(), pt.dscalar(), pt.dvector()
    function = compiled([average, count, values], RunningAverage(decay)(average, count, values, return_list=True))
    given = np.random.default_rng(1).normal(size=(7, 20_000))
    mean, number = np.full(20_000, 9.0), np.asarray(0.0)
    for t, row in enumerate(given, start=1):
        mean, number = function(mean, number, row)
        weights = (1 - decay) * decay ** np.arange(t - 1, -1, -1) / (1 - decay**t)
        np.testing.assert_allclose(mean, weights @ given[:t], rtol=1e-9, atol=1e-12)
        assert number == t
    same = np.asarray([0.1, -3.7])
    assert (function(same, np.asarray(4.0), same)[0] == same).all()


def test_evaluations_and_predictions_use_it_and_training_does_not(tmp_path):
    write_data(tmp_path)
    optimizer = {"name": "adam", "learning_rate": 0.05}
    changes = {"data": TEXT, "model": {"layers": [4], "embedding": 5}, "optimizer": optimizer}
    plain = small_config(tmp_path, **changes)
    averaged = small_config(tmp_path, **changes, train={"average": 0.8, "freeze": ["output.b"]})
    without = small_config(tmp_path, **changes, train={"freeze": ["output.b"]})
    job = build_job(open_checked_data(averaged))
    start = job.trainer.model.parameters.flat.get_value()
    steps = [job.trainer.model.parameters.flat.get_value() for event in loop(job) if isinstance(event, StepDone)]
    t = len(steps)
    weights = 0.2 * 0.8 ** np.arange(t - 1, -1, -1) / (1 - 0.8**t)
    expected = weights @ np.array(steps, np.float64)
    np.testing.assert_allclose(job.trainer.optimizer.state["average"].get_value(), expected, atol=2e-6)
    frozen = job.trainer.model.parameters.starts(["output.b"])[0]
    assert (job.trainer.optimizer.state["average"].get_value()[frozen:] == start[frozen:]).all()

    train(averaged, tmp_path / "averaged")
    train(without, tmp_path / "without")
    saved, other = load(tmp_path / "averaged" / "last"), load(tmp_path / "without" / "last")
    flat = np.concatenate([array.ravel() for array in saved.model.values()])
    order = np.concatenate([saved.model[p.name].ravel() for p in job.trainer.model.parameters.parameters])
    np.testing.assert_allclose(order, expected, atol=2e-6)
    trained = np.concatenate([other.model[p.name].ravel() for p in job.trainer.model.parameters.parameters])
    assert (saved.optimizer["trained"] == trained).all() and flat.size == trained.size
    assert {*saved.optimizer} == {*other.optimizer, "trained", "averaged"}
    assert "trained" not in load_plain(plain, tmp_path)

    result = lstm_cli.evaluate(tmp_path / "averaged")
    best = load(tmp_path / "averaged" / "best")
    assert result.metrics["loss"] == pytest.approx(best.position["best"], rel=1e-6)
    assert result.metrics["loss"] != pytest.approx(lstm_cli.evaluate(tmp_path / "without").metrics["loss"], rel=1e-4)


def load_plain(config, folder):
    job = build_job(open_checked_data(config))
    return job.trainer.saved()[1]
