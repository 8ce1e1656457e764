"""Backtests beside plain loops and scikit-learn: naive forecasts, errors by step ahead, files, messages."""

import json
import re
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from sklearn import metrics

import lstm_cli
from lstm_cli.cli.group import main
from lstm_cli.errors import ConfigError, DataError
from lstm_cli.insight.backtest import check_forecaster
from lstm_cli.insight.backtest_text import table
from lstm_cli.insight.tables import width_of
from tests.support.data import read_csv, write
from tests.support.paths import RELEASED

STEPS, VALID, TEST, DAY = 400, 60, 110, 24
SITES = {"north": 90, "south": 70, "tiny": 4}


def load(steps, seed=0):
    hours, draw = np.arange(steps), np.random.default_rng(seed)
    return (100 + 30 * np.sin(hours * 2 * np.pi / DAY) + draw.normal(size=steps) * 5).round(2)


def hourly(steps=STEPS, seed=0):
    time = pd.date_range("2024-03-01", periods=steps, freq="h")
    return pd.DataFrame({"time": time, "load": load(steps, seed)})


def sites():
    parts = []
    for seed, (site, steps) in enumerate(SITES.items()):
        values = load(steps, seed)
        parts.append(pd.DataFrame({"site": site, "load": values, "flow": (values[::-1] * 40).round(1)}))
    found = pd.concat(parts, ignore_index=True)
    found.loc[[40, 60, 61, 75], "load"] = np.nan
    return found


def trained(folder, data, **sections):
    config = {
        "threads": 1,
        "data": data,
        "model": {"layers": [4], "dropout": 0},
        "optimizer": {"name": "adam", "learning_rate": 0.02},
        "train": {"epochs": 2, "monitor": "train.loss"},
    }
    lstm_cli.train(config | sections, run=folder / "run", verbosity=-1)
    return folder


@pytest.fixture(scope="module")
def day(tmp_path_factory):
    """A model of the next hour, whose file was split; beside it a file that the run has not seen."""
    folder = tmp_path_factory.mktemp("day")
    write(folder / "load.csv", hourly().to_csv(index=False))
    write(folder / "other.csv", hourly(300, seed=5).to_csv(index=False))
    data = {"train": str(folder / "load.csv"), "valid": VALID, "test": TEST, "time": "time", "inputs": ["load"]}
    return trained(folder, data | {"target": "next", "calendar": ["hour"]})


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """A model of the next four steps of two columns, of several series, one of them short, with gaps."""
    folder = tmp_path_factory.mktemp("sites")
    write(folder / "sites.csv", sites().to_csv(index=False))
    data = {"train": str(folder / "sites.csv"), "valid": None, "id": "site", "inputs": ["load", "flow"]}
    target = {"target": {"next": True, "horizon": 4}, "missing": {"fill": "previous", "target": "skip"}}
    return trained(folder, data | target)


@pytest.fixture(scope="module")
def forecaster(day):
    return lstm_cli.load(day / "run")


def invoke(*arguments):
    return CliRunner().invoke(main, ["backtest", *map(str, arguments)])


def test_errors_equal_scikit_learn_and_forecasts_those_of_prefixes(day, forecaster):
    found = invoke(day / "run", day / "other.csv", "--origins", 7, "--horizon", 30, "-o", day / "out.csv")
    assert (found.exit_code, found.stderr) == (0, "")
    content, rows = json.loads(found.stdout), read_csv(day / "out.csv")
    values = hourly(300, seed=5)
    assert list(rows[0])[:8] == ["id", "origin", "step", "time", "horizon", "column", "observed", "model"]
    assert len(rows) == 7 * 30
    assert list(content["overall"]) == ["model", "last", f"seasonal_{DAY}"]
    assert content["origins"] == 7
    assert content["steps"] == list(range(1, 31))
    for row in rows:
        origin, step, ahead = int(row["origin"]), int(row["step"]), int(row["horizon"])
        assert step == origin + ahead
        assert row["time"] == f"{values.time[step]:%Y-%m-%d %H:%M}"
        assert float(row["observed"]) == values.load[step]
        assert float(row["last"]) == values.load[origin]
        earlier = step - DAY if ahead <= DAY else step - 2 * DAY
        assert float(row[f"seasonal_{DAY}"]) == values.load[earlier]
    origins = sorted({int(row["origin"]) for row in rows})
    assert origins[-1] == 300 - 30 - 1
    assert origins[0] >= 150 - 1
    for origin in origins[::3]:
        past = values[: origin + 1]
        given = {"load": past.load.tolist(), "time": [f"{time:%Y-%m-%d %H:%M}" for time in past.time]}
        (row,) = forecaster.forecast([given], 30)
        own = [float(row["model"]) for row in rows if int(row["origin"]) == origin]
        np.testing.assert_allclose(own, row["prediction"], rtol=1e-5)
    assert "interval" in content
    check_errors(content, rows, "load")


