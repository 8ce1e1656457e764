"""Several workers in one folder, and what a terminal shows; with stand-ins for trainings."""

import io
import re
import subprocess
import sys
import time

import pytest

pytest.importorskip("optuna", reason="needs optuna: pip install '.[tune]'")

from lstm_cli.run.metrics_log import read_entries
from lstm_cli.run.sweep import trial_name
from lstm_cli.sweeps import run
from lstm_cli.sweeps.shown import Shown
from tests.support.paths import ROOT
from tests.support.sweeps import standin, swept


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_terminal_has_a_bar_over_all_trials(tmp_path, monkeypatch):
    monkeypatch.setattr(run, "train_command", standin(0.3, epochs=6))
    terminal = Terminal()
    shown = Shown(terminal, quiet=False)
    swept(tmp_path, shown, trials=2)
    shown.close()
    assert re.search(r"0 of 2 trials, [12] training +\d+%\|", terminal.getvalue())
    assert "trial-0001: model.dropout=0.4194" in terminal.getvalue()


def test_quiet_shows_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(run, "train_command", standin())
    terminal = Terminal()
    swept(tmp_path, Shown(terminal, quiet=True), trials=1)
    assert terminal.getvalue() == ""


def started(command, log):
    with log.open("w") as file:
        return subprocess.Popen(command, cwd=ROOT, stderr=file)


@pytest.mark.slow
def test_two_workers_in_one_folder_of_which_one_is_killed(tmp_path):
    command = [sys.executable, "-m", "tests.support.sweep_worker", tmp_path / "both", "6", "0.5"]
    logs = [tmp_path / f"{name}.log" for name in ("first", "second")]
    workers = [started(command, log) for log in logs]
    end = time.monotonic() + 120
    while not all(re.search(r"trial-\d+: model", log.read_text()) for log in logs):
        assert all(worker.poll() is None for worker in workers) and time.monotonic() < end
        time.sleep(0.05)
    workers[1].kill()
    workers[1].wait()
    assert workers[0].wait(120) == 0, logs[0].read_text()
    lost = re.findall(r"(trial-\d+): model", logs[1].read_text())[-1]
    assert f"{lost}: continued: model.dropout=" in logs[0].read_text()
    found = swept(tmp_path / "both", trials=6)
    assert [trial.state for trial in found.trials] == ["trained"] * 6
    for trial in found.trials:
        entries = read_entries(tmp_path / "both" / "s" / trial_name(trial.number) / "metrics.jsonl")
        assert sorted({entry["epoch"] for entry in entries}) == [1, 2, 3, 4]
