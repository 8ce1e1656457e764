"""What the user set, as the report shows it."""

from pathlib import Path

import pytest

from lstm_cli.config import Config, config_from_mapping, load_config
from lstm_cli.config.given import given_yaml

TEXT = """\
# the only data
data: {train: x.jsonl, inputs: [a, b], target: y}   # comments are left out
model:
  layers: [64, {size: 8, cell: gru}]
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "x.yaml"
    file.write_text(TEXT)
    return file


def test_the_file_and_the_command_line_without_comments_and_defaults(path: Path) -> None:
    assert given_yaml(load_config(path, ["train.epochs=3", "model.layers.1.size=9"])) == (
        "data:\n  train: x.jsonl\n  inputs: [a, b]\n  target: y\n"
        "model:\n  layers:\n  - 64\n  - size: 9\n    cell: gru\ntrain:\n  epochs: 3\n"
    )


def test_it_loads_as_the_same_config(path: Path) -> None:
    config = load_config(path, ["optimizer=adam", "data.valid=null"])
    again = path.with_name("again.yaml")
    again.write_text(given_yaml(config))
    assert load_config(again) == config


def test_what_another_session_changed_is_known_by_its_values(path: Path) -> None:
    """A resumed run has the text of its file and every value, but no overrides of its first session."""
    config, changed = load_config(path), load_config(path, ["train.epochs=3", "optimizer.learning_rate=0.5"])
    resumed = Config.model_validate(changed.model_dump(mode="json"))
    resumed._source = config.source
    assert given_yaml(resumed).endswith("optimizer:\n  learning_rate: 0.5\ntrain:\n  epochs: 3\n")


def test_a_mapping(path: Path) -> None:
    config = config_from_mapping({"data": {"train": "x.csv", "inputs": ["a"], "target": "next"}, "seed": 3})
    assert given_yaml(config) == "data:\n  train: x.csv\n  inputs: [a]\n  target: next\nseed: 3\n"
