"""Quantiles and Gaussians from the network's outputs to files and scores."""

import csv
import json
from statistics import NormalDist

import numpy as np
import pytest

import lstm_cli
from lstm_cli.engine.memory import open_checked_data
from lstm_cli.errors import ConfigError
from lstm_cli.predict.files import predict_run
from tests.support.data import data_config, write_jsonl

STEPS = 60
SERIES = np.random.default_rng(0).gamma(4.0, size=(STEPS, 2)).round(4)
SEQUENCES = [
    {"id": f"s{k}", "x": own[:, 0].tolist(), "y": float(own.mean()), "quantiles": k}
    for k, own in enumerate(np.random.default_rng(1).normal(5, 2, size=(12, 4, 1)))
]
AHEAD = {"column": "load", "kind": "number", "per": "step", "ahead": 1, "horizon": 3}
#: Data and loss of each run; of `next` one column is a logarithm, of `window` each window has its own scaling.
RUNS = {
    "next": ({"target": "next", "transform": {"load": ["log"]}}, {"quantiles": [0.1, 0.5, 0.9]}),
    "window": ({"target": AHEAD, "window": 8, "scale": "window"}, {"quantiles": [0.05, 0.5, 0.95, 0.99]}),
    "season": ({"target": AHEAD, "transform": {"load": ["seasonal_difference(3)"]}}, {"distribution": "gaussian"}),
    "median": ({"target": AHEAD, "scale": "series"}, {"quantiles": 0.5}),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("spread")
    with (folder / "series.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["load", "wind"], *SERIES.tolist()])
    write_jsonl(folder / "sequences.jsonl", SEQUENCES)
    return folder


def trained(folder, name):
    if (folder / name).exists():
        return lstm_cli.load(folder / name)
    data, loss = RUNS.get(name, ({"target": "y"}, {"distribution": "gaussian"}))
    file = str(folder / ("series.csv" if name in RUNS else "sequences.jsonl"))
    inputs = ["load", "wind"] if name in RUNS else ["x"]
    config = {
        "data": {"train": file, "inputs": inputs, "valid": None, "window": 30 if name in RUNS else None, **data},
        "model": {"layers": [3], "dropout": 0.0},
        "loss": loss,
        "train": {"epochs": 2},
        "optimizer": {"name": "adam", "learning_rate": 0.03},
    }
    lstm_cli.train(config, run=folder / name, verbosity=-1)
    return lstm_cli.load(folder / name)


def steps_of(run):
    """Return each prediction of the series: the curves (N, C, H, D) by name, and their truth (N, H, D)."""
    (row,) = run.predict([{"load": SERIES[:, 0].tolist(), "wind": SERIES[:, 1].tolist()}])
    target, columns = run.schema.target, SERIES if run.schema.target.is_next else SERIES[:, :1]
    shape = (target.horizon, target.width)
    last = STEPS - target.reach
    first = run.schema.layout.lag
    curves = {"prediction": np.array(row["prediction"][first:last], float).reshape(-1, *shape)}
    if "deviation" in row:
        curves["deviation"] = np.array(row["deviation"][first:last], float).reshape(-1, *shape)
    for name in row.get("quantiles", [{}])[-1] or {}:
        curves[name] = np.array([step[name] for step in row["quantiles"][first:last]], float).reshape(-1, *shape)
    later = np.arange(first, last)[:, np.newaxis] + target.ahead + np.arange(target.horizon)
    return curves, columns[later]


@pytest.mark.parametrize("name", RUNS)
def test_scores_are_those_of_the_predictions(folder, name):
    run = trained(folder, name)
    curves, truth = steps_of(run)
    metrics = run.evaluate(folder / "series.csv")
    levels, found = run.schema.target.head.levels, {}
    if "deviation" in curves:
        mean, deviation = curves["prediction"], curves["deviation"]
        reach = NormalDist().inv_cdf(0.95) * deviation
        nats = [-np.log(NormalDist(m, s).pdf(y)) for m, s, y in zip(mean.flat, deviation.flat, truth.flat, strict=True)]
        found = {"nll": np.mean(nats), "coverage": (np.abs(truth - mean) <= reach).mean()}
    else:
        names = ["prediction" if level == 0.5 else f"p{100 * level:g}" for level in levels]
        assert list(curves) == ["prediction", *(other for other in names if other != "prediction")]
        ordered = np.stack([curves[other] for other in names])
        assert (np.diff(ordered, axis=0) >= 0).all()
        p, error = np.array(levels)[:, None, None, None], truth - ordered
        each = np.maximum(p * error, (p - 1) * error).mean(axis=(0, 1, 2))
        found = {"pinball": each[0]} if len(each) == 1 else {"pinball.load": each[0], "pinball.wind": each[1]}
        if len(levels) > 1:
            found["coverage"] = ((ordered[0] <= truth) & (truth <= ordered[-1])).mean()
    assert {key: metrics[key] for key in found} == pytest.approx(found, rel=1e-5)
    error = (curves["prediction"] - truth)[..., 0]
    assert metrics.get("rmse", metrics.get("rmse.load")) == pytest.approx(np.sqrt(np.square(error).mean()), rel=1e-5)
    assert ("coverage" in metrics) == (name != "median")


def test_each_curve_is_restored_by_itself(folder):
    """exp(center + spread q) where the column is a logarithm, center + spread q where it is not."""
    run = trained(folder, "next")
    scaling = json.loads((folder / "next" / "scaling.json").read_bytes())["inputs"]
    encoded = list(run._encoded([{"load": SERIES[:5, 0].tolist(), "wind": SERIES[:5, 1].tolist()}]))
    (outputs,) = run.outputs(encoded)
    (row,) = run.predict([{"load": SERIES[:5, 0].tolist(), "wind": SERIES[:5, 1].tolist()}])
    for place, key in enumerate(("p10", "prediction", "p90")):
        found = row["prediction"] if key == "prediction" else [step[key] for step in row["quantiles"]]
        for d, column in enumerate(("load", "wind")):
            scaled = outputs.values[:, 2 * place + d].astype(float)
            expected = scaled * scaling[column]["spread"][0] + scaling[column]["center"][0]
            np.testing.assert_allclose(np.array(found)[:, d], np.exp(expected) if d == 0 else expected, rtol=1e-6)


def test_a_forecast_by_feedback_is_that_of_the_median_and_has_no_interval(folder):
    run = trained(folder, "next")
    given = {"load": SERIES[:20, 0].tolist(), "wind": SERIES[:20, 1].tolist()}
    (forecast,), (row,) = run.forecast([given], 2), run.predict([given])
    assert "quantiles" not in forecast
    notes = []
    predict_run(folder / "next", folder / "series.csv", out=folder / "later.csv", steps=2, note=notes.append)
    assert any("intervals of this model are those of one step ahead" in note for note in notes)
    with (folder / "later.csv").open(newline="") as file:
        assert next(csv.reader(file)) == ["id", "step", "load", "wind"]
    np.testing.assert_allclose(forecast["prediction"][0], row["prediction"][-1], rtol=1e-6)
    longer = {name: [*given[name], forecast["prediction"][0][d]] for d, name in enumerate(given)}
    np.testing.assert_allclose(run.predict([longer])[0]["prediction"][-1], forecast["prediction"][1], rtol=1e-4)


def test_forecasts_of_several_steps_have_intervals(folder):
    run = trained(folder, "window")
    given = {"load": SERIES[:20, 0].tolist(), "wind": SERIES[:20, 1].tolist()}
    (forecast,), (row,) = run.forecast([given], 2), run.predict([given])
    assert forecast["prediction"] == pytest.approx(row["prediction"][-1][:2], rel=1e-6)
    for name in ("p5", "p95", "p99"):
        assert [step[name] for step in forecast["quantiles"]] == pytest.approx(row["quantiles"][-1][name][:2], rel=1e-6)


@pytest.mark.parametrize("name", ["window", "season"])
def test_evaluations_and_backtests_say_what_intervals_hold(folder, name):
    run = trained(folder, name)
    curves, truth = steps_of(run)
    if name == "window":
        level, low, high = 0.94, curves["p5"], curves["p99"]
    else:
        reach = NormalDist().inv_cdf(0.95) * curves["deviation"]
        level, low, high = 0.9, curves["prediction"] - reach, curves["prediction"] + reach
    inside = (low <= truth) & (truth <= high)
    found = lstm_cli.evaluate(run, folder / "series.csv")
    assert found.interval["level"] == pytest.approx(level)
    assert found.interval["coverage"] == pytest.approx(inside.mean())
    assert found.interval["width"] == pytest.approx((high - low).mean(), rel=1e-5)
    assert found.interval["horizons"]["coverage"] == pytest.approx(inside.mean(axis=(0, 2)))
    spread = np.sqrt(np.square(truth - truth.mean(axis=0)).mean())  # the naive predictor has no intervals
    assert found.baselines["mean"] == pytest.approx({**found.baselines["mean"], "rmse": spread})
    assert found.baselines.keys() > {"mean"} and all(
        own.keys() == {"rmse", "mae", "r2"} for own in found.baselines.values()
    )
    tried = lstm_cli.backtest(run, folder / "series.csv", origins=5)
    chosen = tried.origins - 1 - run.schema.layout.lag
    assert tried.interval["coverage"] == pytest.approx(inside[chosen].mean())
    np.testing.assert_allclose(tried.bounds.high, high[chosen], rtol=1e-5)
    assert tried.to_json()["interval"]["level"] == pytest.approx(level)


def test_columns_of_a_table(folder):
    def header(name, data, **options):
        out = folder / f"{name}.csv"
        trained(folder, name)
        predict_run(folder / name, folder / data, out=out, **options)
        with out.open(newline="") as file:
            return next(csv.reader(file)), next(csv.reader(file))

    names, cells = header("next", "series.csv")
    assert names[-6:] == ["load", "load_p10", "load_p90", "wind", "wind_p10", "wind_p90"]
    assert float(cells[-5]) <= float(cells[-6]) <= float(cells[-4])
    names, _ = header("window", "series.csv")
    assert names[-4:] == ["load_3", "load_3_p5", "load_3_p95", "load_3_p99"]
    names, cells = header("sequences", "sequences.jsonl", keep=("all",))
    assert names == ["id", "x", "y", "quantiles", "prediction_y", "prediction_y_deviation"]
    assert float(cells[-1]) > 0


def test_a_sequence_has_one_deviation(folder):
    rows = trained(folder, "sequences").predict(SEQUENCES[:2])
    assert all(row.keys() == {"id", "prediction", "deviation"} and row["deviation"] > 0 for row in rows)


@pytest.mark.parametrize(
    ("data", "loss", "problem"),
    [
        ({"target": "kind"}, {"quantiles": [0.5]}, "loss.quantiles: for targets of kind number"),
        ({"target": "kind"}, {"distribution": "gaussian"}, "loss.distribution: for targets of kind number"),
        ({"transform": {"x": ["log"]}}, {"distribution": "gaussian"}, "loss.distribution: its mean and deviation"),
        ({"transform": {"x": ["difference"]}}, {"quantiles": [0.1, 0.5]}, "loss.quantiles: later values are sums of"),
    ],
)
def test_what_has_no_spread_is_refused(tmp_path, data, loss, problem):
    rows = [{"x": [1, 2, 3, 4, 5, 6], "kind": "a"}, {"x": [2, 2, 3, 4, 5.5, 6], "kind": "b"}]
    write_jsonl(tmp_path / "a.jsonl", rows)
    target = {"target": {"next": True, "horizon": 2}, **data}
    with pytest.raises(ConfigError, match=problem):
        open_checked_data(data_config(tmp_path, {"loss": loss}, train="a.jsonl", inputs=["x"], **target))


@pytest.mark.slow
@pytest.mark.parametrize("loss", [{"quantiles": [0.1, 0.5, 0.9]}, {"distribution": "gaussian"}])
def test_trained_intervals_hold_the_share_that_they_should(tmp_path, loss):
    """Of numbers whose deviation depends on the input, on sequences that training never saw, also where it is small."""
    draw, files = np.random.default_rng(4), {}
    for name, count in (("train", 300), ("test", 100)):
        x = draw.normal(size=(count, 20))
        y = 10 + 4 * x + (0.3 + np.abs(x)) * draw.normal(size=x.shape)
        rows = [{"id": k, "x": x[k].tolist(), "y": y[k].tolist()} for k in range(count)]
        files[name] = str(write_jsonl(tmp_path / f"{name}.jsonl", rows))
    config = {
        "data": {"train": files["train"], "valid": 0.2, "inputs": ["x"], "target": "y"},
        "model": {"layers": [16], "dropout": 0.0},
        "loss": loss,
        "optimizer": {"name": "adam", "learning_rate": 0.01},
        "train": {"epochs": 30, "batch_size": 8},
        "threads": 1,
    }
    lstm_cli.train(config, run=tmp_path / "run", verbosity=-1)
    run = lstm_cli.load(tmp_path / "run")
    level = run.schema.target.head.level
    assert run.evaluate(files["test"])["coverage"] == pytest.approx(level, abs=0.04)
    quiet = np.abs(x) < 0.5
    rows = run.predict([{"id": k, "x": own.tolist()} for k, own in enumerate(x)])
    if "quantiles" in loss:
        low, high = (np.array([[step[key] for step in row["quantiles"]] for row in rows]) for key in ("p10", "p90"))
    else:
        middle, deviation = (np.array([row[key] for row in rows]) for key in ("prediction", "deviation"))
        low, high = (middle + side * NormalDist().inv_cdf(0.95) * deviation for side in (-1, 1))
    inside = (low <= y) & (y <= high)
    assert inside[quiet].mean() == pytest.approx(level, abs=0.12)  # where the deviation has a kink
    assert np.median((high - low)[quiet]) < np.median((high - low)[~quiet]) / 1.5
