"""What is collected of a model's outputs: its predictions, in order, with the scores of an evaluation."""

import numpy as np
import pytest

from lstm_cli.engine.evaluation import evaluate
from lstm_cli.insight.evaluate import evaluation_of
from lstm_cli.predict import predict_run
from lstm_cli.predict.labelled import labelled_batches
from lstm_cli.scores.collect import collect, scored_positions
from lstm_cli.scores.metrics import metrics_of
from tests.support.data import read_jsonl, write, write_jsonl
from tests.support.worlds import ALONE, CLOSED, randomized_job, world_config, write_world


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return write_world(tmp_path_factory.mktemp("world"))


FORECASTER = {
    "threads": 1,
    "data": {"train": "waves.csv", "inputs": ["a", "b"], "target": {"column": "a", "ahead": 1, "horizon": 4},
             "valid": 0.3},
    "model": {"layers": [6], "dropout": 0.0},
    "train": {"batch_size": 3},
}  # fmt: skip
JOBS = {"around a system": CLOSED, "on data": ALONE, "several steps at once": FORECASTER}


@pytest.mark.parametrize("base", JOBS.values(), ids=JOBS)
def test_positions_have_the_scores_of_an_evaluation(base, world):
    job = randomized_job(world_config(world, base))
    batches = job.scored["valid"]
    positions, scores = scored_positions(job.evaluator, batches)
    loss, metrics = evaluate(job.evaluator, batches)
    assert scores == {"loss": loss, **metrics}
    assert metrics_of(positions) == pytest.approx(metrics, rel=1e-9)
    order = np.lexsort((positions.steps, positions.sequences))
    assert (order == np.arange(len(positions))).all() or positions.turns is not None
    found = evaluation_of(positions, scores, data="x")
    (model,) = found.horizons.values()
    name = "rmse" if "rmse" in model else "rmse.a"
    assert len(model[name]) == {4: 4}.get(job.data.schema.target.horizon, base.get("rollout", {}).get("steps"))
    assert set(found.columns) == ({"a", "b"} if base is ALONE else {"a"} if base is FORECASTER else {"goal"})


def test_the_turns_of_a_closed_loop_count_from_the_last_observed_step(world):
    job = randomized_job(world_config(world, CLOSED))
    positions = collect(job.evaluator, job.scored["valid"])
    observed = job.scored["valid"].dataset.observed[positions.sequences]
    assert (positions.steps == observed - 2 + positions.turns).all()
    assert positions.turns.min() == 1
    job = randomized_job(world_config(world, ALONE))
    positions = collect(job.evaluator, job.scored["valid"])
    assert sorted(set(positions.turns.tolist())) == [1, 2, 3, 4, 5]
    windows = positions.steps - positions.turns
    assert (np.diff(windows) >= 0).all()


def test_symbols_are_the_likeliest_with_their_probability(loaded, trained, tmp_path):
    run, data = loaded("names"), trained("names") / "train.txt"
    batches = labelled_batches(run.config, run.schema, data, form="text", policy=run.policy(data))
    positions = collect(run.evaluator, batches)
    predict_run(run.folder, data, out=tmp_path / "out.jsonl", probabilities=True)
    shares = [share for row in read_jsonl(tmp_path / "out.jsonl") for share in row["probabilities"]]
    labels = run.schema.target.labels
    assert [labels[k] for k in positions.predicted] == [max(share, key=share.get) for share in shares]
    np.testing.assert_allclose(positions.confidence, [max(share.values()) for share in shares], rtol=1e-6)
    true = [share[labels[k]] for share, k in zip(shares, positions.truth, strict=True)]
    np.testing.assert_allclose(positions.nats, -np.log(true), rtol=1e-5, atol=1e-6)


def test_true_labels_of_a_set_that_training_never_saw_are_missed(loaded, trained, tmp_path):
    run = loaded("sets")
    rows = read_jsonl(trained("sets") / "train.jsonl")[:5]
    rows[0]["notes"][1] = [*rows[0]["notes"][1], 99, 98]
    data = write_jsonl(tmp_path / "data.jsonl", rows)
    batches = labelled_batches(run.config, run.schema, data, form=None, policy=run.policy(data))
    positions, scores = scored_positions(run.evaluator, batches)
    assert positions.unseen.sum() == 2 == scores["unknown_labels"]
    assert metrics_of(positions) == pytest.approx({name: scores[name] for name in scores if name != "loss"})


def test_symbols_that_training_never_saw_have_no_likelihood(loaded, tmp_path):
    run = loaded("names")
    data = write(tmp_path / "new.txt", "aeq\nima\n")
    batches = labelled_batches(run.config, run.schema, data, form="text", policy=run.policy(data))
    positions, scores = scored_positions(run.evaluator, batches)
    assert (positions.truth < 0).tolist() == np.isnan(positions.nats).tolist()
    assert (positions.truth < 0).sum() == scores["unknown_labels"] == 1
    assert metrics_of(positions)["perplexity"] == pytest.approx(scores["perplexity"])
