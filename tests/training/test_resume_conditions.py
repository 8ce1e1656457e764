"""What a run can be resumed from and with: another config or version, other data, states that are gone or damaged."""

import shutil
import signal
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytensor
import pytest

from lstm_cli.api import train_run
from lstm_cli.config import config_from_mapping
from lstm_cli.errors import CheckpointError, ConfigError, DataError, Interrupted
from lstm_cli.optim.build import build
from lstm_cli.optim.recipes import RECIPES
from lstm_cli.run.checkpoint import load
from lstm_cli.run.config_changes import compare_configs
from lstm_cli.run.names import BEST, LAST
from lstm_cli.training.events import StepDone
from tests.support.crash import damage
from tests.support.runs import DROPS, SMALL, Watcher, Whole, assert_same, small_config, train, watched, write_data


def test_a_finished_run_continues_with_more_epochs(whole: Whole) -> None:
    """As if it had had them from the start, where the schedule does not depend on the number of steps."""
    changes = {"model": DROPS, "train": {"epochs": 2, "schedule": "constant"}}
    more = {**changes, "train": {**changes["train"], "epochs": 4}}
    run = whole.new()
    train(small_config(whole.folder, **changes), run)
    train(small_config(whole.folder, **more), run, resume=True)
    assert_same(run, whole.of("more epochs", more))
    assert "changed since the run was started: train.epochs: 2 -> 4" in (run / "train.log").read_text()
    assert "epochs: 4" in (run / "resolved.yaml").read_text()


def test_changes_are_taken_or_refused_key_by_key(whole: Whole) -> None:
    run = whole.new()
    train(small_config(whole.folder), run)
    kept = {path: path.read_bytes() for path in run.rglob("*") if path.is_file() and not path.name.startswith(".")}
    refused = {"seed": 7, "model": {"layers": [5], "dropout": 0.1}, "train": {"batch_size": 4, "epochs": 9}}
    with pytest.raises(ConfigError) as caught:
        train(small_config(whole.folder, **refused), run, resume=True)
    assert str(caught.value).splitlines() == [
        f"{run}: cannot be resumed with these keys changed:",
        "  model.dropout: 0.3 -> 0.1",
        "  model.layers.0.dropout: 0.3 -> 0.1",
        "  model.layers.0.size: 4 -> 5",
        "  seed: 1 -> 7",
        "  train.batch_size: 3 -> 4",
        f"give these keys their old values, or start a new run with -o: --from {run} starts it from the weights "
        "of this one",
    ]
    assert caught.value.exit_code == 2
    assert {path: path.read_bytes() for path in kept} == kept
    allowed = {"optimizer": {"learning_rate": 0.5}, "train": {"patience": 3, "epochs": 4}}
    assert train(small_config(whole.folder, **allowed), run, resume=True).of(StepDone)
    log = (run / "train.log").read_text()
    for change in ("optimizer.learning_rate: 0.005 -> 0.5", "train.epochs: 3 -> 4", "train.patience: 150 -> 3"):
        assert f"changed since the run was started: {change}\n" in log


def state_names(optimizer: dict[str, Any]) -> list[str]:
    flat, gradient = pytensor.shared(np.zeros(3)), pytensor.tensor.vector()
    settings = config_from_mapping({"data": {"train": "a.csv", "target": "y"}, "optimizer": optimizer})
    return list(build(settings.optimizer, flat, gradient, pytensor.tensor.scalar(), [("W", 0, 3)]).state)


OTHER_VALUES = {"nesterov": (False, True), "clip_norm": (None, 1.0), "clip_norm_each": (None, 1.0),
                "clip_value": (None, 1.0), "weight_decay": (0.0, 0.1), "momentum": (0.0, 0.9)}  # fmt: skip


