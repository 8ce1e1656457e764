"""Forecasts from the origins of a series are those that `lstm-predict` makes of the steps before each."""

import numpy as np
import pandas as pd
import pytest

import lstm_cli
from lstm_cli.data import raw_sequences
from lstm_cli.data.schema.parsing import parse
from lstm_cli.insight.rolling import Series, forecasts, needed_later
from tests.support.data import write

HORIZON = 3
STEPS = {"north": 60, "south": 47}
ORIGINS = {"north": [9, 10, 23, 50, 56], "south": [17, 40]}
KNOWN = {"load": {}, "temperature": {"known": True}}
HOURS = {"calendar": ["hour"], "time": "time"}
DIRECT = {"column": "load", "horizon": HORIZON}
GAPS = {"missing": {"fill": {"load": "previous", "temperature": "mean"}, "indicator": True, "target": "skip"}}
TRANSFORM = {"transform": {"load": ["log", "difference", "seasonal_difference(4)"]}}

TASKS = {
    "next": {"target": "next", **GAPS},
    "next by differences": {"target": "next", **TRANSFORM},
    "next with known": {"target": "next", "inputs": KNOWN, **HOURS, **TRANSFORM},
    "next by series": {"target": "next", "scale": "series", **TRANSFORM},
    "next by window": {"target": "next", "inputs": KNOWN, "scale": "window", "window": 8, "stride": 3, **HOURS},
    "horizon": {"target": DIRECT | {"ahead": 2}, "transform": {"load": "seasonal_difference(4)"}},
    "horizon with known": {"target": DIRECT, "inputs": KNOWN, **HOURS, **GAPS},
    "horizon by series": {"target": DIRECT, "inputs": KNOWN, "scale": "series"},
    "horizon by window": {"target": DIRECT, "inputs": KNOWN, "scale": "window", "window": 9, **HOURS, **TRANSFORM},
    "one step": {"target": {"column": "load", "ahead": 2}},
    "closed loop": {"target": "next", "rollout": {"steps": 4, "warmup": 3}},
}  # fmt: skip

#: What these show is shown by others too, less plainly.
SLOW = ("next", "next by differences", "horizon by series", "closed loop")
NAMES = [pytest.param(name, marks=pytest.mark.slow) if name in SLOW else name for name in TASKS]


def frame(site):
    steps, draw = STEPS[site], np.random.default_rng(len(site))
    time = pd.date_range("2024-03-01", periods=steps, freq="h")
    temperature = 10 + 5 * np.sin(np.arange(steps) / 9) + draw.normal(size=steps)
    load = 100 + np.arange(steps) / 2 + 20 * np.sin(time.hour * np.pi / 12) - 3 * temperature
    table = pd.DataFrame({"site": site, "time": time, "load": load.round(2), "temperature": temperature.round(2)})
    return table


