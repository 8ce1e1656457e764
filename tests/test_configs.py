"""Every config that comes with the project: it loads, explains itself, trains a few steps, and predicts."""

import pytest
import yaml

import lstm_cli
from lstm_cli.config import load_config
from lstm_cli.predict import predict_run
from tests.support.data import read_jsonl
from tests.support.paths import ROOT
from tests.support.standins import STANDINS, overrides

CONFIGS = sorted((ROOT / "configs").glob("*.yaml"))
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
    sections = {"data", "model", "loss", "optimizer", "rollout", "train"}
    for key in keys(yaml.compose(path.read_text(encoding="utf-8"))):
        line = lines[key.start_mark.line]
        if key.value not in sections or key.start_mark.column:
            assert " # " in line, f"{path.name}:{key.start_mark.line + 1}: {key.value} has no comment"


@every_config
def test_config_begins_by_saying_what_it_is(path):
    assert path.read_text(encoding="utf-8").startswith("# ")


# Shorter than the configs are: they train what they train, but not for long.
BRIEFLY = ["train.epochs=1", "train.batch_size=8", "threads=1"]
SCORES = {"category": "accuracy", "number": "r2", "set": "frame_accuracy"}


def predict_rows(run, data, path, **options):
    predict_run(run, data, out=path, trust=True, **options)
    return read_jsonl(path)


@every_config
def test_config_trains_and_its_run_predicts(path, tmp_path):
    brief = [*overrides(path.stem, tmp_path), *BRIEFLY]
    result = lstm_cli.train(path, brief, run=tmp_path / "run", verbosity=-1)
    target = lstm_cli.load(result.folder, trust=True).schema.target
    score = "perplexity" if target.is_next and target.kind == "category" else SCORES[target.kind]
    scored = [scores for split, scores in result.scores.items() if split != "train"]
    assert scored and all({"loss", score} <= scores.keys() for scores in scored)

    config = load_config(path, brief)
    held_out = (config.data.test, config.data.valid, config.data.train)
    data = next(config.source.resolve(name) for name in held_out if isinstance(name, str))
    rows = predict_rows(result.folder, data, tmp_path / "predictions.jsonl")
    assert rows and all(row["prediction"] not in (None, []) for row in rows)
    if target.is_next:
        forecasts = predict_rows(result.folder, data, tmp_path / "forecasts.jsonl", steps=3)
        assert [(row["id"], len(row["prediction"])) for row in forecasts] == [(row["id"], 3) for row in rows]
