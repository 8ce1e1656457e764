"""What a resumed run may change: nothing of what was done, and of what follows only what the new value says."""

import json
import os
import shutil
import signal
import zlib
from pathlib import Path
from typing import Any

import pytest

from lstm_cli.config import Config, config_from_mapping
from lstm_cli.config.grammar import resume_rules
from lstm_cli.engine.memory import open_checked_data
from lstm_cli.engine.threads import in_use, physical_cores
from lstm_cli.errors import ConfigError, Interrupted
from lstm_cli.run.checkpoint import load
from lstm_cli.run.earlier_defaults import with_earlier_defaults
from lstm_cli.run.names import LAST
from lstm_cli.training import checkpointing
from lstm_cli.training.events import StepDone
from lstm_cli.training.session import build_job
from tests.support.data import read_jsonl
from tests.support.process import started, write_endless_config
from tests.support.runs import Watcher, Whole, small, small_config, train, watched

STOPPED = 11  # events of the first session: in the middle of an epoch
SGD = {"name": "sgd", "momentum": 0.5}
LINEAR = {"name": "linear", "warmup": 6}
EXPONENTIAL = {"name": "exponential", "steps": 9}
PLATEAU = {"name": "plateau", "patience": 0}
# The key, what the run began with, the new value.
CASES: list[tuple[str, dict[str, Any], Any]] = [
    ("threads", {}, 2),
    ("track", {}, ["tensorboard"]),
    ("data.on_error", {}, "skip"),
    ("optimizer.learning_rate", {}, 0.25),
    ("optimizer.weight_decay", {}, 0.1),
    ("optimizer.clip_norm", {}, None),
    ("optimizer.clip_norm_each", {}, 1.0),
    ("optimizer.clip_value", {}, 1.0),
    ("optimizer.epsilon", {}, 1e-3),
    ("optimizer.rho", {"optimizer": "adadelta"}, 0.5),
    ("optimizer.beta1", {"optimizer": "adam"}, 0.5),
    ("optimizer.beta2", {"optimizer": "adam"}, 0.5),
    ("optimizer.momentum", {"optimizer": SGD}, 0.9),
    ("optimizer.nesterov", {"optimizer": SGD}, True),
    ("train.epochs", {}, 5),
    ("train.epochs", {"train": {"schedule": LINEAR}}, 5),
    ("train.epochs", {}, 1),
    ("train.patience", {}, None),
    ("train.patience", {}, 7),
    ("train.evaluate_every", {}, "2 steps"),
    ("train.evaluate_every", {}, "2 epochs"),
    ("train.checkpoint_every", {}, "2 steps"),
    ("train.on_nonfinite", {}, "skip"),
    ("train.max_nonfinite", {}, 3),
    ("train.schedule.name", {}, "linear"),
    ("train.schedule.name", {"train": {"schedule": PLATEAU}}, "constant"),
    ("train.schedule.warmup", {}, 12),
    ("train.schedule.warmup", {"train": {"schedule": LINEAR}}, "auto"),
    ("train.schedule.final", {}, 0.5),
    ("train.schedule.decay", {"train": {"schedule": EXPONENTIAL}}, 0.5),
    ("train.schedule.steps", {"train": {"schedule": EXPONENTIAL}}, 3),
    ("train.schedule.factor", {"train": {"schedule": PLATEAU}}, 0.9),
    ("train.schedule.patience", {"train": {"schedule": PLATEAU}}, 5),
]
# Of the data: tests/training/test_resume_conditions.py, test_large_data.py.
MOVED = {"data.train", "data.valid", "data.test", "data.cache"}


def changed(folder: Path, before: dict[str, Any], key: str, value: Any) -> Config:
    """Return a config with one key set. A new schedule keeps no key of the old one."""
    place = "train.schedule" if key == "train.schedule.name" else key
    return config_from_mapping(small(**before), folder, [f"{place}={json.dumps(value)}"])


def stopped(whole: Whole, changes: dict[str, Any]) -> Path:
    """Return a copy of a run that was stopped after some updates, which is trained once."""
    first, run = whole.folder / f"stopped-{zlib.crc32(repr(changes).encode())}", whole.new()
    if not first.exists():
        watcher = Watcher(STOPPED, lambda: signal.raise_signal(signal.SIGINT))
        with pytest.raises(Interrupted):
            watched(small_config(whole.folder, **changes), first, watcher)
    shutil.copytree(first, run)
    return run


def learning_rates(config: Config) -> list[float]:
    """Return the learning rate of every update of a run with a config from start to end."""
    job, rates = build_job(open_checked_data(config)), []
    for _ in range(job.length.updates):
        rates.append(job.learning_rate)
        job.progress.step += 1
    return rates


def param(case: tuple[str, dict[str, Any], Any]) -> Any:
    key, _, value = case
    quick = key.startswith("train.") or key == "optimizer.learning_rate"  # what the schedule depends on
    return pytest.param(*case, id=f"{key} {value}", marks=() if quick else pytest.mark.slow)


