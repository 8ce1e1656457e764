"""What the README says of the config is what the config is."""

import re
from pathlib import Path

from lstm_cli.config import config_from_mapping
from lstm_cli.config.yaml_reader import read_yaml

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def test_the_config_shown_is_that_of_the_defaults():
    (block,) = re.findall(r"```yaml\n(seed.*?)```", README, re.DOTALL)
    shown = config_from_mapping(read_yaml(block.encode()).value)
    data = {"train": "vowels-train.jsonl", "test": "vowels-test.jsonl", "inputs": ["x"], "target": "speaker"}
    assert shown == config_from_mapping({"data": data})


def test_the_config_shown_has_every_key():
    (block,) = re.findall(r"```yaml\n(seed.*?)```", README, re.DOTALL)
    shown = read_yaml(block.encode()).value
    config = config_from_mapping({"data": {"train": "a", "inputs": ["x"], "target": "b"}})
    for section in ("data", "model", "loss", "train"):
        missing = set(type(getattr(config, section)).model_fields) - set(shown[section])
        assert missing <= {"batch_steps", "huber_delta", "max_nonfinite", "output"}, section  # in comments, or not yet
