"""How long a run is: what ``auto`` stands for, and the note on runs that are short."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lstm_cli.config import config_from_mapping
from lstm_cli.data.batching import auto
from lstm_cli.data.batching.auto import batch_size_for, epochs_for
from lstm_cli.engine.memory import open_checked_data
from lstm_cli.insight.run_record import run_record
from lstm_cli.run.checkpoint import load
from lstm_cli.run.names import LAST, RESOLVED
from lstm_cli.training.check import check
from lstm_cli.training.events import Finished
from lstm_cli.training.reopened import ended
from lstm_cli.training.session import build_job
from tests.support.runs import SERIES, Whole, small_config, train, train_in_sessions

AUTO = {"batch_size": "auto", "epochs": "auto"}


@pytest.mark.parametrize(("count", "size"), [(1, 8), (300, 8), (400, 16), (500, 16), (1000, 32), (10**9, 32)])
def test_a_batch_is_smaller_where_an_epoch_would_have_few_updates(count: int, size: int) -> None:
    assert batch_size_for(count) == size


@pytest.mark.parametrize(("each", "epochs"), [(1, 500), (20, 75), (100, 15), (200, 10), (500, 5), (10**6, 3)])
def test_there_are_more_epochs_where_they_have_few_updates(each: int, epochs: int) -> None:
    assert epochs_for(each, smooth=False) == epochs


@pytest.mark.parametrize(("each", "epochs"), [(1, 500), (20, 200), (100, 40), (10**6, 3)])
def test_what_has_hardly_any_noise_is_trained_for_longer(each: int, epochs: int) -> None:
    assert epochs_for(each, smooth=True) == epochs


@pytest.mark.parametrize(
    ("changes", "counted"),
    [
        ({}, 13),  # of 17 sequences a quarter is held out
        ({"data": SERIES}, 14),  # the 68 first of 90 steps, in windows of 5, the last of them short
        ({"data": SERIES | {"carry_state": False, "stride": 2}}, 34),
        ({"train": {"accumulate": 2}}, 13),
    ],
)
def test_auto_counts_sequences_or_windows(whole: Whole, changes: dict[str, Any], counted: int) -> None:
    train = {**changes.get("train", {}), **AUTO}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(auto, "_PER_EPOCH", counted / 8)
        config = small_config(whole.folder, **changes | {"train": train})
        job = build_job(open_checked_data(config))
    assert job.batches.batch_size == 8
    each = -(-job.batches.count(0) // config.train.accumulate)
    assert (job.length.each, job.length.epochs) == (each, epochs_for(each, smooth=False))
    assert job.length.updates == each * job.length.epochs


def test_a_smooth_series_is_trained_for_longer(tmp_path: Path) -> None:
    lengths = {}
    for name, noise in (("smooth", 0.0), ("noisy", 1.0)):
        draw = np.random.default_rng(1).normal(size=300)
        values = np.sin(np.arange(300) / 20) + noise * draw
        (tmp_path / f"{name}.csv").write_text("\n".join(["a", *map(str, values)]) + "\n")
        data = {"train": f"{name}.csv", "inputs": ["a"], "target": "next", "valid": None, "window": 10}
        config = config_from_mapping({"threads": 1, "data": data, "train": {"monitor": "train.loss"}}, tmp_path)
        lengths[name] = build_job(open_checked_data(config)).length
    assert {name: (length.each, length.epochs) for name, length in lengths.items()} == {
        "smooth": (4, 500),  # 4,000 updates would be more than 500 epochs
        "noisy": (4, 375),
    }


def test_auto_is_the_run_with_the_numbers_and_resumes(whole: Whole, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auto, "_LONGEST", 6)
    runs = [whole.new() for _ in range(3)]
    given = small_config(whole.folder, train={"batch_size": 8, "epochs": 6})
    chosen = small_config(whole.folder, train=AUTO)
    train(given, runs[0])
    train(chosen, runs[1])
    assert train_in_sessions(chosen, runs[2], [5, 9]) == 3
    weights = [(run / LAST / "model.safetensors").read_bytes() for run in runs]
    assert weights[0] == weights[1] == weights[2]
    assert "epochs: auto" in (runs[1] / RESOLVED).read_text()


def test_a_folder_says_how_an_automatic_run_ended(whole: Whole, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auto, "_LONGEST", 2)
    run, config = whole.new(), small_config(whole.folder, train=AUTO)
    train(config, run)
    assert load(run / LAST).position["epochs"] == 2
    assert ended(run, config) == Finished(step=4, epoch=2)
    (run / "report.json").unlink()
    assert run_record(run).state == "finished"
    longer = small_config(whole.folder, train={**AUTO, "epochs": 3})
    train(longer, run, resume=True)
    assert ended(run, longer) == Finished(step=6, epoch=3)


def notes(whole: Whole, **changes: Any) -> str:
    """The notes of `lstm check` on the length of a run."""
    found = check(small_config(whole.folder, **changes)).notes
    return "\n".join(note for note in found if "updates in all" in note)


def test_few_updates_are_reported_with_what_to_change(whole: Whole) -> None:
    assert notes(whole) == (
        "train: 15 updates in all, often too few to learn from: set train.epochs to 100 or more, of 5 updates each, "
        "or a smaller train.batch_size: a batch has up to 3 now"
    )
    assert "or a smaller train.accumulate" in notes(whole, train={"accumulate": 2})
    assert "or a smaller train.batch_steps: " in notes(whole, train={"batch_steps": 30, "batch_size": None})
    series = {"train": "series.csv", "inputs": ["a"], "target": "next", "valid": 0.25}
    assert notes(whole, data=series).endswith("epochs to 500 or more, of 1 update each, or data.window, to learn from "
                                              "parts of a long sequence")  # fmt: skip
    assert notes(whole, data=SERIES, train={"batch_size": 1}).endswith(
        "set train.epochs to 36 or more, of 14 updates each"
    )
    assert notes(whole, train={"epochs": 99}) != ""
    assert notes(whole, train={"epochs": 100}) == ""


def test_the_note_is_in_the_log_of_a_run(whole: Whole) -> None:
    run = whole.new()
    train(small_config(whole.folder), run)
    assert (run / "train.log").read_text().count("15 updates in all") == 1
