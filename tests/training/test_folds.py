"""``lstm-train --folds``: folds are ordinary runs, each as if its key had been typed by hand."""

import json
import signal
import time

import numpy as np
import pytest
from click.testing import CliRunner

import lstm_cli
from lstm_cli.api import train_run
from lstm_cli.cli.group import show as show_command
from lstm_cli.cli.group import train as train_command
from lstm_cli.config import config_from_mapping
from lstm_cli.errors import ConfigError
from lstm_cli.run.checkpoint import load
from lstm_cli.run.ensemble import ENSEMBLE, FOLDS, members, write_members
from lstm_cli.training.members.plan import Plan, folds
from tests.support.data import read_jsonl
from tests.support.folds import predicted, rows_of
from tests.support.runs import assert_same, small, small_config, train, write_data
from tests.support.trainings import started, trains, wait_for, weights


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = write_data(tmp_path_factory.mktemp("folds"))
    (folder / "small.yaml").write_text(json.dumps(small(train={"epochs": 2}, seed=4)))
    return folder


def plan(data, target, count=2, **options):
    return Plan.of(config_from_mapping(small(), data), "a.yaml", [], folds(count), folder=target, **options)


def test_folders_in_which_no_folds_can_be_trained(data, tmp_path):
    write_members(tmp_path, ["fold-1", "fold-2"], kind=FOLDS)
    assert members(tmp_path) == [tmp_path / "fold-1", tmp_path / "fold-2"]
    with pytest.raises(ConfigError, match="holds a cross-validation: continue it with --resume or replace it"):
        plan(data, tmp_path)
    with pytest.raises(ConfigError, match="has 2 folds, not 3: continue it with as many"):
        plan(data, tmp_path, 3, resume=True)
    assert plan(data, tmp_path, resume="auto").resume
    assert len(plan(data, tmp_path, 3, overwrite=True).members) == 3
    with pytest.raises(ConfigError, match="there is no cross-validation to resume"):
        plan(data, tmp_path / "new", resume=True)
    write_members(tmp_path / "new", ["seed-1"], kind=ENSEMBLE)
    with pytest.raises(ConfigError, match="new: holds an ensemble: choose another folder with -o"):
        plan(data, tmp_path / "new", resume=True)


def test_where_a_run_is_needed_folds_are_refused_with_the_name_of_one(tmp_path):
    write_members(tmp_path, ["fold-1", "fold-2"], kind=FOLDS)
    with pytest.raises(ConfigError, match=r"each fold of which is fitted to other data: name one, such as .*/fold-1"):
        lstm_cli.load(tmp_path)
    result = CliRunner().invoke(show_command, [str(tmp_path)])
    assert "holds a cross-validation: expected one run, such as" in result.output


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--seeds", "2"], "--seeds and --folds exclude each other: train several seeds, or several folds"),
        (["--check"], "--folds and --check exclude each other: check the config of one run"),
        (["data.valid=null"], "data.fold=1/2: folds of the training data are held out as data.valid, which is null"),
        (["data.fold=1/3"], "--folds sets data.fold: leave one of them out"),
    ],
)
def test_options_that_exclude_folds(data, options, message):
    result = CliRunner().invoke(train_command, [str(data / "small.yaml"), "--folds", "2", *options])
    assert result.exit_code == 2
    assert message in result.output


@pytest.mark.parametrize("option", ["--folds", "--seeds"])
def test_several_runs_are_not_started_by_several_ranks(data, monkeypatch, option):
    monkeypatch.setenv("PMI_RANK", "0")
    monkeypatch.setenv("PMI_SIZE", "2")
    result = CliRunner().invoke(train_command, [str(data / "small.yaml"), option, "2"])
    assert result.exit_code == 2
    assert f"{option}: cannot be shared by 2 ranks of MPI: start it without mpiexec" in result.output


def test_a_fold_is_resumed_from_its_folder_alone(data, tmp_path):
    config = small_config(data, data={"fold": "2/3"}, train={"epochs": 1, "schedule": "constant"})
    train(config, tmp_path / "parts")
    whole = small_config(data, data={"fold": "2/3"}, train={"epochs": 2, "schedule": "constant"})
    train(whole, tmp_path / "whole")
    with pytest.raises(ConfigError, match=r"data\.fold: 2/3 -> 1/3"):
        train_run(small_config(data, data={"fold": "1/3"}), tmp_path / "parts", resume=True, verbosity=-1)
    given = [str(tmp_path / "parts"), "--resume", "train.epochs=2", "-q"]
    assert CliRunner().invoke(train_command, given).exit_code == 0
    assert_same(tmp_path / "parts", tmp_path / "whole")


