"""Inputs that are computed from the time."""

import numpy as np
import pandas as pd
import pytest

from lstm_cli.data import encode, load_schema, open_data, read_sequences
from lstm_cli.data.schema.grid import calendar_features
from tests.support.data import data_config, save_schema, write

PARTS = ["hour", "weekday", "day", "month", "year"]


def turns(times, part):
    """The angle of a part of the calendar as a share of a turn, by pandas."""
    match part:
        case "hour":
            return (times.hour + times.minute / 60 + times.second / 3600) / 24
        case "weekday":
            return times.day_of_week / 7
        case "day":
            return times.day / times.days_in_month
        case "month":
            return times.month / 12
        case _:
            return times.day_of_year / 365.25


def expected(times, part):
    angle = 2 * np.pi * np.asarray(turns(times, part), float)
    return np.stack([np.sin(angle), np.cos(angle)], axis=1)


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("frequency", ["97min", "13D", "37h"])
@pytest.mark.parametrize("start", ["2019-12-27 23:45:30", "1968-02-27"])
def test_sine_and_cosine_of_every_part(part, frequency, start):
    times = pd.date_range(start, periods=200, freq=frequency)
    found = calendar_features(times.to_numpy().astype("datetime64[ns]"), part)
    assert np.allclose(found, expected(times, part), atol=1e-12)


def now_and_next(times, parts):
    """Every part at all steps but the last, and at the step after each, which is known."""
    return np.concatenate([expected(moved, part) for moved in (times[:-1], times[1:]) for part in parts], axis=1)


def opened(folder, times, **data):
    write(folder / "a.csv", "when,x\n" + "".join(f"{time},{n}.5\n" for n, time in enumerate(times)))
    given = {"inputs": ["x"], "target": "next", "time": "when", "calendar": PARTS, **data}
    return open_data(data_config(folder, train="a.csv", **given))


def test_they_stand_behind_the_inputs_and_are_neither_scaled_nor_predicted(tmp_path):
    times = pd.date_range("2020-02-27", periods=40, freq="5h")
    data = opened(tmp_path, times)
    assert [column.name for column in data.schema.layout.inputs] == ["x", *(f"when.{part}" for part in PARTS)]
    assert data.train.target.shape == (39, 1)
    features = now_and_next(times, PARTS)
    assert np.allclose(data.train.numbers[:, 1:], features, atol=1e-6)


def test_they_are_computed_alike_at_prediction_by_the_saved_schema(tmp_path):
    times = pd.date_range("2020-02-27", periods=40, freq="5h")
    data = opened(tmp_path, times, calendar=["hour", "year"])
    save_schema(data.schema, tmp_path)
    schema = load_schema(tmp_path)
    write(tmp_path / "new.csv", "x,when\n" + "".join(f"{n}.5,{time}\n" for n, time in enumerate(times[7:20])))
    (raw,) = read_sequences(tmp_path / "new.csv", schema)
    features = now_and_next(times[7:21], ["hour", "year"])
    assert np.allclose(encode(schema, raw).numbers[:, 1:], features, atol=1e-6)


def test_differences_take_their_first_steps_from_the_calendar_too(tmp_path):
    times = pd.date_range("2020-02-27", periods=40, freq="5h")
    data = opened(tmp_path, times, calendar="hour", transform={"x": "seasonal_difference(3)"}, scale="none")
    assert np.allclose(data.train.numbers[:, 1:], now_and_next(times[3:], ["hour"]), atol=1e-6)
    assert data.train[0].times.tolist() == times[3:-1].to_numpy().astype("datetime64[ns]").tolist()


def test_times_of_day_have_an_hour(tmp_path):
    write(tmp_path / "a.csv", "when,x\n" + "".join(f"{n}:30,{n}.5\n" for n in range(24)))
    given = {"inputs": ["x"], "target": "next", "time": "when", "calendar": "hour"}
    data = open_data(data_config(tmp_path, train="a.csv", **given))
    angle = 2 * np.pi * (np.arange(23) + 0.5) / 24
    assert np.allclose(data.train.numbers[:, 1], np.sin(angle), atol=1e-6)
