"""The warm-up of short jobs: the default leaves time to train, and one that does not is reported."""

from pathlib import Path
from typing import Any

import pytest

import lstm_cli
from lstm_cli.training.check import check
from tests.support.paths import ROOT
from tests.support.runs import Whole, small_config, train

GESTURES = ROOT / "data" / "gestures"


def accuracy_on_few(folder: Path, **schedule: Any) -> float:
    """The accuracy of a short job, as a mean over three seeds: 60 recordings, as the README says to begin."""
    lines = (GESTURES / "train.jsonl").read_text().splitlines(keepends=True)
    (folder / "few.jsonl").write_text("".join(lines[:60]))
    settings = {
        "data": {"train": folder / "few.jsonl", "inputs": ["acceleration"], "target": "gesture",
                 "test": GESTURES / "test.jsonl"},
        "model": {"layers": [64], "dropout": 0.2},
        "optimizer": {"name": "adam", "learning_rate": 0.003},
        "train": {"epochs": 30, **schedule},
    }  # fmt: skip
    runs = [{**settings, "seed": seed} for seed in (1, 2, 3)]
    results = [lstm_cli.train(run, run=folder / "run", overwrite=True, verbosity=-1) for run in runs]
    return sum(result.scores["test"]["accuracy"] for result in results) / 3


@pytest.mark.slow
def test_a_short_job_is_not_all_warm_up(tmp_path: Path) -> None:
    """Measured: 0.61 by default, 0.46 with a warm-up of 200, which is longer than the 60 updates."""
    long = {"schedule": {"name": "cosine", "warmup": 200}}
    assert accuracy_on_few(tmp_path) > accuracy_on_few(tmp_path, **long)


NOTES = {
    "longer than the run": (200, "warmup: 200 updates, of 15 in the whole run: set it to auto (0 here), or"),
    "just more than half": (8, "warmup: 8 updates, of 15 in the whole run: set it to auto (0 here), or"),
    "just less than half": (7, None),
    "auto": ("auto", None),
}


@pytest.mark.parametrize("name", NOTES)
def test_a_warm_up_that_fills_the_run_is_reported(whole: Whole, name: str) -> None:
    warmup, note = NOTES[name]
    settings = small_config(whole.folder, train={"schedule": {"name": "linear", "warmup": warmup}})
    run = whole.new()
    train(settings, run)
    for text in ((run / "train.log").read_text(), " ".join(str(check(settings)).split())):
        assert ("in the whole run" in text) == (note is not None)
        assert note is None or note in text
