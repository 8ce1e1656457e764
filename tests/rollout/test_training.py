"""Closed loops from a config to a run: what is learned and reported, and that nothing is lost on the way."""

import numpy as np
import pytest

import lstm_cli
from lstm_cli.data import evaluation_batches, open_data
from lstm_cli.training.check import check
from lstm_cli.training.horizon import rolled
from lstm_cli.training.overview import started
from tests.support.paths import ROOT
from tests.support.runs import assert_same, train, train_in_sessions
from tests.support.worlds import ALONE, CLOSED, cart_step, randomized_job, raw_sequences, world_config, write_world


def test_the_example_of_the_interface_works_as_shown(tmp_path):
    write_swings(tmp_path)
    (tmp_path / "swing.yaml").write_text(EXAMPLE)
    result = lstm_cli.train(tmp_path / "swing.yaml", ["train.epochs=1"], run=tmp_path / "run", verbosity=-1)
    assert np.isfinite(result.scores["valid"]["rmse"])


EXAMPLE = """
data: {train: swings.jsonl, inputs: [start], target: goal}
model: {cell: lstm, layers: [{size: 20, activation: linear}, 20], output: {size: 1, activation: linear}}
rollout:
  dynamics: pendulum.py:double_pendulum   # (state (B, D), output (B, O)) -> next state, PyTensor expressions
  steps: 100
  loss_on: [0, 2]                         # which elements of the state are compared
"""


def write_swings(folder):
    (folder / "pendulum.py").write_text((ROOT / "configs" / "pendulum.py").read_text())
    (folder / "swings.jsonl").write_text((ROOT / "data" / "pendulum" / "test.jsonl").read_text())


@pytest.mark.parametrize("base", [CLOSED, ALONE], ids=["system", "alone"])
def test_a_run_resumed_is_the_run_uninterrupted(tmp_path, base):
    write_world(tmp_path)
    given = world_config(tmp_path, base, model={"dropout": 0.2})
    train(given, tmp_path / "whole")
    sessions = train_in_sessions(given, tmp_path / "parts", stops=(1, 2, 2))
    assert sessions > 1
    assert_same(tmp_path / "whole", tmp_path / "parts")


def test_learning_brings_the_cart_to_its_goal(world, tmp_path):
    given = world_config(world, train={"epochs": 40, "patience": None}, rollout={"loss_at": "last", "steps": 15})
    watcher = train(given, tmp_path / "run")
    from lstm_cli.training.events import Evaluated

    scores = [event.metrics["rmse"] for event in watcher.of(Evaluated) if event.split == "valid"]
    assert min(scores) < 0.75 * scores[0]  # the goals differ, and it does not see them


@pytest.mark.parametrize("base", [CLOSED, ALONE], ids=["system", "alone"])
def test_the_error_against_the_horizon(world, base):
    job = randomized_job(world_config(world, base, data={"test": 0.2}))
    data = open_data(job.config)
    errors, trajectories = rolled(job, "test")
    assert len(errors) == job.config.rollout.steps
    batches = evaluation_batches(job.config, data.test)
    squares = np.zeros(len(errors))
    counts = np.zeros(len(errors))
    for batch in batches.epoch(0):
        _, values, _ = job.evaluator(batch, None)
        found, wanted = data.test.restore(batch, values), data.test.truth(batch)
        for n, row in enumerate(batch.counted):
            turn = row // len(batch.lengths) - batch.observed[row % len(batch.lengths)] + 1
            squares[turn] += np.mean((found[n] - wanted[n]) ** 2)
            counts[turn] += 1
    np.testing.assert_allclose(errors, np.sqrt(squares / counts))
    last = world_config(world, base, data={"test": 0.2}, rollout={"loss_at": "last"})
    assert rolled(randomized_job(last), "test") == (errors, trajectories)  # every step is shown, whichever count
    assert 2 <= len(trajectories) <= 6
    assert all(len(line.found) == len(line.wanted) for line in trajectories)


def test_the_report_shows_the_loop_and_the_undriven_system(world, tmp_path):
    train(world_config(world), tmp_path / "run")
    page = (tmp_path / "run" / "report.html").read_text()
    assert "<h2>Closed loop</h2>" in page and "RMSE by step" in page
    assert "the undriven system" in page and "start[1]" in page


def test_the_system_left_alone_is_a_baseline(world):
    job = randomized_job(world_config(world))
    before = job.trainer.model.parameters.flat.get_value()
    (baseline,) = started(world, job).baselines
    assert (job.trainer.model.parameters.flat.get_value() == before).all()
    squares = []
    for row in raw_sequences(world, job.valid.dataset.ids):
        state, goal = np.atleast_2d(row["start"])[-1:], np.atleast_2d(row["goal"])
        for turn in range(len(goal) if len(goal) > 1 else 6):
            state = cart_step(state, np.zeros((1, 2)))
            squares.append((state[0, :2] - goal[min(turn, len(goal) - 1)]) ** 2)
    assert baseline.metrics["rmse"] == pytest.approx(np.sqrt(np.mean(squares)), rel=1e-5)


def test_the_last_observed_value_is_a_baseline_of_a_loop_alone(world):
    job = randomized_job(world_config(world, ALONE))
    persisted = {b.title: b.metrics for b in started(world, job).baselines}["the last value"]
    squares = []
    for batch in job.valid.epoch(0):
        truth = job.valid.dataset.truth(batch)
        shown = job.valid.dataset.schema.target.scaling.undo(batch.numbers[2][batch.counted % len(batch.lengths)])
        squares.append((truth - shown) ** 2)
    for name, own in zip("ab", np.concatenate(squares).T, strict=True):
        assert persisted[f"rmse.{name}"] == pytest.approx(np.sqrt(own.mean()), rel=1e-5)


@pytest.mark.parametrize("base", [CLOSED, ALONE], ids=["system", "alone"])
def test_check_runs_the_largest_batch(world, base):
    found = check(world_config(world, base))
    names = {baseline.name for baseline in found.baselines}
    assert names >= {"mean", "last"} if base is ALONE else names == {"undriven"}
    assert found.labels == {} and found.first.steps > 1
    text = str(found)
    assert max(map(len, text.splitlines())) <= 80
    assert "largest batch:" in text and "parameters" in text
