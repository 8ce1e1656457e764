import io
import re
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest
from pydantic import ValidationError

from lstm_cli.config import Config, config_from_mapping, load_config, read_resolved, resolved_config
from lstm_cli.config.columns import InputSpec, TargetSpec, TransformSpec
from lstm_cli.config.data import DataSpec
from lstm_cli.config.fields import Every
from lstm_cli.config.formats import FORMATS, SUFFIXES, Format
from lstm_cli.config.grammar import sections_at
from lstm_cli.config.train import METRICS, MONITORS
from lstm_cli.errors import CheckpointError, ConfigError
from tests.support.config import CONTRACT, GOOD, errors, load, write
from tests.support.data import raise_memory_error


def data_of(folder, **keys):
    return config_from_mapping({"data": {"train": "a.csv", "target": "y", **keys}}, folder).data


def test_the_defaults_are_those_of_the_documented_config(tmp_path):
    short = "data: {train: vowels-train.jsonl, test: vowels-test.jsonl, inputs: [x], target: speaker}"
    assert load(tmp_path, CONTRACT) == load(tmp_path, short)


def test_layers_are_filled_from_the_model(tmp_path):
    text = "model: {cell: gru, dropout: 0.1, layers: [8, {size: 4, cell: rnn, activation: relu, bidirectional: true}]}"
    first, second = load(tmp_path, GOOD + text).model.layers
    keys = ("size", "cell", "activation", "dropout", "bidirectional")
    assert [getattr(first, key) for key in keys] == [8, "gru", "tanh", 0.1, False]
    assert [getattr(second, key) for key in keys] == [4, "rnn", "relu", 0.1, True]
    assert second.recurrent_dropout == 0.0


@pytest.mark.parametrize(
    ("given", "inputs"),
    [
        (None, {}),
        ("x", {"x": InputSpec()}),
        (["x", "y"], {"x": InputSpec(), "y": InputSpec()}),
        ({"x": None}, {"x": InputSpec()}),
        ({"x": "tokens"}, {"x": InputSpec(kind="tokens")}),
        ({"x": {"kind": "set", "min_count": 2}}, {"x": InputSpec(kind="set", min_count=2)}),
    ],
)
def test_inputs_in_every_form(tmp_path, given, inputs):
    assert data_of(tmp_path, inputs=given).inputs == inputs


@pytest.mark.parametrize(
    ("given", "target"),
    [
        ("y", TargetSpec(column="y")),
        ("next", TargetSpec(next=True)),
        ({"column": "next"}, TargetSpec(column="next")),
        ({"column": "y", "kind": "number", "ahead": 1}, TargetSpec(column="y", kind="number", ahead=1)),
    ],
)
def test_target_in_every_form(tmp_path, given, target):
    assert data_of(tmp_path, target=given).target == target


def test_text_needs_no_target(tmp_path):
    assert load(tmp_path, "data: {train: a.TXT}").data.target is None
    assert load(tmp_path, "data: {train: a, format: text}").data.target is None


@pytest.mark.parametrize(("given", "type_"), [("v.csv", str), (0.25, float), (3, int), (None, type(None))])
def test_valid_is_a_path_a_share_or_a_count(tmp_path, given, type_):
    data = data_of(tmp_path, valid=given, test=given)
    assert data.valid == data.test == given
    assert type(data.valid) is type_


def test_transforms(tmp_path):
    data = data_of(tmp_path, transform={"x": "log", "y": ["difference", "seasonal_difference(12)"]})
    difference = TransformSpec("difference", 1)
    assert data.transform == {
        "x": (TransformSpec("log", 0),),
        "y": (difference, TransformSpec("seasonal_difference", 12)),
    }
    assert [str(step) for step in data.transform["y"]] == ["difference", "seasonal_difference(12)"]