def check_errors(content, rows, column, suffix=""):
    """Every figure of a column equals scikit-learn's over the rows of the file."""
    own = [row for row in rows if row["column"] == column and row["observed"]]
    for name in content["overall"]:
        truth, predicted = (np.array([float(row[key]) for row in own]) for key in ("observed", name))
        ahead = np.array([int(row["horizon"]) for row in own])
        overall = content["overall"][name]
        assert overall[f"mae{suffix}"] == pytest.approx(metrics.mean_absolute_error(truth, predicted), rel=1e-5)
        assert overall[f"rmse{suffix}"] == pytest.approx(metrics.root_mean_squared_error(truth, predicted), rel=1e-5)
        assert overall[f"bias{suffix}"] == pytest.approx(np.mean(predicted - truth), rel=1e-4, abs=1e-5)
        for place, step in enumerate(content["steps"]):
            at = ahead == step
            expected = metrics.mean_absolute_error(truth[at], predicted[at])
            assert content["horizons"][name][f"mae{suffix}"][place] == pytest.approx(expected, rel=1e-4)
        if name != "model":
            skill = 1 - content["overall"]["model"][f"mae{suffix}"] / overall[f"mae{suffix}"]
            assert content["skill"][name][f"mae{suffix}"] == pytest.approx(skill)
    if "interval" in content:
        low, high = (np.array([float(row[key]) for row in own]) for key in ("low", "high"))
        if suffix == "":
            assert content["interval"]["coverage"] == pytest.approx(np.mean((low <= truth) & (truth <= high)))
            assert content["interval"]["width"] == pytest.approx(np.mean(high - low), rel=1e-4)


def test_intervals_are_those_of_forecasts_that_end_before_the_first_origin(day, forecaster):
    """Other values after the first origin change what intervals hold, not how wide they are."""
    found = lstm_cli.backtest(forecaster, day / "other.csv", origins=5, horizon=3)
    first = int(found.origins[0])
    other = hourly(300, seed=5)
    other.loc[first:, "load"] += 50
    write(day / "changed.csv", other.to_csv(index=False))
    changed = lstm_cli.backtest(forecaster, day / "changed.csv", origins=5, horizon=3)
    assert changed.origins.tolist() == found.origins.tolist()
    assert changed.plan.periods == found.plan.periods == (DAY,)
    np.testing.assert_array_equal(changed.fitted.low, found.fitted.low)
    assert changed.interval["width"] == pytest.approx(found.interval["width"])
    assert found.interval["coverage"] > 0.5 > changed.interval["coverage"]


