import json
import shutil
from pathlib import Path

import pytest

from lstm_cli.config import config_from_mapping, load_config
from lstm_cli.errors import CheckpointError, ConfigError, DataError
from lstm_cli.run.names import ENVIRONMENT, RESOLVED
from lstm_cli.run.origin import Origin, check_files, config_of, origin_of
from tests.support.runs import small, train, write_data


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with a config in a folder of its own, data beside it, and a run elsewhere."""
    folder = tmp_path_factory.mktemp("origin")
    (folder / "configs").mkdir()
    write_data(folder)
    data = {"train": "../gestures.jsonl", "inputs": ["x"], "target": "y", "valid": 0.25}
    (folder / "configs" / "mine.yaml").write_text(json.dumps(small(data=data)))
    train(load_config(folder / "configs" / "mine.yaml", ["train.epochs=1"]), folder / "runs" / "mine")
    return folder


@pytest.fixture
def copied(trained, tmp_path):
    return shutil.copytree(trained / "runs" / "mine", tmp_path / "copied")


def recorded(run, value):
    content = json.loads((run / ENVIRONMENT).read_text())
    (run / ENVIRONMENT).write_text(json.dumps({**content, "config": value}))


def test_a_run_finds_its_config_and_data_again(trained, copied, monkeypatch):
    monkeypatch.chdir(copied)
    config = config_of(copied)
    assert config.train.epochs == 1, "an override of the first start was lost"
    assert config.source.folder == trained / "configs"
    assert config.source.resolve(config.data.train).samefile(trained / "gestures.jsonl")
    assert config.source.name == "mine"
    assert config.source.text == (trained / "configs" / "mine.yaml").read_text()
    check_files(copied, config)


def test_overrides_apply_to_the_runs_own_config(trained, copied):
    assert config_of(copied, ["train.epochs=7"]).train.epochs == 7
    with pytest.raises(ConfigError, match=r"^command line: train\.epochs=many: got 'many', expected"):
        config_of(copied, ["train.epochs=many"])


def test_a_config_without_a_file_has_the_folder_only(tmp_path, monkeypatch):
    write_data(tmp_path)
    monkeypatch.chdir(tmp_path)
    train(config_from_mapping(small(train={"epochs": 1})), tmp_path / "run")
    assert origin_of(tmp_path / "run") == Origin(None, str(tmp_path))
    check_files(tmp_path / "run", config_of(tmp_path / "run"))


@pytest.mark.parametrize(
    ("split", "message"),
    [
        (
            "train",
            r"copied: the data of this run has moved: data\.train: .*gestures\.jsonl: no such file: restore it, or",
        ),
        ("valid", r"copied: \*\.jsonl: no file matches this pattern, .*; or"),
    ],
)
def test_data_that_has_moved_is_named(copied, tmp_path, split, message):
    recorded(copied, {"path": None, "folder": str(tmp_path / "gone" / "configs")})
    config = config_of(copied)
    check_files(copied, config, ["valid", "test"])  # a share and nothing: no files
    if split == "valid":
        config = config_of(copied, ["data.valid='*.jsonl'"])
    with pytest.raises(DataError, match=rf"{message} give a file$"):
        check_files(copied, config, [split], otherwise="give a file")


def test_an_earlier_versions_run_says_what_to_give(copied):
    content = json.loads((copied / ENVIRONMENT).read_text())
    del content["config"]
    (copied / ENVIRONMENT).write_text(json.dumps(content))
    with pytest.raises(CheckpointError, match=r"an earlier version trained this run, .*: give a config$"):
        config_of(copied, otherwise="give a config")


@pytest.mark.parametrize(
    "value", [7, [], {}, {"path": None}, {"path": 7, "folder": "/"}, {"path": None, "folder": "/\0"}, {"folder": None}]
)
def test_a_damaged_record_is_named(copied, value):
    recorded(copied, value)
    with pytest.raises(CheckpointError, match=r"environment\.json: damaged: "):
        config_of(copied)


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff", b"[" * 100_000])
def test_a_damaged_file_is_named(copied, content):
    (copied / ENVIRONMENT).write_bytes(content)
    with pytest.raises(CheckpointError, match=r"environment\.json: damaged: "):
        config_of(copied)


def test_an_edited_config_is_refused(copied):
    path = copied / RESOLVED
    path.write_text(path.read_text().replace("pool: last", "pool: max"))
    with pytest.raises(CheckpointError, match="not what the checkpoint was trained with"):
        config_of(copied)


@pytest.mark.parametrize(("inner", "hint"), [("best", r" \(did you mean .*copied\?\)"), ("elsewhere", "")])
def test_a_folder_without_run_names_the_one_meant(copied, inner, hint):
    with pytest.raises(CheckpointError, match=f"contains no run: expected a folder that lstm-train wrote{hint}$"):
        config_of(copied / inner)


def test_a_misspelled_run_is_suggested(copied, monkeypatch):
    with pytest.raises(CheckpointError, match=r"copid: contains no run.*\(did you mean .*copied\?\)"):
        config_of(copied.with_name("copid"))
    shutil.copytree(copied, copied.parent / "runs" / "lab")
    monkeypatch.chdir(copied.parent)
    for given in ("lab", "lab.yaml"):
        with pytest.raises(CheckpointError, match=r"contains no run.*\(did you mean runs/lab\?\)"):
            config_of(Path(given))


def test_a_resumed_run_records_where_its_config_is_now(trained, copied, tmp_path):
    (tmp_path / "moved").mkdir()
    shutil.copy(trained / "gestures.jsonl", tmp_path)
    config = shutil.copy(trained / "configs" / "mine.yaml", tmp_path / "moved" / "new.yaml")
    before = json.loads((copied / ENVIRONMENT).read_text())
    train(load_config(config, ["train.epochs=1"]), copied, resume=True)
    after = json.loads((copied / ENVIRONMENT).read_text())
    assert after.pop("config") == {"path": str(tmp_path / "moved" / "new.yaml"), "folder": str(tmp_path / "moved")}
    assert after == {name: value for name, value in before.items() if name != "config"}
