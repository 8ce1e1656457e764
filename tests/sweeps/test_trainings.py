"""Sweeps of real trainings: trials are ordinary runs, whatever is killed."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from safetensors.numpy import load_file

from lstm_cli.api import check, train_run
from lstm_cli.config import load_config
from lstm_cli.errors import CheckpointError, ConfigError
from lstm_cli.predict import load as load_run
from lstm_cli.run.checkpoint import load
from lstm_cli.run.names import LOCK
from lstm_cli.run.sweep import SWEEP as SWEEP_FILE
from tests.support.runs import small, write_data

SPACE = {"model.layers": [[3], [4, 3]], "model.dropout": {"low": 0, "high": 0.4}}
SWEEP = {"trials": 2, "workers": 1, "prune": False, "space": SPACE}
PROGRAM = "from lstm_cli.cli.start import main; main()"


def written(folder, **sweep):
    write_data(folder)
    config = small(train={"epochs": 2}) | {"sweep": {**SWEEP, **sweep}}
    (folder / "c.yaml").write_text(json.dumps(config))
    return folder


def test_a_training_ignores_the_section_and_keeps_no_password(tmp_path):
    written(tmp_path, storage="postgresql://me:secret@host/study")
    train_run(load_config(tmp_path / "c.yaml", ["train.epochs=1"]), tmp_path / "run", verbosity=-1)
    assert "sweep" not in (tmp_path / "run" / "resolved.yaml").read_text()
    assert "postgresql://me:***@host/study" in (tmp_path / "run" / "config.yaml").read_text()
    for path in (tmp_path / "run").rglob("*"):
        assert not path.is_file() or b"secret" not in path.read_bytes(), path


def test_check_and_other_commands_name_a_sweep(tmp_path):
    written(tmp_path)
    assert "sweep: lstm sweep searches model.layers, model.dropout in 2 trials" in " ".join(
        str(check(load_config(tmp_path / "c.yaml"))).split()
    )
    with pytest.raises(ConfigError, match=r"command line: .*: sweep.space: model.dropout=2: got 2, expected"):
        check(load_config(tmp_path / "c.yaml", ["sweep.space={model.dropout: [2]}"]))
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / SWEEP_FILE).write_text("{}")
    with pytest.raises(CheckpointError, match=r"s: holds a sweep: expected one run, such as .*s/best"):
        load_run(tmp_path / "s")


def started(folder, *given):
    command = [sys.executable, "-c", PROGRAM, "sweep", "c.yaml", "-o", "s", *given]
    return subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True)


def wait_for(process, path):
    end = time.monotonic() + 120
    while not path.exists():
        assert process.poll() is None and time.monotonic() < end
        time.sleep(0.05)


def holder(run):
    """The process that trains a run, or has trained it."""
    return json.loads((run / LOCK).read_text() or '{"pid": 0}')["pid"]


def position(run):
    return load(run / "last").position


def ended(process):
    _, errors = process.communicate(timeout=240)
    return process.returncode, errors


@pytest.mark.slow
def test_killed_and_stopped_and_continued_trials_are_those_of_runs_alone(tmp_path):
    """The worker is killed in the first trial, and stopped in the same one once it is continued."""
    pytest.importorskip("optuna", reason="needs optuna: pip install '.[tune]'")
    long = ["train.epochs=100000", "train.patience=null", "train.schedule=constant", "train.checkpoint_every=100 steps"]
    folder, first = written(tmp_path), tmp_path / "s" / "trial-0000"
    killed = started(folder, *long)
    wait_for(killed, first / "last" / "manifest.json")
    before = holder(first)
    killed.kill()
    killed.communicate()
    stopped = started(folder, *long)
    while holder(first) == before:  # its training ends when it next reports
        assert stopped.poll() is None
        time.sleep(0.05)
    at = position(first)["step"]
    while position(first)["step"] == at:  # until the continued trial has saved a state
        assert stopped.poll() is None
        time.sleep(0.05)
    stopped.send_signal(signal.SIGTERM)
    code, errors = ended(stopped)
    assert code == 128 + signal.SIGTERM, errors
    assert "the same command continues" in errors
    done = position(first)["epoch"]
    code, errors = ended(started(folder, f"train.epochs={done + 2}", *long[1:]))
    assert code == 0, errors
    assert "trial-0000: continued: " in errors
    assert "2 trials: 2 trained" in errors
    for trial in json.loads((tmp_path / "s" / "report.json").read_text())["trials"][:1]:
        values = [f"{key}={value}" for key, value in trial["values"].items()]
        alone = load_config(folder / "c.yaml", [f"train.epochs={done + 2}", *long[1:], *values])
        train_run(alone, tmp_path / "alone" / trial["name"], verbosity=-1)
        expected = load_file(tmp_path / "alone" / trial["name"] / "best" / "model.safetensors")
        for name, array in load_file(tmp_path / "s" / trial["name"] / "best" / "model.safetensors").items():
            np.testing.assert_array_equal(array, expected[name])
    assert (tmp_path / "s" / "best" / "best" / "manifest.json").is_file()


@pytest.mark.slow
def test_a_training_that_is_killed_is_one_failed_trial(tmp_path):
    pytest.importorskip("optuna", reason="needs optuna: pip install '.[tune]'")
    folder = written(tmp_path)
    process = started(folder, "train.epochs=300", "train.patience=null")
    first = tmp_path / "s" / "trial-0000"
    wait_for(process, first / "best" / "manifest.json")
    os.kill(holder(first), signal.SIGKILL)
    code, errors = ended(process)
    assert code == 0, errors
    assert "trial-0000: failed: killed by signal 9" in errors
    assert "2 trials: 1 trained, 1 failed" in errors