def test_several_series_and_columns(both):
    notes = []
    found = lstm_cli.backtest(both / "run", both / "sites.csv", origins=6, note=notes.append)
    assert any("the run was trained on this file" in note for note in notes)
    assert any("1 of 3 series is too short and left out: tiny" in note for note in notes)
    content = found.to_json()
    assert (content["series"], content["origins"], content["steps"]) == (2, 12, [1, 2, 3, 4])
    result = invoke(both / "run", both / "sites.csv", "--origins", 6, "-o", both / "out.csv")
    assert json.loads(result.stdout) == content | {"data": json.loads(result.stdout)["data"]}
    rows = read_csv(both / "out.csv")
    assert list(rows[0])[:6] == ["site", "origin", "step", "horizon", "column", "observed"]
    assert {row["site"] for row in rows} == {"north", "south"}
    assert sum(row["observed"] == "" for row in rows) > 0
    whole = sites()
    for site in ("north", "south"):
        own = whole[whole.site == site].reset_index()
        filled = own[["load", "flow"]].ffill()
        for row in rows:
            if row["site"] == site:
                given = own[row["column"]][int(row["step"])]
                assert (row["observed"] == "") == bool(np.isnan(given))
                assert float(row["last"]) == filled[row["column"]][int(row["origin"])]
    check_errors(content, rows, "load", ".load")
    check_errors(content, rows, "flow", ".flow")


def test_forecasts_begin_where_the_run_was_not_trained(day, forecaster):
    found = lstm_cli.backtest(forecaster, day / "load.csv", horizon=10, origins=500)
    assert found.origins.tolist() == list(range(STEPS - TEST, STEPS - 10 + 1))
    long = lstm_cli.backtest(forecaster, day / "load.csv", horizon=TEST + 20, origins=5)
    assert long.origins.min() >= STEPS - TEST - VALID
    with pytest.raises(DataError, match=r"170 steps at its end, which did not train the run, are too few .* of 171"):
        lstm_cli.backtest(forecaster, day / "load.csv", horizon=171)


def test_sequences_from_python(forecaster):
    values = hourly(200, seed=5)
    given = {"load": values.load.tolist(), "time": [f"{time:%Y-%m-%d %H:%M}" for time in values.time]}
    found = lstm_cli.backtest(forecaster, [given], origins=3)
    assert found.plan.steps == DAY  # the shortest season
    assert found.to_json()["data"] == "the series"
    windows = list(found.windows())
    assert [window.origin for window in windows] == [origin - 1 for origin in found.origins]
    assert len(windows) == 3
    for window in windows:
        before = window.steps.index(window.origin) + 1
        assert window.predicted[before - 1] is None
        assert window.predicted[before] is not None
        assert list(window.observed) == values.load[window.steps[0] : window.steps[-1] + 1].tolist()
        assert window.times[before] == f"{values.time[window.origin + 1]:%Y-%m-%d %H:%M}"
        assert len(window.low) == len(window.steps)


def test_midnight_is_written_as_the_other_times_are(forecaster):
    values = hourly(200, seed=5)
    given = {"load": values.load.tolist(), "time": [f"{time:%Y-%m-%d %H:%M}" for time in values.time]}
    found = lstm_cli.backtest(forecaster, [given], origins=60, horizon=1)
    times = [time for k in range(60) for time in found.times(k, found.predicted_steps(k))]
    assert times == [given["time"][origin] for origin in found.origins]
    assert any(time.endswith("00:00") for time in times)


def test_too_few_origins_are_said(day):
    result = invoke(day / "run", day / "other.csv", "--horizon", 270, "--origins", 50)
    assert result.exit_code == 0
    assert "only 30 origins of the 50 wanted: there are no more steps to forecast from" in result.stderr
    assert json.loads(result.stdout)["origins"] == 30
    result = invoke(day / "run", day / "other.csv", "--horizon", 300)
    assert result.exit_code == 65
    assert "300 steps are too few for a forecast of 300: it needs 1 before it and 300 after" in result.stderr


