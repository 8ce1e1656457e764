"""`lstm-train RUN --resume` and `--resume=auto`: a run continues with what its folder holds and says."""

import json
import re
import shutil
import signal

import pytest

import lstm_cli
from lstm_cli.config import load_config
from lstm_cli.errors import CheckpointError, ConfigError, DataError, Interrupted
from lstm_cli.run.checkpoint import load
from lstm_cli.run.names import CONFIG, LAST, LOCK, LOG
from tests.support.runs import Watcher, assert_same, small, train, watched, write_data
from tests.support.worlds import world_config, write_world


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with data, a config of two epochs, and its finished run."""
    folder = write_data(tmp_path_factory.mktemp("folder"))
    (folder / "mine.yaml").write_text(json.dumps(small(train={"epochs": 2})))
    train(load_config(folder / "mine.yaml"), folder / "whole")
    return folder


def stopped(folder, run):
    """A run that a signal stopped after a few events."""
    watcher = Watcher(3, lambda: signal.raise_signal(signal.SIGTERM))
    with pytest.raises(Interrupted):
        watched(load_config(folder / "mine.yaml"), run, watcher)
    return run


def resumed(given, *overrides, resume=True, **options):
    return lstm_cli.train(given, overrides, resume=resume, verbosity=-1, **options)


def test_a_folder_continues_exactly(folder, tmp_path, monkeypatch):
    run = stopped(folder, tmp_path / "run")
    monkeypatch.chdir(tmp_path)
    resumed("run")
    assert_same(run, folder / "whole")
    assert (run / CONFIG).read_text() == (folder / "mine.yaml").read_text()


def test_keys_may_change(folder, tmp_path):
    run = shutil.copytree(folder / "whole", tmp_path / "run")
    resumed(run, "train.epochs=3")
    assert load(run / LAST).position["epoch"] == 3
    assert "changed since the run was started: train.epochs: 2 -> 3" in (run / LOG).read_text()
    with pytest.raises(ConfigError, match=r"cannot be resumed with these keys changed:\n  model\.layers"):
        resumed(run, "model.layers=[9]")


def test_what_a_folder_cannot_do(folder, tmp_path):
    run = shutil.copytree(folder / "whole", tmp_path / "run")
    with pytest.raises(
        ConfigError, match=r"holds a run, expected a YAML config: give one, or continue .* with --resume"
    ):
        lstm_cli.train(run)
    with pytest.raises(ConfigError, match=r"-o .*other: .*run is continued in its own folder: leave -o out"):
        resumed(run, run=tmp_path / "other")
    with pytest.raises(ConfigError, match=r"best: is a checkpoint of a run \(did you mean .*run\?\)"):
        resumed(run / "best")
    resumed(run, run=tmp_path / "." / "run")


def test_data_that_has_moved_is_named_with_what_to_type(folder, tmp_path):
    moved = shutil.copytree(folder, tmp_path / "moved", ignore=shutil.ignore_patterns("whole"))
    train(load_config(moved / "mine.yaml"), tmp_path / "run")
    (moved / "gestures.jsonl").rename(tmp_path / "gestures.jsonl")
    command = re.escape(f"lstm-train {moved / 'mine.yaml'} -o {tmp_path / 'run'} --resume")
    with pytest.raises(DataError, match=rf"data\.train: .*moved/gestures\.jsonl: no such file: .*{command}$"):
        resumed(tmp_path / "run")


@pytest.mark.slow
def test_a_run_of_an_earlier_version_needs_its_config(folder, tmp_path):
    run = shutil.copytree(folder / "whole", tmp_path / "run")
    environment = json.loads((run / "environment.json").read_text())
    del environment["config"]
    (run / "environment.json").write_text(json.dumps(environment))
    with pytest.raises(CheckpointError, match=r"lstm-train CONFIG\.yaml -o .*run --resume$"):
        resumed(run)
    train(load_config(folder / "mine.yaml"), run, resume=True)
    resumed(run)  # which has recorded where its config is


def test_auto_starts_continues_and_has_nothing_left_to_do(folder, tmp_path):
    config, run = load_config(folder / "mine.yaml"), tmp_path / "run"
    watcher = Watcher(3, lambda: signal.raise_signal(signal.SIGTERM))
    with pytest.raises(Interrupted):
        watched(config, run, watcher, resume="auto")
    train(config, run, resume="auto")
    assert_same(run, folder / "whole")
    train(config, run, resume="auto")
    assert_same(run, folder / "whole")
    assert "nothing left to train: finished: 2 epochs, 10 steps" in (run / LOG).read_text()


def test_auto_starts_in_a_folder_that_a_killed_process_has_only_locked(folder, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / LOCK).touch()
    train(load_config(folder / "mine.yaml"), tmp_path / "run", resume="auto")
    assert_same(tmp_path / "run", folder / "whole")


def test_auto_touches_no_other_folder(folder, tmp_path):
    (tmp_path / "letters").write_text("dear")
    with pytest.raises(ConfigError, match="contains other files and no run"):
        train(load_config(folder / "mine.yaml"), tmp_path, resume="auto")


def test_the_code_of_a_system_is_not_run_from_a_folder_alone(tmp_path):
    world = write_world(tmp_path)
    config = tmp_path / "cart.yaml"
    config.write_text(json.dumps(world_config(world).model_dump(mode="json")))
    train(load_config(config, ["train.epochs=1", "train.patience=null"]), tmp_path / "run")
    with pytest.raises(
        ConfigError, match=r"drives a system, .*: name its config: lstm-train .*cart\.yaml -o .*run --resume$"
    ):
        resumed(tmp_path / "run")
    train(load_config(config, ["train.epochs=1", "train.patience=null"]), tmp_path / "run", resume="auto")
