"""Forecasts with a horizon, known inputs and own scales: scores are those of the rows that `lstm-predict` writes."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

import lstm_cli
from lstm_cli.data.schema.preprocessing import Scaling
from lstm_cli.errors import ConfigError, DataError
from lstm_cli.predict import predict_run
from tests.support.data import read_jsonl, write, write_jsonl

HORIZON = 4
START = {"north": "2024-03-01", "south": "2024-05-07 12:00"}
DIRECT = {"column": "load", "horizon": HORIZON}


def table(series, steps):
    """Hours of two series on different levels, whose load depends on the hour and on the temperature of that hour."""
    k = list(START).index(series)
    time = pd.date_range(START[series], periods=steps, freq="h")
    draw = np.random.default_rng(k)
    temperature = 10 + 5 * np.sin(np.arange(steps) / 9) + draw.normal(size=steps)
    load = 100 * (1 + 9 * k) * (1 + np.arange(steps) / 200) + 20 * np.sin(time.hour * np.pi / 12) - 3 * temperature
    return pd.DataFrame({"site": series, "time": time, "load": load.round(2), "temperature": temperature.round(2)})


STEPS = {"north": 70, "south": 48}
WHOLE = pd.concat([table(series, steps + HORIZON) for series, steps in STEPS.items()])
PAST = pd.concat([table(series, steps + HORIZON)[:steps] for series, steps in STEPS.items()])
LATER = pd.concat([table(series, steps + HORIZON)[steps:] for series, steps in STEPS.items()]).drop(columns="load")
KNOWN = {"load": {}, "temperature": {"known": True}}
HOURS = {"calendar": "hour", "time": "time"}

TASKS = {
    "horizon": {"target": DIRECT},
    "next horizon": {"target": {"next": True, "horizon": HORIZON}},
    "differences": {"target": DIRECT, "transform": {"load": ["log", "difference"]}},
    "known": {"target": DIRECT, "inputs": KNOWN} | HOURS,
    "known next": {"target": "next", "inputs": KNOWN} | HOURS,
    "series": {"target": "next", "scale": "series"},
    "series horizon": {"target": DIRECT, "scale": "series", "inputs": KNOWN},
    "window": {"target": DIRECT, "scale": "window", "window": 9, "stride": 5},
    "window known": {"target": DIRECT, "scale": "window", "window": 9, "inputs": KNOWN} | HOURS,
    "window next": {"target": "next", "scale": "window", "window": 6, "stride": 3},
    "window known next": {"target": "next", "scale": "window", "window": 6, "stride": 3, "inputs": KNOWN},
    "stride": {"target": DIRECT, "window": 10, "stride": 4},
}  # fmt: skip


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Train a task at its first use; return the folder of its run, with the data beside it."""
    folders = {}

    def train(name):
        if name not in folders:
            folder = folders[name] = tmp_path_factory.mktemp("forecast")
            write(folder / "past.csv", PAST.to_csv(index=False))
            write(folder / "later.csv", LATER.to_csv(index=False))
            data = {"train": str(folder / "past.csv"), "valid": None, "id": "site", "inputs": ["load", "temperature"]}
            config = {
                "threads": 1,
                "data": data | TASKS[name],
                "model": {"layers": [4], "dropout": 0},
                "optimizer": {"name": "adam", "learning_rate": 0.02},
                "train": {"epochs": 2, "batch_size": 3, "monitor": "train.loss"},
            }
            lstm_cli.train(config, run=folder / "run", verbosity=-1)
        return folders[name]

    return train


def rows(folder, data="past.csv", **options):
    predict_run(folder / "run", folder / data, out=folder / "out.jsonl", **options)
    return read_jsonl(folder / "out.jsonl")


def pairs(found, columns, horizon):
    """True and predicted numbers (N, horizon * columns) of all steps that have both."""
    true, predicted = [], []
    for row in found:
        values = PAST[PAST.site == row["id"]][columns].to_numpy()
        assert len(row["prediction"]) == len(values)
        for step, entry in enumerate(row["prediction"]):
            later = values[step + 1 : step + 1 + horizon]
            if entry is not None and len(later) == horizon:
                true.append(later.ravel())
                predicted.append(np.ravel(entry))
    return np.array(true), np.array(predicted)