def columns(table):
    given = {name: table[name].tolist() for name in ("load", "temperature") if name in table}
    return given | {"site": table.site.iloc[0], "time": [f"{time:%Y-%m-%d %H:%M}" for time in table.time]}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Train a task at its first use; return the run and its table, with gaps where the task fills them."""
    runs = {}

    def train(name):
        if name not in runs:
            folder, task = tmp_path_factory.mktemp("rolling"), TASKS[name]
            table = pd.concat(map(frame, STEPS), ignore_index=True)
            if "missing" in task:
                table.loc[[5, 21, 22, 70], "load"] = np.nan
                table.loc[[8, 23, 24, 90], "temperature"] = np.nan
            write(folder / "past.csv", table.to_csv(index=False))
            data = {"train": str(folder / "past.csv"), "valid": None, "id": "site", "inputs": ["load", "temperature"]}
            config = {
                "threads": 1,
                "data": data | {key: value for key, value in task.items() if key != "rollout"},
                "rollout": task.get("rollout"),
                "model": {"layers": [4], "dropout": 0},
                "optimizer": {"name": "adam", "learning_rate": 0.02},
                "train": {"epochs": 1, "batch_size": 3, "monitor": "train.loss"},
            }
            lstm_cli.train(config, run=folder / "run", verbosity=-1)
            runs[name] = lstm_cli.load(folder / "run"), table
        return runs[name]

    return train


def rolled(run, table, steps, origins=ORIGINS):
    """The forecasts by site, from all of its table."""
    given = [columns(table[table.site == site]) for site in origins]
    schema = run.schema
    records = [parse(schema.layout, raw, labelled=True) for raw in raw_sequences(given, schema)]
    series = [Series.of(schema, record, origins[record.id], steps) for record in records]
    made = forecasts(run.network, series, steps)
    assert {len(curves) for curves in made} == {1}
    return {site: point for site, (point,) in zip(origins, made, strict=True)}


def steps_of(name):
    return 1 if name == "one step" else HORIZON


@pytest.mark.parametrize("name", NAMES)
def test_each_forecast_is_that_of_the_steps_before_its_origin(trained, name):
    run, table = trained(name)
    steps = steps_of(name)
    found = rolled(run, table, steps)
    known = "inputs" in TASKS[name]
    for site, origins in ORIGINS.items():
        own = table[table.site == site]
        for origin, forecast in zip(origins, found[site], strict=True):
            past = columns(own[:origin])
            if name == "one step":
                (row,) = run.predict([past])
                expected = [row["prediction"][-1]]
            else:
                later = own[origin : origin + needed_later(run.schema, steps)].drop(columns="load")
                (row,) = run.forecast([past], steps, future=[columns(later)] if known else None)
                expected = row["prediction"]
            assert forecast.shape == (steps, run.schema.target.width)
            np.testing.assert_allclose(forecast.ravel(), np.ravel(expected), rtol=2e-5)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_after_an_origin_changes_its_forecast(trained, name):
    """Loads of all later steps are others, and so are temperatures where they are not known ahead."""
    run, table = trained(name)
    steps = steps_of(name)
    whole = rolled(run, table, steps)
    for site, origins in ORIGINS.items():
        for turn, origin in enumerate(origins):
            other = table.copy()
            later = (other.site == site) & (other.groupby("site").cumcount() >= origin)
            other.loc[later, "load"] = 77.7
            if "inputs" not in TASKS[name]:
                other.loc[later, "temperature"] = 5.5
            found = rolled(run, other, steps, {site: [origin]})
            np.testing.assert_allclose(found[site][0], whole[site][turn], rtol=2e-5)


def test_what_is_known_of_later_steps_changes_the_forecast(trained):
    run, table = trained("horizon with known")
    other = table.assign(temperature=np.where(table.groupby("site").cumcount() == 51, 40.0, table.temperature))
    found, changed = rolled(run, table, HORIZON)["north"], rolled(run, other, HORIZON)["north"]
    same = [np.allclose(a, b, rtol=1e-6) for a, b in zip(found, changed, strict=True)]
    assert same == [True, True, True, False, False]


def test_origins_leave_room_for_all_known_inputs_of_a_forecast(trained):
    """The model reads those of three steps, also where only the first step of its forecast is compared."""
    run, table = trained("horizon with known")
    own = table[table.site == "south"].assign(load=lambda given: given.load.ffill())
    notes = []
    found = lstm_cli.backtest(run, [columns(own), columns(own[:2])], horizon=1, origins=4, note=notes.append)
    assert notes == ["the series: 1 of 2 series is too short and left out: south"]
    assert found.origins[-1] == STEPS["south"] - HORIZON
    expected = rolled(run, own, 1, {"south": found.origins.tolist()})["south"]
    np.testing.assert_allclose(found.forecasters["model"].predicted, expected, rtol=1e-5)
    (row,) = run.forecast([columns(own[:-HORIZON])], 1, future=[columns(own[-HORIZON:].drop(columns="load"))])
    np.testing.assert_allclose(found.forecasters["model"].predicted[-1].ravel(), row["prediction"], rtol=1e-5)
