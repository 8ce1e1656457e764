"""What a run says about its data and its baselines is said of the steps that are scored."""

import numpy as np
import pytest
from sklearn import metrics

from lstm_cli.config import config_from_mapping
from lstm_cli.data.batching import whole
from lstm_cli.errors import ConfigError
from lstm_cli.training.check import check
from lstm_cli.training.events import Evaluated
from lstm_cli.training.loop import evaluation
from lstm_cli.training.overview import facts, parts, started
from tests.support.data import write
from tests.support.worlds import randomized_job

SETTINGS = {"threads": 1, "model": {"layers": [3]}, "train": {"epochs": 1}}


def config_of(folder, path, **data):
    sections = {key: data.pop(key) for key in ("loss", "train") if key in data}
    return config_from_mapping({**SETTINGS, "data": {"train": str(path), **data}, **sections}, folder)


def series(count, seed=0):
    return np.random.default_rng(seed).normal(10, 3, (count, 2)).round(4)


def write_series(path, values):
    return write(path, "a,b\n" + "".join(f"{a},{b}\n" for a, b in values))


@pytest.mark.parametrize("target", ["next", "a"])
def test_a_held_out_end_is_shown_with_its_context_apart(tmp_path, target):
    path = write_series(tmp_path / "a.csv", series(300))
    config = config_of(tmp_path, path, inputs=["a", "b"], target=target, valid=60, window=30)
    assert facts(randomized_job(config))["valid"].startswith("1 sequence, 60 steps scored + 30 of context; length ")
    assert "1 sequence, 60 steps scored + 30 of context" in str(check(config))


def test_steps_of_weight_zero_are_not_scored(tmp_path):
    rows = "".join(f"{k}.5,{k % 7}.25,{int(k % 3 > 0)}\n" for k in range(30))
    path = write(tmp_path / "a.csv", "x,y,w\n" + rows)
    config = config_of(tmp_path, path, inputs=["x"], target="y", valid=None, loss={"weight": "w"})
    assert facts(randomized_job(config))["train"].startswith("1 sequence, 20 steps scored of 30; length ")


def test_unknown_tokens_are_counted_over_the_scored_steps(tmp_path):
    """Fifty tokens to train on, then ten of which four are new; the window before them is known."""
    words = [f"w{k % 5}" for k in range(50)] + ["new", "w1", "other", "w2", "new", "w3", "w4", "w1", "w2", "new"]
    path = write(tmp_path / "a.txt", " ".join(words))
    config = config_of(tmp_path, path, unit="word", target="next", valid=10, window=20)
    notes = [note for note in randomized_job(config).data.notes if note.startswith("valid: ")]
    assert notes == [
        "valid: unknown tokens in text: 4 of 10 (40.00%), such as 'new', 'other'",
        "valid: targets that training never saw, each an error: 4 of 10 (40.00%), such as 'new', 'other'",
    ]


def test_baselines_are_those_of_the_scored_steps(tmp_path):
    """Mean of the training steps and last value, per column, on the held-out steps alone."""
    values = series(300)
    path = write_series(tmp_path / "a.csv", values)
    config = config_of(tmp_path, path, inputs=["a", "b"], target="next", valid=60, window=30)
    found = {b.title: b.metrics for b in started(tmp_path, randomized_job(config)).baselines if b.split == "valid"}
    truth = values[240:]
    predicted = {"the mean": np.broadcast_to(values[1:240].mean(axis=0), (60, 2)), "the last value": values[239:-1]}
    for name, guess in predicted.items():
        assert found[name]["r2"] == pytest.approx(metrics.r2_score(truth, guess), rel=1e-4)
        for k, column in enumerate("ab"):
            mean_square = metrics.mean_squared_error(truth[:, k], guess[:, k])
            assert found[name][f"rmse.{column}"] == pytest.approx(np.sqrt(mean_square), rel=1e-4)
            mean_absolute = metrics.mean_absolute_error(truth[:, k], guess[:, k])
            assert found[name][f"mae.{column}"] == pytest.approx(mean_absolute, rel=1e-4)


def test_the_score_of_a_column_is_monitored(tmp_path):
    path = write_series(tmp_path / "a.csv", series(60))
    data = {"inputs": ["a", "b"], "target": "next", "valid": 15}
    job = randomized_job(config_of(tmp_path, path, train={"monitor": "valid.rmse.b"}, **data))
    assert job.config.train.monitor == "valid.rmse.b"
    for wrong, hint in (("valid.rmse.c", " (did you mean valid.rmse."), ("valid.rmse", "")):
        with pytest.raises(ConfigError) as caught:
            randomized_job(config_of(tmp_path, path, train={"monitor": wrong}, **data))
        expected = "valid.loss, valid.r2, valid.rmse.a, valid.mae.a, valid.r2.a, valid.rmse.b, valid.mae.b, valid.r2.b"
        assert f"train.monitor: got {wrong}, expected one of {expected}{hint}" in str(caught.value)


def test_the_tokens_that_are_counted_are_those_of_the_data(tmp_path):
    path = write(tmp_path / "a.csv", "word,y\n" + "".join(f"{'pqr'[k % 3]},{'ab'[k % 2]}\n" for k in range(30)))
    config = config_of(tmp_path, path, inputs=["word"], target="y", valid=None)
    assert facts(randomized_job(config))["tokens: word"] == "3 different ones"


def test_the_weights_of_each_embedding_are_its_own(tmp_path):
    """Though the name of one begins with that of the other."""
    rows = "".join(f"{'pqr'[k % 3]},{'uv'[k % 2]},{'ab'[k % 2]}\n" for k in range(30))
    path = write(tmp_path / "a.csv", "w,w2,y\n" + rows)
    job = randomized_job(config_of(tmp_path, path, inputs=["w", "w2"], target="y", valid=None))
    embeddings, counts = job.trainer.model.embeddings, {"w": 4, "w2": 3}
    found = {part.name: part.parameters for part in parts(job.trainer.model)}
    assert [found[f"embedding.{name}"] for name in counts] == [counts[name] * embeddings[name] for name in counts]
    assert sum(found.values()) == job.trainer.model.parameters.size


@pytest.mark.parametrize(
    "sections", [{}, {"loss": {"quantiles": [0.1, 0.5, 0.9]}}, {"loss": {"distribution": "gaussian"}}]
)
@pytest.mark.parametrize(
    "data", [{"target": "next"}, {"target": "a"}, {"target": {"column": "a", "horizon": 3}}, {"target": ["a", "b"]}]
)
def test_pieces_of_a_long_series_whose_steps_do_not_count_change_no_score(tmp_path, monkeypatch, data, sections):
    path = write_series(tmp_path / "a.csv", series(90))
    config = config_of(tmp_path, path, inputs=["a", "b"], valid=20, **data, **sections)
    scores = []
    for steps in (200, 16):  # the second: the first pieces of `valid` have no step that counts
        monkeypatch.setattr(whole, "PIECE_STEPS", steps)
        job = randomized_job(config)
        (found,) = [event for event in evaluation(job) if isinstance(event, Evaluated)]
        scores.append({"loss": found.loss, **found.metrics})
    assert scores[1] == pytest.approx(scores[0], rel=1e-5)