@pytest.mark.parametrize("name", TASKS)
def test_scores_are_those_of_the_rows(trained, name):
    folder, task = trained(name), TASKS[name]
    horizon = 1 if task["target"] == "next" else HORIZON
    of_next = task["target"] == "next" or "next" in task["target"]
    columns = ["load"] if not of_next or "inputs" in task else ["load", "temperature"]
    true, predicted = pairs(rows(folder), columns, horizon)
    lag = 1 if "transform" in task else 0
    assert len(true) == sum(steps - horizon - lag for steps in STEPS.values())
    scores = predict_run(folder / "run", folder / "past.csv", evaluate=True)
    for k, column in enumerate(columns):
        suffix = f".{column}" if len(columns) > 1 else ""
        own = slice(k, None, len(columns))
        expected = {
            f"rmse{suffix}": metrics.root_mean_squared_error(true[:, own].ravel(), predicted[:, own].ravel()),
            f"mae{suffix}": metrics.mean_absolute_error(true[:, own].ravel(), predicted[:, own].ravel()),
            f"r2{suffix}": metrics.r2_score(true[:, own], predicted[:, own]),
        }
        assert {key: scores[key] for key in expected} == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize(
    "name", ["horizon", "differences", "known", "series horizon", "window", "window known", "known next"]
)
def test_sequences_side_by_side_are_predicted_as_one_by_one(trained, name):
    folder = trained(name)
    together = {row["id"]: row["prediction"] for row in rows(folder)}
    for series in STEPS:
        write(folder / "one.csv", PAST[PAST.site == series].to_csv(index=False))
        (row,) = rows(folder, "one.csv")
        filled = [
            (a, b) for a, b in zip(row["prediction"], together[series], strict=True) if a is not None or b is not None
        ]
        one, other = zip(*filled, strict=True)
        np.testing.assert_allclose(np.array(one, float), np.array(other, float), rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("name", [name for name, task in TASKS.items() if task["target"] == DIRECT])
def test_a_forecast_is_the_last_entry(trained, name):
    """With known inputs the last entry needs the later values too, which calendars alone do not."""
    folder, known = trained(name), "inputs" in TASKS[name]
    options = {"future": folder / "later.csv"} if known else {}
    whole = rows(folder)
    for row, steps in zip(whole, STEPS.values(), strict=True):
        blank = [step for step, entry in enumerate(row["prediction"]) if entry is None]
        assert blank == [*range("transform" in TASKS[name]), *(range(steps - HORIZON, steps) if known else [])]
    forecasts = rows(folder, steps=HORIZON, **options)
    for row, forecast, steps in zip(whole, forecasts, STEPS.values(), strict=True):
        assert forecast["step"] == list(range(steps, steps + HORIZON))
        if not known:
            np.testing.assert_allclose(forecast["prediction"], row["prediction"][-1], rtol=1e-5)
    shorter = rows(folder, steps=2, **options)
    assert [row["prediction"] for row in shorter] == [row["prediction"][:2] for row in forecasts]


@pytest.mark.parametrize("name", ["known", "window known"])
def test_known_inputs_from_a_file_are_those_of_longer_data(trained, name):
    """What follows in the data, or in the file of the future, is the same input; the later loads are none."""
    folder = trained(name)
    forecasts = rows(folder, future=folder / "later.csv")
    after = WHOLE.groupby("site").cumcount() >= WHOLE.site.map(STEPS)
    longer = WHOLE.assign(load=WHOLE.load.where(~after, 0.0))
    write(folder / "longer.csv", longer.to_csv(index=False))
    for forecast, row, steps in zip(forecasts, rows(folder, "longer.csv"), STEPS.values(), strict=True):
        np.testing.assert_allclose(forecast["prediction"], row["prediction"][steps - 1], rtol=1e-4)


def test_forecasts_have_dates_and_names_in_csv(trained):
    folder = trained("known")
    predict_run(folder / "run", folder / "past.csv", future=folder / "later.csv", out=folder / "out.csv")
    found = pd.read_csv(folder / "out.csv")
    assert list(found) == ["site", "step", "time", "load"]
    assert pd.to_datetime(found.time).tolist() == LATER.time.tolist()
    assert found.site.tolist() == LATER.site.tolist()
    predict_run(folder / "run", folder / "past.csv", out=folder / "out.csv")
    found = pd.read_csv(folder / "out.csv")
    assert list(found) == ["site", "step", "time", *(f"load_{k}" for k in range(1, HORIZON + 1))]
    assert len(found) == sum(STEPS.values()) - 2 * HORIZON
    assert [json.dumps(row["time"]) for row in rows(folder, future=folder / "later.csv")] == [
        json.dumps([f"{time:%Y-%m-%d %H:%M}" for time in LATER.time[LATER.site == series]]) for series in STEPS
    ]


@pytest.mark.parametrize("name", ["known next", "window known next", "window next", "series"])
def test_feeding_back_is_predicting_step_by_step(trained, name):
    """Each prediction becomes the next row of the data, beside the known values of that step."""
    folder, known = trained(name), "inputs" in TASKS[name]
    run = lstm_cli.load(folder / "run")
    options = {"future": folder / "later.csv"} if known else {}
    forecasts = rows(folder, steps=HORIZON if known else 3, **options)
    for forecast, (series, steps) in zip(forecasts, STEPS.items(), strict=True):
        own = PAST[PAST.site == series]
        future = LATER[LATER.site == series]
        scaling = own_scaling(own) if TASKS[name].get("scale") == "series" else None
        for step, predicted in enumerate(forecast["prediction"]):
            later = None
            if known:
                later = [columns(future[step:])]
            (row,) = run.forecast([columns(own)], 1, future=later)
            if scaling is None:
                np.testing.assert_allclose(row["prediction"][0], predicted, rtol=1e-3, atol=1e-2)
            new = {"site": series, "time": pd.date_range(START[series], periods=steps + step + 1, freq="h")[-1]}
            values = (
                {"load": predicted, "temperature": future.temperature.iloc[step]}
                if known
                else dict(zip(["load", "temperature"], predicted, strict=True))
            )
            own = pd.concat([own, pd.DataFrame([new | values])])
            if scaling is not None:
                break  # a longer series has another scale


def own_scaling(frame):
    values = frame[["load", "temperature"]].to_numpy()
    return Scaling(values.mean(axis=0), values.std(axis=0))


def columns(frame):
    given = {name: frame[name].tolist() for name in ("load", "temperature") if name in frame}
    return given | {"site": frame.site.iloc[0], "time": [f"{time:%Y-%m-%d %H:%M}" for time in frame.time]}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda later: later[later.site == "north"], "has no rows for the series south, only for '?north"),
        (lambda later: later.groupby("site").head(2), "temperature at the 4 steps .*: there are 2 of them"),
        (lambda later: later.assign(time=later.time + pd.Timedelta(hours=2)), "expected 2024-03-03 22:00, as"),
        (lambda later: later.assign(time=later.time - pd.Timedelta(hours=9)), "is not after 2024-03-03 21:00,"),
    ],
)  # fmt: skip
def test_later_rows_that_do_not_fit_are_refused(trained, change, message):
    folder = trained("known")
    write(folder / "wrong.csv", change(LATER).to_csv(index=False))
    with pytest.raises((DataError, ConfigError), match=message):
        rows(folder, steps=HORIZON, future=folder / "wrong.csv")


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("known", {"steps": 2}, "give them with --future FILE"),
        ("known next", {"steps": 2}, "give them with --future FILE"),
        ("horizon", {"steps": HORIZON + 1}, "--steps 5: this model predicts 4 steps at once: give at most 4"),
        ("horizon", {"future": "later.csv"}, "--future: this model has no inputs whose later values are known"),
        ("window", {"state_out": "s.npz"}, "--state-out: with data.scale: window each window starts afresh"),
    ],
)
def test_options_that_do_not_fit_are_refused(trained, name, options, message):
    folder = trained(name)
    options = {key: folder / value if isinstance(value, str) else value for key, value in options.items()}
    with pytest.raises(ConfigError, match=message):
        rows(folder, **options)