@pytest.mark.slow
def test_folds_equal_runs_of_their_keys(data):
    result = trains(data, "small.yaml", "--folds", "3", "-o", "three")
    assert result.returncode == 0, result.stderr
    names = ["fold-1", "fold-2", "fold-3", "folds.json", "out_of_fold.csv"]
    assert sorted(path.name for path in (data / "three").iterdir()) == names
    losses = []
    for number in (1, 2, 3):
        train(small_config(data, seed=4, data={"fold": f"{number}/3"}, train={"epochs": 2}), data / f"alone-{number}")
        assert_same(data / f"alone-{number}", data / "three" / f"fold-{number}")
        entries = read_jsonl(data / "three" / f"fold-{number}" / "metrics.jsonl")
        losses.append(min(entry["loss"] for entry in entries if entry["split"] == "valid"))
    written = json.loads((data / "three" / "folds.json").read_text())
    assert written["scores"]["valid"]["mean"]["loss"] == pytest.approx(np.mean(losses))
    assert written["scores"]["valid"]["deviation"]["loss"] == pytest.approx(np.std(losses, ddof=1))
    assert f"valid loss: {np.mean(losses):.4f} ± {np.std(losses, ddof=1):.4f}" in result.stderr
    rows = rows_of(data / "three" / "out_of_fold.csv")
    given = read_jsonl(data / "gestures.jsonl")
    accuracy = np.mean([a["y"] == b["prediction"] for a, b in zip(given, rows, strict=True)])
    assert written["out_of_fold"]["file"] == "out_of_fold.csv" and written["out_of_fold"]["sequences"] == 17
    assert written["out_of_fold"]["scores"]["accuracy"] == pytest.approx(accuracy)
    assert f"out of fold accuracy: {accuracy:.4f}, of 17 sequences" in result.stderr
    each = [predicted(data / "three" / f"fold-{k}", data / "gestures.jsonl", data / f"p{k}.csv") for k in (1, 2, 3)]
    assert all(row in [rows[place] for rows in each] for place, row in enumerate(rows))
    again = trains(data, "small.yaml", "--folds", "3", "-o", "three")
    assert again.returncode == 2
    assert "three: holds a cross-validation: continue it with --resume or replace it with --overwrite" in again.stderr


@pytest.mark.slow
def test_more_folds_than_sequences_is_said_once(data):
    result = trains(data, "small.yaml", "--folds", "18", "-o", "many")
    assert result.returncode == 2
    assert result.stderr.count("data.fold=1/18: 18 folds of 17 sequences: use at most 17") == 1


@pytest.mark.slow
def test_a_signal_stops_every_fold_and_resuming_changes_nothing(data):
    given = ["small.yaml", "--folds", "2", "train.patience=null", "train.schedule=constant", "-o", "stopped"]
    process = started(data, *given, "train.epochs=1000000")
    wait_for(process, data / "stopped" / "fold-1" / "best" / "manifest.json")
    time.sleep(0.3)
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 128 + signal.SIGTERM, errors
    assert not (data / "stopped" / "out_of_fold.csv").exists()
    stopped = [
        load(run / "last").position["epoch"] for run in (data / "stopped").glob("fold-*") if (run / "last").is_dir()
    ]
    epochs = max(stopped) + 2
    resumed = trains(data, *given, f"train.epochs={epochs}", "--resume")
    assert resumed.returncode == 0, resumed.stderr
    for number in (1, 2):
        how = {"epochs": epochs, "patience": None, "schedule": "constant"}
        whole = data / f"whole-{number}"
        train(small_config(data, seed=4, data={"fold": f"{number}/2"}, train=how), whole)
        for name, array in weights(whole).items():
            np.testing.assert_array_equal(array, weights(data / "stopped" / f"fold-{number}")[name])
    assert len(rows_of(data / "stopped" / "out_of_fold.csv")) == 17