@pytest.mark.parametrize(
    ("given", "every", "written"),
    [
        ("epoch", Every(1, "epoch"), "epoch"),
        ("3 epochs", Every(3, "epoch"), "3 epochs"),
        ("1 step", Every(1, "steps"), "1 steps"),
        ("500steps", Every(500, "steps"), "500 steps"),
        ("10min", Every(600, "seconds"), "10min"),
        ("1.5 hours", Every(5400, "seconds"), "90min"),
        ("2h", Every(7200, "seconds"), "2h"),
        ("0.25s", Every(0.25, "seconds"), "0.250s"),
    ],
)
def test_intervals(tmp_path, given, every, written):
    interval = load(tmp_path, GOOD + f"train: {{checkpoint_every: {given}}}").train.checkpoint_every
    assert interval == every
    assert str(interval) == written


def test_bare_names_and_empty_sections(tmp_path):
    config = load(tmp_path, GOOD + "optimizer: adam\nmodel:\nloss:\ntrain: {schedule: plateau}\n")
    assert config.optimizer.name == "adam"
    assert config.train.schedule.name == "plateau"
    assert config.model == load(tmp_path, GOOD).model
    assert load(tmp_path, GOOD + "optimizer: {learning_rate: 0.5}\n").optimizer.name == "adam"


def test_batch_steps_alone_replaces_batch_size(tmp_path):
    train = load(tmp_path, GOOD + "train: {batch_steps: 4000}").train
    assert (train.batch_size, train.batch_steps) == (None, 4000)


def test_without_validation_the_training_loss_is_followed(tmp_path):
    data = "data: {train: a.csv, target: y, valid: null}\n"
    assert load(tmp_path, data).train.monitor == "train.loss"
    assert load(tmp_path, data + "train: {epochs: 3}").train.monitor == "train.loss"
    assert errors(tmp_path, data + "train: {monitor: valid.loss}") == [
        "c.yaml:2:18: train.monitor: there is no data.valid: set it, or monitor train.loss"
    ]


def test_what_is_monitored_is_what_is_measured():
    better = [name for name, direction in METRICS.items() if direction != "none"]
    per_column = [f"valid.{name}.COLUMN" for name in better if name not in ("loss", "perplexity", "bits")]
    assert MONITORS == (*(f"valid.{name}" for name in better), *per_column, "train.loss")
    assert METRICS.keys() - better == {"coverage"}
    less_is_better = {"loss", "perplexity", "bits", "rmse", "mae", "nll", "pinball"}
    assert {name for name, direction in METRICS.items() if direction == "min"} == less_is_better
    assert {name for name, direction in METRICS.items() if direction == "max"} == {*better} - less_is_better


def test_the_score_of_a_column_can_be_monitored(tmp_path):
    """Which columns there are is known only with the data; the schema knows which metrics a column has."""
    named, pattern = Config.model_json_schema()["$defs"]["TrainSpec"]["properties"]["monitor"]["anyOf"]
    for value in ("valid.rmse.load", "valid.r2.wind.speed", "valid.mae.a b"):
        assert load(tmp_path, GOOD + f"train: {{monitor: {value}}}").train.monitor == value
        assert re.search(pattern["pattern"], value)
    for value in ("valid.loss.load", "valid.rmse.", "train.rmse.load", "rmse.load", "valid.bits.load"):
        (error,) = errors(tmp_path, GOOD + f"train: {{monitor: {value}}}")
        assert f"train.monitor: got '{value}', expected one of valid.loss, " in error
        assert not re.search(pattern["pattern"], value) and value not in named["enum"]
    assert {"valid.rmse", "train.loss"} < set(named["enum"])


def test_the_formats_of_the_grammar_are_those_of_the_table():
    assert get_args(Format) == FORMATS == tuple(SUFFIXES)
    assert get_args(DataSpec.model_fields["format"].annotation) == ("auto", *FORMATS)


def test_a_config_cannot_be_changed(tmp_path):
    config = load(tmp_path, GOOD)
    with pytest.raises(ValidationError, match="frozen"):
        config.seed = 3


def test_paths_count_from_the_config(tmp_path, monkeypatch):
    (tmp_path / "configs").mkdir()
    source = load(tmp_path / "configs", "data: {train: data/a.csv, target: y}").source
    assert source.resolve("data/a.csv") == tmp_path / "configs" / "data" / "a.csv"
    assert str(source.resolve("/b.csv")) == "/b.csv"
    monkeypatch.setenv("HOME", "/home/me")
    assert str(source.resolve("~/b.csv")) == "/home/me/b.csv"