@pytest.mark.parametrize("name", RECIPES)
def test_no_change_of_an_optimizer_that_is_taken_changes_what_it_keeps(tmp_path: Path, name: str) -> None:
    whole = small_config(tmp_path, optimizer=name)
    for key in type(whole.optimizer).model_fields.keys() - {"name", "nesterov", "rates"}:
        values = [{"name": name, key: value} for value in OTHER_VALUES.get(key, (0.25, 0.5))]
        configs = [small_config(tmp_path, optimizer=value).model_dump(mode="json") for value in values]
        kept = [state_names(value) for value in values]
        for old, new in ((0, 1), (1, 0)):
            changes = compare_configs(configs[old], configs[new])
            assert len(changes.allowed) + len(changes.refused) == 1
            assert bool(changes.allowed) == (kept[old] == kept[new]), key


@pytest.mark.parametrize(("old", "new"), [(0.0, 0.9), (0.9, 0.0)])
def test_momentum_cannot_be_taken_up_or_left(whole: Whole, old: float, new: float) -> None:
    run = whole.new()
    train(small_config(whole.folder, optimizer={"name": "sgd", "momentum": old}), run)
    with pytest.raises(ConfigError, match=rf"\n  optimizer.momentum: {old} -> {new}\n") as caught:
        train(small_config(whole.folder, optimizer={"name": "sgd", "momentum": new}), run, resume=True)
    assert caught.value.exit_code == 2
    assert f"momentum: {old}" in (run / "resolved.yaml").read_text()


def test_momentum_can_be_changed(whole: Whole) -> None:
    run = whole.new()
    train(small_config(whole.folder, optimizer={"name": "sgd", "momentum": 0.9}), run)
    more = {"optimizer": {"name": "sgd", "momentum": 0.5}, "train": {"epochs": 4}}
    assert train(small_config(whole.folder, **more), run, resume=True).of(StepDone)


SCHEDULES = ["constant", "cosine", "linear", "exponential", "plateau"]


@pytest.mark.parametrize(("old", "new"), [*pairwise(SCHEDULES), *pairwise(reversed(SCHEDULES))])
def test_another_schedule_is_taken(whole: Whole, old: str, new: str) -> None:
    run = whole.new()
    train(small_config(whole.folder, train={"schedule": old}), run)
    assert train(small_config(whole.folder, train={"schedule": new, "epochs": 4}), run, resume=True).of(StepDone)


@pytest.mark.parametrize("name", ["metrics.jsonl", "train.log"])
def test_a_resumed_run_writes_through_no_link(whole: Whole, name: str) -> None:
    run = whole.new()
    train(small_config(whole.folder), run)
    elsewhere = (run / name).rename(run.with_name(f"elsewhere-{name}"))
    (run / name).symlink_to(elsewhere)
    before = elsewhere.read_bytes()
    with pytest.raises(ConfigError, match=f"^{run}/{name}: a symbolic link, which this tool did not create: "):
        train(small_config(whole.folder, train={"epochs": 4}), run, resume=True)
    assert elsewhere.read_bytes() == before


def test_damaged_metrics_are_reported_and_cost_no_other_line(whole: Whole) -> None:
    run = whole.new()
    train(small_config(whole.folder), run)
    first, _, *rest = lines = (run / "metrics.jsonl").read_bytes().splitlines(keepends=True)
    (run / "metrics.jsonl").write_bytes(b"".join([first, b"\0\0\0\n", *rest]))
    train(small_config(whole.folder, train={"epochs": 4}), run, resume=True)
    assert f"warning: {run}/metrics.jsonl:2: a damaged line: left unchanged" in (run / "train.log").read_text()
    now = (run / "metrics.jsonl").read_bytes().splitlines(keepends=True)
    assert now[:-1] == [first, b"\0\0\0\n", *rest]
    assert len(now) == len(lines) + 1


