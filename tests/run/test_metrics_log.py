"""The evaluations of a run, as its log has them."""

import json
import math

import pytest

from lstm_cli.run.metrics_log import best_entry, damage, read_entries


@pytest.mark.parametrize(
    ("monitor", "best"), [("valid.loss", 1), ("valid.accuracy", 2), ("valid.rmse.x", None), ("train.loss", 3)]
)
def test_the_best_entry_is_that_of_the_monitored_score(monitor, best):
    """The first of ties; the loss of the training stands beside the scores of the validation data."""
    rows = [(1, 0.25, 0.5, 0.75), (2, 0.5, 1.0, 0.5), (3, 0.25, 1.0, 0.25), (4, None, None, None)]
    names = ("step", "loss", "accuracy", "train_loss")
    entries = [dict(zip(names, row, strict=True), split="valid") for row in rows]
    entries.append({"step": 2, "split": "test", "loss": 0.0, "accuracy": 2.0})
    found = best_entry(monitor, entries)
    assert (found and found["step"]) == best
    alone = [{"step": step, "split": "train", "loss": loss, "train_loss": loss} for step, loss in ((1, 0.5), (2, 0.25))]
    assert best_entry("train.loss", alone) is alone[1]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("step", 10**400),
        ("loss", 10**400),
        ("seconds", math.inf),
        ("seconds", None),
        ("accuracy", math.nan),
        ("loss", ...),
    ],
)
def test_a_line_that_no_run_writes_is_damaged(tmp_path, name, value):
    entry = {"step": 1, "epoch": 1, "split": "valid", "seconds": 0.5, "loss": None, "accuracy": 0.5}
    other = {key: given for key, given in {**entry, name: value}.items() if given is not ...}
    path = tmp_path / "metrics.jsonl"
    path.write_text("".join(json.dumps(each) + "\n" for each in (other, entry)))
    assert read_entries(path) == [entry]
    assert damage(path)[0].startswith(f"{path}:1: a damaged line")
