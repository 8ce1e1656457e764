"""``lstm_cli.train`` and ``lstm_cli.load``: what the commands do, from Python."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import yaml

import lstm_cli
from lstm_cli.config import config_from_mapping, load_config
from lstm_cli.errors import CheckpointError, ConfigError
from tests.support.data import read_jsonl
from tests.support.kinds import MODEL, TRAIN, classifier

SECTIONS = {"model": MODEL, "train": TRAIN, "threads": 1}


@pytest.fixture
def classifier_config(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return {**classifier(tmp_path, np.random.default_rng(1)), **SECTIONS}


def weights(run):
    return lstm_cli.load(run).network.model.parameters.flat.get_value()


def test_a_path_a_mapping_and_a_config_train_the_same(classifier_config, tmp_path):
    (tmp_path / "c.yaml").write_text(yaml.safe_dump(classifier_config))
    given = {
        "path": tmp_path / "c.yaml",
        "text": "c.yaml",
        "mapping": classifier_config,
        "config": load_config("c.yaml"),
    }
    trained = {name: lstm_cli.train(value, run=f"runs/{name}", verbosity=-1) for name, value in given.items()}
    for name, result in trained.items():
        assert result.folder.resolve() == tmp_path / "runs" / name
        np.testing.assert_array_equal(weights(result.folder), weights(trained["path"].folder))
        assert result.scores == trained["path"].scores
    assert trained["path"].scores["test"].keys() == {"loss", "accuracy", "macro_f1"}


def test_overrides_win(classifier_config, tmp_path):
    overrides = ["model.layers=[3]", "train.epochs=2", "seed=4"]
    for number, given in enumerate((classifier_config, config_from_mapping(classifier_config))):
        result = lstm_cli.train(given, overrides, run=f"r{number}", verbosity=-1)
        found = lstm_cli.load(result.folder)
        assert (found.config.model.layers[0].size, found.config.train.epochs, found.config.seed) == (3, 2, 4)
    with pytest.raises(ConfigError, match=r"command line: train.epoch=3: unknown key \(did you mean epochs\?\)"):
        lstm_cli.train(classifier_config, ["train.epoch=3"])


def test_the_run_folder_is_named_after_the_config(classifier_config, tmp_path):
    (tmp_path / "small.yaml").write_text(yaml.safe_dump(classifier_config))
    assert lstm_cli.train("small.yaml", verbosity=-1).folder.resolve() == tmp_path / "runs" / "small"
    assert lstm_cli.train(classifier_config, verbosity=-1).folder.resolve() == tmp_path / "runs" / "config"
    written = yaml.safe_load((tmp_path / "runs" / "config" / "config.yaml").read_text())
    assert written == classifier_config
    with pytest.raises(ConfigError, match="--resume"):
        lstm_cli.train(classifier_config, verbosity=-1)
    assert lstm_cli.train(classifier_config, ["train.epochs=2"], resume=True, verbosity=-1).scores["test"]


def test_a_run_can_be_moved_and_needs_nothing_but_its_folder(classifier_config, tmp_path):
    folder = lstm_cli.train(classifier_config, run="here", verbosity=-1).folder
    rows = read_jsonl(tmp_path / "train.jsonl")
    before = lstm_cli.load(folder).predict(rows)
    (tmp_path / "train.jsonl").unlink()
    folder.rename(tmp_path / "there")
    assert lstm_cli.load(str(tmp_path / "there")).predict(rows) == before


def test_data_frames_are_sequences(loaded):
    """Each frame is one, its rows the steps; a column of the id repeats it."""
    run, draw = loaded("pendulum"), np.random.default_rng(1)
    frame = pd.DataFrame({"run": np.repeat([7, 9], [5, 3]), "a": draw.normal(size=8), "b": draw.normal(size=8)})
    groups = [group for _, group in frame.groupby("run")]
    rows = [{"run": int(group["run"].iloc[0]), **group[["a", "b"]].to_dict("list")} for group in groups]
    assert [row["id"] for row in run.predict(groups)] == [7, 9]
    assert run.predict(groups) == run.predict(rows)
    assert run.forecast(groups, 3) == run.forecast(rows, 3)
    words = ["a", "d", "b"]
    assert loaded("tagger").predict([pd.DataFrame({"words": words})]) == loaded("tagger").predict([{"words": words}])
    for one in (frame, rows[0]):
        with pytest.raises(TypeError, match="expected a list of sequences, got a single one: put it into a list"):
            run.predict(one)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("best/model.safetensors", "model.safetensors"),
        ("scaling.json", "scaling.json: not the file that the checkpoint was trained with"),
        ("vocabulary.json", "vocabulary.json: not the file that the checkpoint was trained with"),
        ("resolved.yaml", "resolved.yaml: damaged: "),
    ],
)
def test_a_damaged_run_is_refused(classifier_config, tmp_path, name, message):
    folder = lstm_cli.train(classifier_config, run="run", verbosity=-1).folder
    content = bytearray((folder / name).read_bytes())
    content[content.index(b"cell:") if name == "resolved.yaml" else len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(CheckpointError, match=message):
        lstm_cli.load(folder)


def test_a_folder_without_a_run_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match="contains no run: expected a folder that lstm-train wrote"):
        lstm_cli.load(tmp_path)


def test_the_package_imports_nothing_heavy():
    script = "import sys, lstm_cli; print(*{'numpy', 'numba', 'pytensor', 'pydantic'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
    assert {"train", "load"} <= set(dir(lstm_cli))
