"""More columns and weights than a config would list by hand: what the tool wrote itself it can always read."""

import csv
from functools import partial
from pathlib import Path

import numpy as np
import pytest

import lstm_cli
from lstm_cli.config import Config, yaml_reader
from lstm_cli.run.checkpoint import load
from lstm_cli.run.names import LAST
from tests.support.runs import metrics, small_config, train

#: They need quotes and escapes in YAML.
ODD = ["<<", "~", "1e5", "a: b", "a #b", "\\", "x\u2028y", "\x1b[31m", "2020-01-01", "k" * 2000]


def write_table(path: Path, columns: list[str]) -> Path:
    x = np.random.default_rng(0).normal(size=(30, len(columns))).round(2)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*columns, "y"])
        writer.writerows([*row, "up" if row[0] > 0 else "down"] for row in x.tolist())
    return path


@pytest.mark.parametrize("count", [150, pytest.param(4000, marks=pytest.mark.slow)])
def test_many_columns_from_training_to_prediction_and_resume(
    tmp_path: Path, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    if count < 1000:  # with limits as much lower
        monkeypatch.setattr(yaml_reader, "MAX_BYTES", yaml_reader.MAX_BYTES // 20)
        monkeypatch.setattr(yaml_reader, "MAX_NODES", yaml_reader.MAX_NODES // 20)
        monkeypatch.setattr(yaml_reader, "Limits", partial(yaml_reader.Limits, nodes=yaml_reader.MAX_NODES))
    columns = [*ODD, *(f"sensor_{number}" for number in range(count - len(ODD)))]
    table = write_table(tmp_path / "table.csv", columns)
    data = {"train": "table.csv", "inputs": columns, "target": "y", "valid": 0.3}
    run = tmp_path / "run"
    train(small_config(tmp_path, data=data, train={"epochs": 1}), run)
    resolved = (run / "resolved.yaml").read_text()
    assert len(resolved) > yaml_reader.MAX_BYTES
    assert resolved.count("\n") > yaml_reader.MAX_NODES / 2  # two values a line
    loaded = lstm_cli.load(run)
    rows = loaded.predict([{name: [0.5, -0.5] for name in columns}])
    assert [len(row["prediction"]) for row in rows] == [2]
    assert "accuracy" in loaded.evaluate(table)
    train(small_config(tmp_path, data=data, train={"epochs": 2}), run, resume=True)
    assert load(run / LAST).position["epoch"] == 2
    assert [line["epoch"] for line in metrics(run)] == [1, 2]


@pytest.mark.slow
def test_9000_weights_from_training_to_prediction_and_resume(tmp_path: Path) -> None:
    """Each step of a long closed loop has a weight of its own in the config."""
    values, weights = np.sin(np.arange(9100) / 9).round(3), [float(number % 3) for number in range(9000)]
    (tmp_path / "series.csv").write_text("\n".join(["a", *map(str, values)]) + "\n")

    def config(epochs: int) -> Config:
        return small_config(
            tmp_path,
            data={"train": "series.csv", "inputs": ["a"], "target": "next", "valid": None},
            rollout={"steps": len(weights), "loss_at": weights},
            model={"layers": [2]},
            train={"epochs": epochs, "monitor": "train.loss"},
        )

    run = tmp_path / "run"
    train(config(1), run)
    assert (run / "resolved.yaml").stat().st_size > yaml_reader.MAX_BYTES
    loaded = lstm_cli.load(run)
    assert loaded.config.rollout is not None and loaded.config.rollout.loss_at == tuple(weights)
    (row,) = loaded.forecast([{"a": values[:50].tolist()}], 3)
    assert len(row["prediction"]) == 3
    train(config(2), run, resume=True)
    assert [line["epoch"] for line in metrics(run)] == [1, 2]