def test_a_run_of_a_version_that_knew_fewer_keys_continues(whole: Whole) -> None:
    run = whole.new()
    train(small_config(whole.folder), run)
    old = (run / "resolved.yaml").read_text()
    for line in ("  on_long: stop\n", "  residual: false\n", "  patience: 150\n"):
        assert line in old
        old = old.replace(line, "")
    (run / "resolved.yaml").write_text(old)
    train(small_config(whole.folder), run, resume=True)
    assert "changed" not in (run / "train.log").read_text()
    (run / "resolved.yaml").write_text(old.replace("model:", "model: unheard-of: 1", 1))
    with pytest.raises(CheckpointError, match=r"resolved\.yaml: damaged: .*resolved\.yaml:\d+:\d+: not YAML: "):
        train(small_config(whole.folder), run, resume=True)


@pytest.mark.parametrize("sequences", [16, 17, 18])
def test_a_run_is_not_resumed_on_other_data(tmp_path: Path, sequences: int) -> None:
    write_data(tmp_path)
    train(small_config(tmp_path), tmp_path / "run")
    write_data(tmp_path, sequences=sequences)
    if sequences == 17:
        train(small_config(tmp_path), tmp_path / "run", resume=True)
        return
    with pytest.raises(DataError, match=r"the sequences of data.train have changed since the run was started"):
        train(small_config(tmp_path), tmp_path / "run", resume=True)


def test_data_that_has_moved_is_the_same_data(whole: Whole, tmp_path: Path) -> None:
    run, moved = whole.new(), tmp_path / "moved.jsonl"
    with pytest.raises(Interrupted):
        watched(small_config(whole.folder), run, Watcher(7, lambda: signal.raise_signal(signal.SIGINT)))
    shutil.copy(whole.folder / "gestures.jsonl", moved)
    settings = small_config(whole.folder, data={**SMALL["data"], "train": str(moved)})
    train(settings, run, resume=True)
    assert_same(run, whole.of("small", {}))
    assert f"started: data.train: gestures.jsonl -> {moved}\n" in (run / "train.log").read_text()
    moved.write_text(moved.read_text().replace("0.", "1."))
    with pytest.raises(DataError, match=r"the sequences of data.train have changed since the run was started"):
        train(settings, run, resume=True)


def test_a_run_stopped_before_its_first_checkpoint_starts_again(whole: Whole) -> None:
    """As killed while it trains: it has a folder, its config and a line of metrics, but no state."""
    run = whole.new()
    train(small_config(whole.folder), run)
    shutil.rmtree(run / LAST)
    shutil.rmtree(run / BEST)
    train(small_config(whole.folder), run, resume=True)
    assert_same(run, whole.of("small", {}))


def test_a_damaged_last_state_falls_back_to_the_best_with_a_warning(
    whole: Whole, capsys: pytest.CaptureFixture[str]
) -> None:
    changes = {"model": DROPS, "train": {"epochs": 4, "monitor": "valid.accuracy"}}
    run = whole.new()
    train(small_config(whole.folder, **changes), run)
    best, last = (load(run / name).position["step"] for name in (BEST, LAST))
    assert best < last
    damage(run / LAST)
    train_run(small_config(whole.folder, **changes), run, resume=True, verbosity=-1)
    shown = capsys.readouterr().err
    assert f"{run / LAST / 'model.safetensors'}: damaged checkpoint: its SHA-256 is not the one in" in shown
    assert f"continuing from {run / BEST}, step {best}" in shown
    assert_same(run, whole.of("damaged", changes))


def test_no_good_state_is_left(whole: Whole) -> None:
    run = whole.new()
    train(small_config(whole.folder), run)
    damage(run / LAST)
    damage(run / BEST)
    with pytest.raises(CheckpointError) as caught:
        train(small_config(whole.folder), run, resume=True)
    assert caught.value.exit_code == 65
    for name in (LAST, BEST):
        assert f"{run / name / 'model.safetensors'}: damaged" in str(caught.value)
    assert "no good checkpoint is left: start again with --overwrite" in str(caught.value)
