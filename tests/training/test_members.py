"""``lstm-train --seeds``: members are ordinary runs, each as if it had been trained alone."""

import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest

from lstm_cli.api import train_run
from lstm_cli.config import config_from_mapping
from lstm_cli.errors import ConfigError
from lstm_cli.run.checkpoint import load
from lstm_cli.run.ensemble import write_members
from lstm_cli.run.names import LOCK
from lstm_cli.training.members.cores import bound, shares
from lstm_cli.training.members.plan import Plan, seeds
from tests.support.data import read_jsonl
from tests.support.runs import small, small_config, write_data
from tests.support.trainings import started, trains, wait_for, weights


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = write_data(tmp_path_factory.mktemp("members"))
    (folder / "small.yaml").write_text(json.dumps(small()))
    return folder


def test_members_equal_runs_of_their_seeds(data):
    result = trains(data, "small.yaml", "--seeds", "2", "-o", "two", "seed=4")
    assert result.returncode == 0, result.stderr
    assert sorted(path.name for path in (data / "two").iterdir()) == ["ensemble.json", "seed-4", "seed-5"]
    for seed in (4, 5):
        alone = data / f"alone-{seed}"
        train_run(small_config(data, seed=seed, data={"split_seed": 4}), alone, verbosity=-1)
        for name, array in weights(data / "two" / f"seed-{seed}").items():
            np.testing.assert_array_equal(array, weights(alone)[name])
    scores = json.loads((data / "two" / "ensemble.json").read_text())["scores"]["valid"]
    losses = []
    for seed in (4, 5):
        entries = read_jsonl(data / "two" / f"seed-{seed}" / "metrics.jsonl")
        losses.append(min(entry["loss"] for entry in entries if entry["split"] == "valid"))
    assert scores["mean"]["loss"] == pytest.approx(np.mean(losses))
    assert scores["deviation"]["loss"] == pytest.approx(np.std(losses, ddof=1))
    assert f"valid loss: {np.mean(losses):.4f} ± {np.std(losses, ddof=1):.4f}" in result.stderr
    again = trains(data, "small.yaml", "--seeds", "2", "-o", "two", "seed=4")
    assert again.returncode == 2
    assert "two: holds an ensemble: continue it with --resume or replace it with --overwrite" in again.stderr


def test_what_is_wrong_with_the_data_is_said_once(data):
    result = trains(data, "small.yaml", "--seeds", "3", "-o", "bad", "data.target=nothing")
    assert result.returncode == 2
    assert result.stderr.count("the data has no column nothing") == 1
    assert "seed-1: " in result.stderr and "seed-2" not in result.stderr
    assert "bad: 1 training of 3 failed: seed-1 (exit code 2)" in result.stderr


@pytest.mark.slow
def test_a_config_on_standard_input(data):
    result = trains(data, "-", "--seeds", "2", "-o", "piped", text=json.dumps(small(train={"epochs": 1})))
    assert result.returncode == 0, result.stderr
    assert (data / "piped" / "seed-2" / "best" / "manifest.json").is_file()


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_every_member_and_resuming_changes_nothing(data, number):
    name = f"stopped-{number}"
    given = ["small.yaml", "--seeds", "2", "train.patience=null", "train.schedule=constant", "-o", name]
    process = started(data, *given, "train.epochs=1000000")
    wait_for(process, data / name / "seed-1" / "best" / "manifest.json")
    process.send_signal(number)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 128 + number, errors
    assert "after every run had saved its state; --resume continues them" in errors
    stopped = [load(run / "last").position["epoch"] for run in (data / name).glob("seed-*") if (run / "last").is_dir()]
    epochs = max(stopped) + 2
    resumed = trains(data, *given, f"train.epochs={epochs}", "--resume")
    assert resumed.returncode == 0, resumed.stderr
    for seed in (1, 2):
        whole = data / f"whole-{number}-{seed}"
        how = {"epochs": epochs, "patience": None, "schedule": "constant"}
        train_run(small_config(data, seed=seed, data={"split_seed": 1}, train=how), whole, verbosity=-1)
        for key, array in weights(whole).items():
            np.testing.assert_array_equal(array, weights(data / name / f"seed-{seed}")[key])


@pytest.mark.slow
def test_a_member_that_is_killed_is_named_and_the_others_are_trained(data):
    given = ["small.yaml", "--seeds", "2", "-o", "killed", "train.epochs=200", "train.patience=null"]
    process = started(data, *given)
    wait_for(process, data / "killed" / "seed-1" / "best" / "manifest.json")
    os.kill(json.loads((data / "killed" / "seed-1" / LOCK).read_text())["pid"], signal.SIGKILL)
    _, errors = process.communicate(timeout=240)
    assert process.returncode == 1
    assert "killed: 1 training of 2 failed: seed-1 (killed by signal 9)" in errors
    assert (data / "killed" / "seed-2" / "report.html").is_file()
    assert trains(data, *given, "--resume").returncode == 0


def plan(folder, target, **options):
    config = config_from_mapping(small(), folder)
    return Plan.of(config, "small.yaml", [], seeds(config, 2), folder=target, **options)


def test_folders_in_which_no_ensemble_can_be_trained(data, tmp_path):
    train_run(small_config(data, train={"epochs": 1}), tmp_path / "run", verbosity=-1)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "notes.txt").write_text("mine")
    (tmp_path / "file").write_text("")
    for name, message in {
        "run": "holds a single run",
        "run/best": "belongs to the run",
        "other": "contains other files and no ensemble",
        "file": "exists and is no folder",
    }.items():
        with pytest.raises(ConfigError, match=message):
            plan(data, tmp_path / name)
    with pytest.raises(ConfigError, match="there is no ensemble to resume"):
        plan(data, tmp_path / "new", resume=True)
    assert not plan(data, tmp_path / "auto", resume="auto").folder.joinpath("ensemble.json").exists()


def test_where_one_run_is_needed_an_ensemble_is_refused_with_the_name_of_one(data, tmp_path):
    (tmp_path / "five").mkdir()
    write_members(tmp_path / "five", ["seed-3", "seed-4"])
    with pytest.raises(ConfigError, match=r"five: holds an ensemble: expected one run, such as .*five/seed-3"):
        train_run(small_config(data, train={"init_from": str(tmp_path / "five")}), tmp_path / "new", verbosity=-1)


@pytest.mark.parametrize("count", [1, 2, 5, 100])
def test_processors_are_shared_out_whole(count):
    found = shares(count)
    processors = [processor for share in found for processor in share]
    assert 1 <= len(found) <= count
    assert len(set(processors)) == len(processors)
    if hasattr(os, "sched_getaffinity"):
        assert set(processors) == os.sched_getaffinity(0)


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="processes cannot be bound to processors here")
def test_only_what_is_started_inside_is_bound():
    before = os.sched_getaffinity(0)
    one = sorted(before)[:1]
    ask = [sys.executable, "-c", "import os; print(*os.sched_getaffinity(0))"]
    with bound(one):
        assert subprocess.check_output(ask, text=True).split() == [str(one[0])]
    assert os.sched_getaffinity(0) == before