def test_calendars_continue_without_a_file(tmp_path):
    write(tmp_path / "past.csv", PAST.to_csv(index=False))
    data = {"train": str(tmp_path / "past.csv"), "valid": None, "id": "site", "time": "time", "inputs": ["load"]}
    config = {"data": data | {"target": "next", "calendar": ["hour", "weekday"]}, "model": {"layers": [3]}}
    config["train"] = {"epochs": 1, "monitor": "train.loss"}
    lstm_cli.train(config, run=tmp_path / "run", verbosity=-1)
    forecasts = rows(tmp_path, steps=HORIZON)
    whole = rows(tmp_path)
    for forecast, row, (series, steps) in zip(forecasts, whole, STEPS.items(), strict=True):
        assert forecast["prediction"][0] == pytest.approx(row["prediction"][-1], rel=1e-5)
        assert pd.to_datetime(forecast["time"]).tolist() == LATER.time[LATER.site == series].tolist()
        own = columns(PAST[PAST.site == series])
        own["load"] = [*own["load"], forecast["prediction"][0]]
        own["time"] = [*own["time"], forecast["time"][0]]
        (step,) = lstm_cli.load(tmp_path / "run").predict([own])
        assert step["prediction"][steps] == pytest.approx(forecast["prediction"][1], rel=1e-4)


@pytest.mark.parametrize("scale", ["standard", "window"])
def test_static_inputs_stay_as_they_are_in_forecasts(tmp_path, scale):
    """Numbers and tokens of a whole sequence, beside numbers that are fed back."""
    train = [
        {"id": k, "x": table("north", 20 + k).load.tolist(), "size": 2.5 * k + 0.5, "kind": "ab"[k % 2]}
        for k in range(4)
    ]
    write_jsonl(tmp_path / "train.jsonl", train)
    inputs = {"x": {}, "size": {"static": True}, "kind": {"static": True}}
    data = {"train": str(tmp_path / "train.jsonl"), "valid": None, "inputs": inputs, "target": "next", "scale": scale}
    config = {"data": data | ({"window": 5} if scale == "window" else {}), "model": {"layers": [3], "embedding": 2}}
    config["train"] = {"epochs": 1, "monitor": "train.loss"}
    lstm_cli.train(config, run=tmp_path / "run", verbosity=-1)
    run = lstm_cli.load(tmp_path / "run")
    for forecast, row in zip(run.forecast(train, 3), train, strict=True):
        for predicted in forecast["prediction"]:
            (found,) = run.predict([row])
            assert found["prediction"][-1] == pytest.approx(predicted, rel=1e-4)
            row["x"] = [*row["x"], predicted]
