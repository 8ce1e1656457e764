"""The commands that the end of a training names work as they are typed, wherever that can be known."""

from pathlib import Path

import pytest

from lstm_cli.config import config_from_mapping, load_config
from lstm_cli.data import open_data
from lstm_cli.training.ending import longer_command, next_commands

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


SYSTEM = """
data: {train: starts.jsonl, inputs: [start], target: goal}
model: {layers: [4], output: {size: 1}}
train: {epochs: 80}
rollout: {dynamics: "world.py:step", steps: 3}
"""


def test_a_run_that_drives_a_system_is_trained_longer_with_its_config_as_typed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my configs").mkdir()
    path = Path("my configs/swing.yaml")
    path.write_text(SYSTEM)
    config = load_config(path, ["train.epochs=5", "model.layers=[8]", "seed=3"])
    assert " ".join(longer_command(Path("runs/swing"), config, config.train.epochs)) == (
        "lstm-train 'my configs/swing.yaml' 'model.layers=[8]' seed=3 train.epochs=10 -o runs/swing --resume"
    )
    assert longer_command(RUN, config_from_mapping(config.model_dump(mode="json"), folder=path.parent), 9) == ()
    plain = config_from_mapping({"data": {"train": "load.csv", "target": "next"}, "train": {"epochs": 7}})
    assert longer_command(Path("my runs/load"), plain, 7) == (
        "lstm-train", "'my runs/load'", "--resume", "train.epochs=14"
    )  # fmt: skip