@pytest.mark.parametrize(("key", "before", "value"), [param(case) for case in CASES])
def test_a_change_concerns_only_what_follows(whole: Whole, key: str, before: dict[str, Any], value: Any) -> None:
    run = stopped(whole, before)
    done, entries = load(run / LAST).position, read_jsonl(run / "metrics.jsonl")
    assert 0 < done["batch"] and entries
    new = changed(whole.folder, before, key, value)
    watcher = train(new, run, resume=True)
    assert read_jsonl(run / "metrics.jsonl")[: len(entries)] == entries
    assert f"changed since the run was started: {key}: " in (run / "train.log").read_text()
    expected = learning_rates(new)[done["step"] :]
    updates = watcher.of(StepDone)
    assert [update.step for update in updates] == [done["step"] + k + 1 for k in range(len(expected))]
    if new.train.schedule.name != "plateau":
        assert [update.learning_rate for update in updates] == expected
    assert load(run / LAST).position["step"] == done["step"] + len(expected)


def test_every_key_that_may_change_is_in_the_table(whole: Whole) -> None:
    for _, before, _ in CASES:
        config = small_config(whole.folder, **before).model_dump(mode="json")
        assert resume_rules(config).keys() <= {key for key, _, _ in CASES} | MOVED


def test_the_number_of_batches_in_an_update_may_not_change(whole: Whole) -> None:
    """It gives the schedule another length: the rest of a run would train at a learning rate of 0."""
    run = stopped(whole, {})
    with pytest.raises(ConfigError, match=r"\n  train.accumulate: 1 -> 2\ngive these keys their old values, or"):
        train(small_config(whole.folder, train={"accumulate": 2}), run, resume=True)


@pytest.mark.parametrize("name", ["threads", "lanes"])
def test_another_machine_is_named(whole: Whole, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    run, now = stopped(whole, {}), in_use()
    monkeypatch.setattr(checkpointing, "in_use", lambda: {**now, name: 3})
    train(small_config(whole.folder), run, resume=True)
    told = f"warning: the last bits of results will differ: {name} {now[name]} -> 3\n"
    assert (run / "train.log").read_text().count(told) == 1
    assert load(run / LAST).identity["machine"] == {**now, "ranks": 1, name: 3}


def test_a_checkpoint_that_knows_no_machine_is_no_warning(whole: Whole, monkeypatch: pytest.MonkeyPatch) -> None:
    run = whole.new()
    with monkeypatch.context() as patch:
        patch.setattr(checkpointing, "in_use", dict)  # as earlier versions wrote it
        train(small_config(whole.folder), run)
    train(small_config(whole.folder, train={"epochs": 4}), run, resume=True)
    assert "the last bits" not in (run / "train.log").read_text()


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system cannot bind a process to cores")
@pytest.mark.skipif(physical_cores() < 2, reason="this process may use one core only")
def test_a_run_resumed_on_fewer_cores_says_so(tmp_path: Path) -> None:
    """A real one, bound to one of its cores as by taskset."""
    config, run, cores = write_endless_config(tmp_path), tmp_path / "run", os.sched_getaffinity(0)
    options = ["threads=auto", "train.epochs=2"]
    with started(config, run, *options) as first:
        assert first.end() == 0
    os.sched_setaffinity(0, {min(cores)})
    try:
        with started(config, run, *options, "train.epochs=3", "--resume", LSTM_CLI_LANES="4") as second:
            assert second.end() == 0
    finally:
        os.sched_setaffinity(0, cores)
    assert f"warning: the last bits of results will differ: threads {physical_cores()} -> 1\n" in second.said
    assert f"warning: the last bits of results will differ: lanes {in_use()['lanes']} -> 4\n" in second.said


EARLIER = {
    "model": {"layers": [128, 128]},
    "optimizer": {"name": "adadelta"},
    "train": {"epochs": 50, "batch_size": 32, "patience": 10},
}


def test_a_run_keeps_the_defaults_of_its_version_where_the_config_sets_none(whole: Whole) -> None:
    data = small(**EARLIER)["data"]
    before = config_from_mapping({"data": data, **EARLIER}, whole.folder)
    plain = with_earlier_defaults(config_from_mapping({"data": data}, whole.folder), before)
    assert plain.model_dump() == before.model_dump()
    own = {"data": data, "optimizer": {"learning_rate": 0.5}, "train": {"epochs": 60}}
    found = with_earlier_defaults(config_from_mapping(own, whole.folder, ["train.batch_size=4"]), before)
    assert (found.optimizer.name, found.optimizer.learning_rate) == ("adadelta", 0.5)
    assert (found.train.epochs, found.train.batch_size, found.train.patience) == (60, 4, 10)
    set_by_user = config_from_mapping({"data": data, **EARLIER, "train": {"epochs": 7}}, whole.folder)
    other = with_earlier_defaults(config_from_mapping({"data": data}, whole.folder), set_by_user)
    assert other.train.epochs == Config.model_validate({"data": data}).train.epochs  # the default, as 7 was none
    short = config_from_mapping({"data": data, "optimizer": "sgd"}, whole.folder)
    assert with_earlier_defaults(short, before).optimizer == short.optimizer
