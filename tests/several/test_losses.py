"""Losses of one kind of target are those of each of several target columns of this kind."""

import math

import numpy as np
import pytest
from sklearn.utils.class_weight import compute_class_weight

import lstm_cli
from lstm_cli.errors import ConfigError
from lstm_cli.predict.files import predict_run
from tests.support.data import read_csv, read_jsonl
from tests.support.several import KINDS
from tests.support.worlds import randomized_job

LEVELS = (0.1, 0.5, 0.9)
LOSSES = {
    "quantiles": {"quantiles": list(LEVELS), "class_weight": "balanced"},
    "deviation": {"distribution": "gaussian", "class_weight": {"a": 3}},
}


@pytest.fixture(scope="module")
def runs(folder, tmp_path_factory):
    """A run of each loss, per step."""
    out, found = tmp_path_factory.mktemp("losses"), {}
    for name, loss in LOSSES.items():
        data = {"train": str(folder / "steps.jsonl"), "valid": None, "inputs": ["x"], "target": KINDS}
        settings = {
            "threads": 1,
            "data": data | {"missing": {"target": "skip"}},
            "model": {"layers": [4]},
            "loss": loss,
        }
        lstm_cli.train(settings | {"train": {"epochs": 1}}, run=out / name, verbosity=-1)
        found[name] = lstm_cli.load(out / name)
    return found


def of_numbers(name, curves, truth):
    """The loss of each number in float64, from the curves (C, N)."""
    if name == "deviation":
        deviation = curves[1] - curves[0]
        return np.log(deviation) + ((truth - curves[0]) / deviation) ** 2 / 2 + 0.5 * math.log(2 * math.pi)
    p, u = np.array(LEVELS)[:, np.newaxis], truth - curves
    return np.maximum(p * u, (p - 1) * u).mean(axis=0)


@pytest.mark.parametrize("name", LOSSES)
def test_the_loss_has_the_weights_of_labels_and_the_spread_of_numbers(config, name):
    job = randomized_job(config("steps", loss=LOSSES[name], precision="float64"))
    (batch,) = job.scored["train"].epoch(0)
    scored, total, target = job.evaluator.scored(batch, None), 0.0, job.data.schema.target
    for part, (column, own) in enumerate(target.parts_of_outputs.items()):
        view, kept = batch.view(part, target)
        outputs, weight = scored.outputs[kept, own], 1.0
        if column == "word":
            losses = np.logaddexp.reduce(outputs, axis=1) - outputs[np.arange(len(kept)), view.target]
            balanced = compute_class_weight("balanced", classes=np.unique(view.target), y=view.target)
            weight = (balanced if name == "quantiles" else np.array([3.0, 1, 1]))[view.target]
        elif column == "load":
            losses = of_numbers(name, outputs.T, view.target[:, 0])
        else:
            losses = (np.logaddexp(0, outputs) - outputs * view.target).sum(axis=1)
        np.testing.assert_allclose(scored.losses[kept, part], losses, rtol=1e-9)
        total += (weight * losses).sum()
    assert scored.loss == pytest.approx(total, rel=1e-6)


@pytest.mark.parametrize("name", LOSSES)
def test_scores_are_those_of_the_spread_that_is_predicted(runs, folder, name, tmp_path):
    run, rows = runs[name], read_jsonl(folder / "steps.jsonl")
    predictions, scores = run.predict(rows), run.evaluate(folder / "steps.jsonl")
    assert all(row[name].keys() == {"load"} for row in predictions)
    truth = np.array([np.nan if value is None else value for row in rows for value in row["load"]])
    middle = np.array([value for row in predictions for value in row["prediction"]["load"]])
    beside = [value for row in predictions for value in row[name]["load"]]
    if name == "deviation":
        curves = np.stack([middle, middle + beside])
        low, high = middle - 1.6448536 * np.array(beside), middle + 1.6448536 * np.array(beside)
    else:
        low, high = (np.array([value[key] for value in beside]) for key in ("p10", "p90"))
        curves = np.stack([low, middle, high])
        assert (low <= middle).all() and (middle <= high).all()
    known = ~np.isnan(truth)
    metric = "nll.load" if name == "deviation" else "pinball.load"
    assert scores[metric] == pytest.approx(of_numbers(name, curves[:, known], truth[known]).mean(), rel=1e-5)
    assert scores["coverage.load"] == pytest.approx(((low <= truth) & (truth <= high))[known].mean())
    found = lstm_cli.evaluate(run, folder / "steps.jsonl")
    assert found.targets["load"].interval["coverage"] == pytest.approx(scores["coverage.load"])
    naive = found.targets["load"].baselines["mean"]
    assert naive["rmse"] == pytest.approx(truth[known].std()) and naive.keys() == {"rmse", "mae", "r2"}
    predict_run(run.folder, folder / "steps.jsonl", out=tmp_path / "out.csv")
    names = ["load_deviation"] if name == "deviation" else ["load_p10", "load_p90"]
    (first, *_) = read_csv(tmp_path / "out.csv")
    assert list(first) == ["id", "step", "word", "load", *names, "tags"]
    assert float(first["load"]) == pytest.approx(middle[0], rel=1e-6)
    (both,) = lstm_cli.load([run.folder, run.folder]).predict(rows[:1])
    for together, own in zip(both[name]["load"], predictions[0][name]["load"], strict=True):
        assert together == pytest.approx(own, rel=1e-4)


@pytest.mark.parametrize(("target", "loss", "problem"), [
    (KINDS, {"class_weight": {"d": 2}}, "loss.class_weight.d: training has no such label"),
    (KINDS, {"distribution": "gaussian", "quantiles": [0.5]}, "quantiles and a distribution"),
    ({"word": "category", "tags": "set"}, {"quantiles": [0.5]}, "of kind category and set: leave it out"),
    ({"load": "number", "tags": "set"}, {"class_weight": "balanced"}, "of kind number and set: leave it out"),
])  # fmt: skip
def test_what_no_column_has_is_refused(config, target, loss, problem):
    with pytest.raises(ConfigError, match=problem):
        randomized_job(config(target=target, loss=loss))