def test_the_table_fits_a_terminal(day, forecaster, both, monkeypatch):
    monkeypatch.chdir(day)  # the file's name is shown as given, as wide as it is
    found = lstm_cli.backtest(forecaster, "other.csv", horizon=100, origins=4)
    lines = table(found).splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[2].split()[:4] == ["load", "RMSE", "MAE", "skill"]
    assert lines[2].endswith("at 100")
    assert [line.split("  ")[0] for line in lines[3:6]] == ["the model", "the last value", f"the value {DAY} steps ago"]
    steps = [int(step) for step in re.findall(r"at (\d+)", lines[2])]
    for line, (name, overall) in zip(lines[3:6], found.overall.items(), strict=True):
        errors = [found.horizons[name]["mae"][step - 1] for step in steps]
        skill = [] if name == "model" else [found.skill[name]["mae"]]
        shown = [float(cell) for cell in line.removeprefix(found.titles[name]).split()]
        assert shown == pytest.approx([overall["rmse"], overall["mae"], *skill, *errors], abs=0.006)
    narrow = table(found, 60)
    assert max(map(len, narrow.splitlines()[2:6])) <= 60
    forecasters = {name: replace(one, columns=("気温" * 20,)) for name, one in found.forecasters.items()}
    wide = table(replace(found, forecasters=forecasters), 70).splitlines()[2:6]
    assert max(map(width_of, wide)) <= 70  # a character of the name takes two columns
    assert len({width_of(line) for line in wide}) == 1
    several = table(lstm_cli.backtest(both / "run", both / "sites.csv"))
    assert "load " in several
    assert "flow " in several


def test_a_terminal_shows_the_table_and_a_pipe_one_object(day, forecaster, monkeypatch):
    found = lstm_cli.backtest(forecaster, day / "other.csv", origins=3, horizon=2)
    monkeypatch.setattr("lstm_cli.insight.backtest_files.backtest_file", lambda *arguments, **options: found)
    assert json.loads(invoke("run", "series").stdout) == found.to_json()
    monkeypatch.setattr("lstm_cli.cli.common.wants_json", lambda *, as_json: as_json)  # as on a terminal
    assert invoke("run", "series").stdout == table(found, 80) + "\n"
    assert json.loads(invoke("run", "series", "--json").stdout) == found.to_json()


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ({"kind": "category"}, "is for forecasts of numbers, and this model predicts labels: its scores are those of"),
        ({"kind": "set"}, "predicts sets of labels"),
        ({"per": "sequence"}, "predicts load for the sequence"),
        ({"ahead": 0}, "predicts load of the same step"),
        ({"horizon": 4}, "--horizon 5: this model predicts 4 steps at once: give at most 4"),
    ],
)
def test_models_that_do_not_forecast_are_refused(target, message):
    given = {"kind": "number", "per": "step", "ahead": 1, "horizon": 1, "is_next": False} | target
    layout = SimpleNamespace(target=SimpleNamespace(name="load"))
    run = SimpleNamespace(drives=False, schema=SimpleNamespace(target=SimpleNamespace(**given), layout=layout))
    with pytest.raises(ConfigError, match=message):
        check_forecaster(run, 5)
    run.drives = True
    with pytest.raises(ConfigError, match="this model drives a system, from starts that are no series"):
        check_forecaster(run, None)


def test_a_system_is_refused_without_running_its_code(monkeypatch, tmp_path):
    config = SimpleNamespace(rollout=SimpleNamespace(dynamics="swing.py:swing"))
    monkeypatch.setattr("lstm_cli.insight.backtest.saved_config", lambda folder: config)
    with pytest.raises(ConfigError, match="this model drives a system, from starts that are no series"):
        lstm_cli.backtest(tmp_path / "run", tmp_path / "starts.jsonl")


def test_runs_of_earlier_versions_are_forecast_too():
    found = lstm_cli.backtest(RELEASED / "series", RELEASED / "series.csv", origins=3, horizon=2)
    assert len(found) == 3
    assert np.isfinite(list(found.overall["model"].values())).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["-o", "out.txt"], "-o out.txt: expected a name that ends in .csv"),
        (["--format", "cvs"], r"--format cvs: expected one of .*did you mean csv"),
        (["--origins", "0"], "0 is not in the range"),
    ],
)
def test_wrong_options_are_refused(day, options, message):
    result = invoke(day / "run", day / "other.csv", *options)
    assert result.exit_code == 2
    assert pd.Series([result.stderr]).str.contains(message).all()


def test_the_series_is_not_overwritten(day):
    result = invoke(day / "run", day / "other.csv", "-o", day / "other.csv")
    assert result.exit_code == 2
    assert "is the file that is read as SERIES" in result.stderr