@pytest.mark.parametrize("path", ["../a.csv", "data/../../a.csv", "../a/../../b c.csv", ".."])
def test_a_relative_path_may_lead_anywhere(tmp_path, path):
    config = load(tmp_path, f"data: {{train: {path}, valid: {path}, test: {path}, target: y}}")
    for given in (config.data.train, config.data.valid, config.data.test):
        assert config.source.resolve(given) == tmp_path / path
    kept = write(tmp_path, config.to_yaml())
    assert resolved_config(read_resolved(kept), kept).data == config.data
    by_hand = load(tmp_path, GOOD, f"data.train={path}")
    assert by_hand.source.resolve(by_hand.data.train) == tmp_path / path


@pytest.mark.parametrize(
    ("file", "name"), [("vowels.yaml", "vowels"), ("...yaml", "config"), (".yaml", "yaml"), ("a.b.yaml", "a.b")]
)
def test_a_run_is_named_after_the_file_and_stays_where_it_is_put(tmp_path, file, name):
    assert load_config(write(tmp_path, GOOD, file)).source.name == name


def test_the_text_is_kept_as_given(tmp_path):
    source = load(tmp_path, GOOD + "# é\n", "seed=2").source
    assert source.text == GOOD + "# é\n"
    assert source.overrides == ("seed=2",)


def test_a_config_from_standard_input(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(GOOD.encode() + b"seed: x")))
    with pytest.raises(ConfigError, match=r"^<stdin>:2:7: seed: got 'x', expected"):
        load_config("-")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"data: {train: ../a.csv, target: y}")))
    config = load_config("-")
    assert config.source.resolve(config.data.train) == Path("../a.csv")


def test_a_config_from_python(tmp_path):
    config = config_from_mapping({"data": {"train": tmp_path / "a.csv", "target": "y"}, "model": {"layers": (8, 4)}})
    assert config.data.train == str(tmp_path / "a.csv")
    assert [layer.size for layer in config.model.layers] == [8, 4]
    with pytest.raises(ConfigError, match="expected a mapping of sections"):
        config_from_mapping([1])
    with pytest.raises(ConfigError, match="nested deeper"):
        nested = {}
        nested["a"] = nested
        config_from_mapping(nested)


def test_the_json_schema_describes_every_key():
    schema = Config.model_json_schema()
    sections = [schema, *schema["$defs"].values()]
    keys = [(section["title"], key, field) for section in sections for key, field in section["properties"].items()]
    bare = [(title, key) for title, key, field in keys if not {"description", "$ref"} & field.keys()]
    assert bare == []
    assert all(section["additionalProperties"] is False for section in sections)
    assert schema["required"] == ["data"]
    assert schema["$defs"]["DataSpec"]["required"] == ["train"]


def test_sections_are_found_by_location():
    assert [section.__name__ for section in sections_at(("model", "layers", 3))] == ["LayerSpec"]
    assert [section.__name__ for section in sections_at(("optimizer", "sgd"))] == ["Sgd"]
    assert len(sections_at(("optimizer",))) == 9
    assert sections_at(("model", "cell")) == []


def test_reading_a_config_imports_nothing_heavy(tmp_path):
    path = write(tmp_path, GOOD)
    code = (
        f"import sys; from lstm_cli.config import load_config; load_config({str(path)!r});"
        "sys.exit(' '.join({'numpy', 'numba', 'pytensor', 'scipy', 'click'} & set(sys.modules)) or None)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.strip()) == (0, "")


def test_a_kept_config_that_does_not_fit_into_memory_is_damaged(tmp_path, monkeypatch):
    kept = write(tmp_path, GOOD)
    monkeypatch.setattr("lstm_cli.config.load.read_yaml", raise_memory_error)
    with pytest.raises(CheckpointError, match=r"c\.yaml: damaged: too large for memory: restore the file"):
        resolved_config(read_resolved(kept), kept)
