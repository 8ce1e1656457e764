"""The soak (`python -m tests.benchmarks.soak`): some rounds of it, and that its checks can fail."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lstm_cli.run.checkpoint import load, save
from lstm_cli.run.names import BEST, LAST, METRICS
from tests.benchmarks.soak import checks
from tests.benchmarks.soak.checks import Broken
from tests.benchmarks.soak.commands import Ended
from tests.support.crash import damage
from tests.support.crash_worker import state
from tests.support.paths import ROOT

LINE = '{"step": 4, "epoch": 1, "split": "valid", "seconds": 0.5, "loss": 1.5}\n'


@pytest.fixture
def runs(tmp_path: Path) -> list[Path]:
    """Two equal runs."""
    (tmp_path / "one").mkdir()
    for name in (LAST, BEST):
        save(state(4), tmp_path / "one" / name)
    (tmp_path / "one" / METRICS).write_text(LINE)
    shutil.copytree(tmp_path / "one", tmp_path / "other")
    return [tmp_path / "one", tmp_path / "other"]


def test_equal_runs_are_found_equal(runs: list[Path]) -> None:
    assert checks.differences(*runs) == []
    assert checks.metric_differences(*runs) == []
    assert checks.check_state(runs[0], 4) == 4


@pytest.mark.parametrize("name", [LAST, BEST])
@pytest.mark.parametrize("part", ["model", "optimizer", "carried"])
def test_one_bit_of_a_state_is_found(runs: list[Path], part: str, name: str) -> None:
    found = load(runs[1] / name)
    arrays = dict(getattr(found, part))
    key = sorted(arrays)[0]
    arrays[key] = np.nextafter(arrays[key], np.inf, dtype=arrays[key].dtype)
    save(replace(found, **{part: arrays}), runs[1] / name)
    (difference,) = checks.differences(*runs)
    assert difference.startswith(f"{name}: {part} {key}: ")


def test_what_only_one_run_has_is_found(runs: list[Path]) -> None:
    save(replace(state(4), position={"step": 5, "best": 4.0}), runs[1] / LAST)
    shutil.rmtree(runs[1] / BEST)
    assert checks.differences(*runs) == ["last: position step: 4 and 5", "best: only one run has it"]


@pytest.mark.parametrize("changed", [LINE.replace("1.5", "1.5000000000000002"), "", LINE + LINE])
def test_another_evaluation_is_found(runs: list[Path], changed: str) -> None:
    (runs[1] / METRICS).write_text(changed)
    assert checks.metric_differences(*runs)


def test_metrics_whose_beginning_is_lost_are_compared_from_there(runs: list[Path]) -> None:
    (runs[1] / METRICS).write_text(LINE.replace("4", "2") + LINE)
    assert checks.metric_differences(*runs)
    assert checks.metric_differences(*runs, only_end=True) == []
    (runs[0] / METRICS).write_text(LINE.replace("1.5", "1.4"))
    assert checks.metric_differences(*runs, only_end=True)


def test_a_state_that_is_lost_or_damaged_is_found(runs: list[Path]) -> None:
    with pytest.raises(Broken, match="of step 4, and step 5 was there before"):
        checks.check_state(runs[0], 5)
    damage(runs[0] / BEST)
    with pytest.raises(Broken, match="that no one damaged"):
        checks.check_state(runs[0], 4)


BUSY = "runs/x: in use by process 7 on h since t: wait for it, stop it, or choose another folder with -o\n"
ENDS = {
    "another code": (1, "no\n", "expected one of"),
    "a signal": (-11, "", "expected one of"),
    "a traceback": (75, f"Traceback (most recent call last):\n{BUSY}", "Traceback"),
    "unexpected": (75, f"unexpected KeyError: 'x' (-v shows where; please report it)\n{BUSY}", "unexpected"),
    "a warning of Python": (0, "/lib/x.py:3: UserWarning: beware\n", "UserWarning"),
    "no message": (75, "", "not about that"),
    "another message": (74, BUSY, "not about that"),
    "another signal": (130, "stopped by SIGTERM after step 3; continue with --resume\n", "not about that"),
    "two messages": (75, f"metrics.jsonl: damaged\n{BUSY}", "more to say"),
}


@pytest.mark.parametrize("name", ENDS)
def test_a_wrong_end_is_found(name: str) -> None:
    code, said, message = ENDS[name]
    with pytest.raises(Broken, match=message):
        checks.check_end(Ended("lstm-train", code, "", said, 90), {0, 74, 75, 130}, usual=set())


@pytest.mark.parametrize(("code", "said"), [(75, BUSY), (0, ""), (130, "stopped by SIGINT after step 3; continue\n")])
def test_a_right_end_is_none_to_report(code: int, said: str) -> None:
    checks.check_end(Ended("lstm-train", code, "", said, 90), {0, 75, 130}, usual=set())


def test_a_file_outside_the_run_is_found(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("1")
    before = checks.tree(tmp_path)
    checks.check_untouched(before, checks.tree(tmp_path), "it")
    (tmp_path / "tmp-1").mkdir()
    with pytest.raises(Broken, match="tmp-1"):
        checks.check_untouched(before, checks.tree(tmp_path), "it")


def test_scores_that_are_not_those_of_the_predictions_are_found() -> None:
    checks.check_scores('{"accuracy": 0.75, "loss": 1.5}', {"accuracy": 0.75}, {"accuracy": 0.75, "loss": 1.5})
    with pytest.raises(Broken, match="computed from the predictions"):
        checks.check_scores('{"accuracy": 0.75}', {"accuracy": 0.76}, None)
    with pytest.raises(Broken, match=r"metrics\.jsonl"):
        checks.check_scores('{"loss": 1.5}', {}, {"loss": 1.5000000000000002})


def test_predictions_that_end_early_are_found(tmp_path: Path) -> None:
    (tmp_path / "p.jsonl").write_text('{"prediction": 1}\n{"predic')
    with pytest.raises(Broken, match="end within a line"):
        checks.check_whole(tmp_path / "p.jsonl")


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_some_rounds(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.benchmarks.soak", "--seed", "20", "--rounds", "2", "--minutes", "50"]
    words = [*command, "--folder", str(tmp_path), "--json", str(tmp_path / "counts.json")]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    counts = json.loads((tmp_path / "counts.json").read_text())["counts"]
    assert counts["rounds"] == counts["compared bit for bit"] == 2
    assert counts["processes"] > 10
