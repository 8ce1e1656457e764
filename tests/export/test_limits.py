"""What an ONNX model cannot express is refused, all of it at once, and nothing is written."""

import sys

import numpy as np
import pytest

import lstm_cli
from lstm_cli.config.model import LayerSpec, ModelSpec
from lstm_cli.errors import ConfigError
from lstm_cli.export.limits import MODEL_KEYS, REFUSED
from tests.support.data import read_jsonl, write_jsonl
from tests.support.kinds import MODEL, classifier, labelled_waves, tagger
from tests.support.onnx import drawn_run


def test_every_key_of_a_model_is_expressed_or_refused():
    """A new key is refused where it is set; it belongs into one of the two tables of `lstm_cli.export.limits`."""
    assert {*ModelSpec.model_fields, *LayerSpec.model_fields} <= {*MODEL_KEYS, *REFUSED}


def test_a_layer_of_labels_is_refused(tmp_path):
    config = tagger(tmp_path, np.random.default_rng(1))
    run = drawn_run(tmp_path, {**config, "model": {**MODEL, "crf": True}})
    with pytest.raises(ConfigError, match=r"not as ONNX: model.crf: a sequence of labels is scored as a whole"):
        lstm_cli.export_run(run.folder, tmp_path / "a.onnx")
    lstm_cli.export_run(run.folder, tmp_path / "a.npz")
    lstm_cli.import_weights(tmp_path / "a.npz", run=tmp_path / "again")
    rows = read_jsonl(tmp_path / "train.jsonl")[:5]
    assert lstm_cli.load(tmp_path / "again").predict(rows) == run.predict(rows)


def test_all_limits_are_named_at_once(tmp_path):
    waves = labelled_waves(12, np.random.default_rng(1))
    write_jsonl(tmp_path / "train.jsonl", [{"lengths": row["x"], "v": [x for x, _ in row["x"]]} for row in waves])
    data = {"train": "train.jsonl", "inputs": ["lengths", "v"], "target": "next", "valid": 2, "window": 4}
    data |= {"scale": "window", "missing": {"fill": {"v": "previous"}}}
    run = drawn_run(tmp_path, {"data": data, "model": MODEL})
    with pytest.raises(ConfigError) as error:
        lstm_cli.export_run(run.folder, tmp_path / "a.onnx")
    lines = str(error.value).splitlines()
    keys = [line.split(": ")[2] for line in lines]
    assert keys == ["data.scale", "data.inputs.lengths", "data.missing.fill.v"]
    assert all(line.endswith(": export to .npz or .safetensors, or use lstm-predict") for line in lines)
    assert not (tmp_path / "a.onnx").exists()
    lstm_cli.export_run(run.folder, tmp_path / "a.npz")


def test_a_missing_package_is_named(tmp_path, monkeypatch):
    run = drawn_run(tmp_path, {**classifier(tmp_path, np.random.default_rng(2)), "model": MODEL})
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ConfigError, match=r"needs the package onnx: pip install 'lstm-cli\[onnx\]'"):
        lstm_cli.export_run(run.folder, tmp_path / "a.onnx")
