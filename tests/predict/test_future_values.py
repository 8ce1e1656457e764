"""Known inputs of later steps: filled, transformed and counted as those of the series, of which they are the end."""

import re

import numpy as np
import pandas as pd
import pytest

import lstm_cli
from lstm_cli.errors import ConfigError, DataError
from lstm_cli.predict import predict_run
from tests.support.data import write

PAST = 40


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A run that predicts three loads from two steps ahead on, whose temperatures are known and partly missing."""
    folder, draw = tmp_path_factory.mktemp("future"), np.random.default_rng(4)
    table = pd.DataFrame({"time": pd.date_range("2024-01-01", periods=PAST, freq="h")})
    table["temperature"] = (12 + 5 * draw.random(PAST)).round(2)
    table["load"] = (50 + table.temperature.shift(fill_value=12)).round(2)
    table.loc[[5, 6], "temperature"] = np.nan
    write(folder / "past.csv", table.to_csv(index=False))
    data = {"train": str(folder / "past.csv"), "valid": None, "time": "time", "missing": {"fill": "previous"}}
    data |= {"inputs": {"load": {}, "temperature": {"known": True}}, "transform": {"temperature": "log"}}
    data |= {"target": {"column": "load", "ahead": 2, "horizon": 3}}
    model, train = {"layers": [4], "dropout": 0}, {"epochs": 2, "monitor": "train.loss"}
    config = {"threads": 1, "data": data, "model": model, "train": train}
    lstm_cli.train(config, run=folder / "run", verbosity=-1)
    return folder


def forecast(folder, temperatures, **options):
    """The forecast with temperatures of the steps after the last."""
    later = pd.DataFrame({"time": pd.date_range("2024-01-01", periods=PAST + len(temperatures), freq="h")[PAST:]})
    write(folder / "later.csv", later.assign(temperature=temperatures).to_csv(index=False))
    predict_run(folder / "run", folder / "past.csv", future=folder / "later.csv", out=folder / "out.csv", **options)
    return pd.read_csv(folder / "out.csv")


def test_a_gap_at_the_first_later_step_has_the_last_value_of_the_series(folder):
    last = pd.read_csv(folder / "past.csv").temperature.iloc[-1]
    found = forecast(folder, [np.nan, 13, np.nan, 14], steps=3)
    pd.testing.assert_frame_equal(found, forecast(folder, [last, 13, 13, 14], steps=3))
    other = forecast(folder, [last + 1, 13, 13, 14], steps=3)
    assert not np.allclose(found.load, other.load, rtol=1e-6)


def test_a_later_value_without_a_logarithm_is_named_with_its_file(folder):
    with pytest.raises(DataError, match=r"later\.csv:2: temperature: step 3: log of -1: use it for positive numbers"):
        forecast(folder, [12, 13, -1, 14], steps=3)


def test_all_rows_of_the_future_are_used_where_the_first_step_predicted_is_a_later_one(folder):
    """With ahead 2 and a horizon of 3, the values of four steps are known, of which the last three are predicted."""
    found = forecast(folder, [12, 13, 13, 14])
    assert found.step.tolist() == [PAST + 1, PAST + 2, PAST + 3]
    assert found.time.tolist() == ["2024-01-02 17:00", "2024-01-02 18:00", "2024-01-02 19:00"]
    pd.testing.assert_frame_equal(found, forecast(folder, [12, 13, 13, 14], steps=3))


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (5, "--future has 5 rows: this model predicts the steps 2 to 4: give at most 4"),
        (1, "--future has 1 row, but the first step predicted is 2 after the last: give more"),
    ],
)
def test_too_many_or_too_few_rows_of_the_future_are_refused(folder, rows, message):
    with pytest.raises(ConfigError, match=re.escape(message)):
        forecast(folder, [12] * rows)
