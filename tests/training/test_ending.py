"""The commands that the end of a training names work as they are typed, wherever that can be known."""

from pathlib import Path

import pytest

from lstm_cli.config import config_from_mapping
from lstm_cli.data import open_data
from lstm_cli.training.ending import next_commands

RUN = Path("runs/load")


def commands(folder, **data):
    config = config_from_mapping(
        {"data": {"train": "load.csv", "inputs": ["x"], "target": "next", "window": 4, "valid": 0.2, **data}},
        folder=folder,
    )
    return [words for words, _ in next_commands(RUN, config, open_data(config).schema)]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my data").mkdir()
    for name in ("load.csv", "later.csv", "my data/load.csv"):
        (tmp_path / name).write_text("x\n" + "".join(f"{n % 7}.5\n" for n in range(60)))
    return tmp_path


@pytest.mark.parametrize(
    ("where", "data", "series"),
    [
        (".", {}, "load.csv"),
        ("my data", {}, "'my data/load.csv'"),
        (".", {"valid": "later.csv"}, "later.csv"),
        (".", {"train": ["load.csv", "later.csv"], "valid": 0.5}, "new.csv"),
    ],
)
def test_a_forecast_continues_the_file_that_ends_last(folder, where, data, series):
    predict, _, backtest, _ = commands(folder / where, **data)
    assert predict == f"lstm-predict runs/load {series} --steps 24 -o forecasts.csv"
    assert backtest == f"lstm backtest runs/load {series}"
