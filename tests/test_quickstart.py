"""What the README begins with, for a few steps, through the commands that an installation has."""

import json
import os
import subprocess
import sys
import tomllib

import pytest

from tests.support.data import read_jsonl
from tests.support.paths import ROOT

COMMANDS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]


def run_command(command, *args):
    """Run a command as its script does; return what it wrote to standard output and standard error."""
    module, function = COMMANDS[command].split(":")
    script = f"import sys; from {module} import {function}; sys.argv[0] = {command!r}; {function}()"
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", script, *map(str, args)], env=environment, cwd=ROOT, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


@pytest.fixture(scope="module")
def quickstart(tmp_path_factory):
    folder = tmp_path_factory.mktemp("quickstart") / "run"
    output, messages = run_command("lstm-train", "configs/quickstart.yaml", "train.epochs=2", "-o", folder)
    return folder, output, messages


def test_training_reports_its_progress_on_standard_error(quickstart):
    folder, output, messages = quickstart
    assert output == ""
    assert "epoch 2, step 20" in messages and "test: loss" in messages
    assert {path.name for path in folder.iterdir()} >= {"best", "last", "metrics.jsonl", "report.html", "train.log"}


def test_predictions_and_scores(quickstart):
    output, messages = run_command("lstm-predict", quickstart[0], "data/gestures/test.jsonl")
    rows = [json.loads(line) for line in output.splitlines()]
    assert (len(rows), messages) == (100, "")
    scores, _ = run_command("lstm-predict", quickstart[0], "data/gestures/test.jsonl", "--evaluate")
    given = read_jsonl(ROOT / "data/gestures/test.jsonl")
    right = sum(row["prediction"] == label["gesture"] for row, label in zip(rows, given, strict=True))
    assert json.loads(scores)["accuracy"] == pytest.approx(right / 100)


def test_check_writes_nothing():
    before = set(ROOT.iterdir())
    output, _ = run_command("lstm", "train", "configs/quickstart.yaml", "--check")
    assert "LSTM of 32 units, 3 inputs" in output and "padding" in output
    assert set(ROOT.iterdir()) == before
