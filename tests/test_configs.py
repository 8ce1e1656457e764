"""Every config that comes with the project: it loads, explains itself, and trains."""

from pathlib import Path

import pytest
import yaml

from lstm_cli.spec import load_config
from tests.standins import STANDINS, overrides

CONFIGS = sorted((Path(__file__).parents[1] / "configs").glob("*.yaml"))
every_config = pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)


def test_there_are_configs():
    assert {"quickstart", *STANDINS} <= {path.stem for path in CONFIGS}


@every_config
def test_config_loads(path):
    config = load_config(path)
    assert config.data.target.next or config.data.target.column


@every_config
def test_config_loads_with_other_data(path, tmp_path):
    config = load_config(path, overrides(path.stem, tmp_path))
    for name in filter(None, (config.data.train, config.data.valid, config.data.test)):
        if isinstance(name, str):
            assert config.source.resolve(name).is_file()


def keys(node):
    """The keys of a mapping and of the mappings in it, but not of those that stand on one line."""
    for key, value in node.value:
        if isinstance(value, yaml.MappingNode) and not value.flow_style:
            yield from keys(value)
        yield key


@every_config
def test_every_key_has_a_comment(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    sections = {"data", "model", "loss", "optimizer", "train"}
    for key in keys(yaml.compose(path.read_text(encoding="utf-8"))):
        line = lines[key.start_mark.line]
        if key.value not in sections or key.start_mark.column:
            assert " # " in line, f"{path.name}:{key.start_mark.line + 1}: {key.value} has no comment"


@every_config
def test_config_begins_by_saying_what_it_is(path):
    assert path.read_text(encoding="utf-8").startswith("# ")
