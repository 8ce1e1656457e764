"""A table of more columns than a config would list by hand: what the tool wrote itself it can always read."""

from pathlib import Path

import numpy as np

import lstm_cli
from lstm_cli.config.yaml_reader import MAX_BYTES, MAX_NODES
from lstm_cli.run.checkpoint import load
from lstm_cli.run.names import LAST
from tests.support.runs import metrics, small_config, train

COLUMNS = [f"sensor_{number}" for number in range(1500)]


def write_table(path: Path) -> Path:
    x = np.random.default_rng(0).normal(size=(30, len(COLUMNS))).round(2)
    rows = [",".join([*map(str, row), "up" if row[0] > 0 else "down"]) for row in x.tolist()]
    path.write_text("\n".join([",".join([*COLUMNS, "y"]), *rows]) + "\n")
    return path


def test_1500_columns_from_training_to_prediction_and_resume(tmp_path: Path) -> None:
    table = write_table(tmp_path / "table.csv")
    data = {"train": "table.csv", "inputs": COLUMNS, "target": "y", "valid": 0.3}
    run = tmp_path / "run"
    train(small_config(tmp_path, data=data, train={"epochs": 1}), run)
    resolved = (run / "resolved.yaml").read_text()
    assert len(resolved) > MAX_BYTES
    assert resolved.count("\n") > MAX_NODES / 2  # two values a line
    loaded = lstm_cli.load(run)
    rows = loaded.predict([{name: [0.5, -0.5] for name in COLUMNS}])
    assert [len(row["prediction"]) for row in rows] == [2]
    assert "accuracy" in loaded.evaluate(table)
    train(small_config(tmp_path, data=data, train={"epochs": 2}), run, resume=True)
    assert load(run / LAST).position["epoch"] == 2
    assert [line["epoch"] for line in metrics(run)] == [1, 2]
