"""A run in any number of sessions is the run in one, bit for bit."""

import shutil
import signal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_cli.checkpoint import BEST, LAST, load
from lstm_cli.errors import CheckpointError, ConfigError, DataError, Interrupted
from lstm_cli.training import keeper
from lstm_cli.training.events import CheckpointWritten, Evaluated, Finished, Scoring, StepDone
from lstm_cli.training.run import train_run
from tests.training.runs import (
    SERIES,
    TEXT,
    Watcher,
    assert_same,
    config,
    metrics,
    train,
    train_in_sessions,
    train_with_deaths,
    watched,
    write_data,
)

DROPS = {"dropout": 0.3, "recurrent_dropout": 0.25}
CASES: dict[str, dict[str, Any]] = {
    "lstm, dropout, accumulation, cosine, test data": {
        "data": {"test": 3},
        "model": {"cell": "lstm", "layers": [4, 3], **DROPS},
        "optimizer": {"name": "adam", "learning_rate": 0.03},
        "train": {"accumulate": 2, "schedule": {"name": "cosine", "warmup": 3}, "batch_size": 2},
    },
    "gru, plateau, evaluation by steps, batches by steps": {
        "model": {"cell": "gru", "initial_state": "learned", **DROPS},
        "optimizer": {"name": "sgd", "learning_rate": 0.5, "momentum": 0.9},
        "train": {
            "batch_size": None,
            "batch_steps": 10,
            "evaluate_every": "3 steps",
            "schedule": {"name": "plateau", "patience": 0, "factor": 0.5},
        },
    },
    "rnn, both directions, attention, linear, checkpoints by steps": {
        "model": {"cell": "rnn", "bidirectional": True, "pool": "attention", **DROPS},
        "optimizer": "nadam",
        "train": {"schedule": {"name": "linear", "warmup": 2}, "checkpoint_every": "2 steps"},
    },
    "lstm, carried state, text, exponential, checkpoints by epoch": {
        "data": TEXT,
        "model": {"cell": "lstm", "embedding": 3, "layers": [4, 4], **DROPS},
        "optimizer": {"name": "rmsprop", "momentum": 0.5},
        "train": {"schedule": {"name": "exponential", "steps": 5}, "checkpoint_every": "epoch"},
    },
    "gru, carried state, series, accumulation, constant, adadelta": {
        "data": SERIES,
        "model": {"cell": "gru", **DROPS},
        "train": {"accumulate": 2, "batch_size": 2, "schedule": "constant", "evaluate_every": "2 steps"},
    },
    "rnn, no validation data, adagrad, no buckets": {
        "data": {"valid": None, "target": "steps"},
        "model": {"cell": "rnn", **DROPS},
        "optimizer": "adagrad",
        "train": {"bucket": False, "monitor": "train.loss"},
    },
    "lstm, two threads, large enough to be shared": {
        "threads": 2,
        "model": {"cell": "lstm", "layers": [96, 96], "bidirectional": True, **DROPS},
        "optimizer": {"name": "adam", "learning_rate": 0.01},
        "train": {"batch_size": 16, "epochs": 6},
    },
    "lstm, early stopping": {
        "model": {"cell": "lstm", **DROPS},
        "optimizer": {"name": "adamw", "learning_rate": 0.5},
        "train": {"epochs": 30, "patience": 2, "monitor": "valid.accuracy", "evaluate_every": "3 steps"},
    },
}
EVENTS = st.lists(st.integers(1, 14), min_size=1, max_size=5)


class Whole:
    """Runs in one session, each done once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        write_data(folder)
        self._count = 0
        self._done: dict[str, Path] = {}

    def new(self) -> Path:
        self._count += 1
        return self.folder / f"run-{self._count}"

    def of(self, name: str, changes: dict[str, Any]) -> Path:
        if name not in self._done:
            self._done[name] = self.new()
            train(config(self.folder, **changes), self._done[name])
        return self._done[name]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    return Whole(tmp_path_factory.mktemp("whole"))


def check_sessions(whole: Whole, name: str, changes: dict[str, Any], stops: list[int]) -> int:
    run = whole.new()
    sessions = train_in_sessions(config(whole.folder, **changes), run, stops)
    assert_same(run, whole.of(name, changes))
    return sessions


@pytest.mark.parametrize("name", CASES)
@settings(max_examples=3, deadline=None)
@given(stops=EVENTS)
def test_any_split_into_sessions(whole: Whole, name: str, stops: list[int]) -> None:
    assert check_sessions(whole, name, CASES[name], stops) > 1


@pytest.mark.parametrize("name", CASES)
@settings(max_examples=3, deadline=None)
@given(deaths=EVENTS)
def test_any_deaths(whole: Whole, name: str, deaths: list[int]) -> None:
    """What came after the last state is done again; of the evaluations that were written by then none is left."""
    run = whole.new()
    train_with_deaths(config(whole.folder, **CASES[name]), run, deaths)
    assert_same(run, whole.of(name, CASES[name]))


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
@settings(max_examples=25, deadline=None)
@given(stops=EVENTS)
def test_many_splits_into_sessions(whole: Whole, name: str, stops: list[int]) -> None:
    assert check_sessions(whole, name, CASES[name], stops) > 1


@st.composite
def changes(draw: st.DrawFn) -> dict[str, Any]:
    windows = {**SERIES, "carry_state": False}
    data = draw(st.sampled_from([{}, {"target": "steps"}, {"valid": None}, TEXT, SERIES, windows]))
    return {
        "data": {"test": draw(st.sampled_from([None, 0.2])), **data},
        "model": {
            "cell": draw(st.sampled_from(["lstm", "gru", "rnn"])),
            "layers": draw(st.sampled_from([[4], [3, 2]])),
            "dropout": draw(st.sampled_from([0.0, 0.5])),
            "recurrent_dropout": draw(st.sampled_from([0.0, 0.5])),
            "bidirectional": "window" not in data and draw(st.booleans()),
            "initial_state": draw(st.sampled_from(["learned", "zeros"])),
        },
        "optimizer": draw(st.sampled_from(["sgd", "adagrad", "adadelta", "rmsprop", "adam", "adamw", "nadam"])),
        "train": {
            "accumulate": draw(st.integers(1, 3)),
            "bucket": draw(st.booleans()),
            "batch_size": draw(st.integers(1, 4)),
            "schedule": draw(st.sampled_from(["constant", "cosine", "linear", "exponential", "plateau"])),
            "patience": draw(st.sampled_from([None, 1, 2])),
            "monitor": "train.loss" if data.get("valid", 1) is None else "valid.loss",
            "evaluate_every": draw(st.sampled_from(["epoch", "2 epochs", "3 steps"])),
            "checkpoint_every": draw(st.sampled_from(["epoch", "1 steps", "5 steps", "10min"])),
        },
    }


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(changes=changes(), stops=EVENTS)
def test_any_config_in_sessions(whole: Whole, changes: dict[str, Any], stops: list[int]) -> None:
    assert check_sessions(whole, str(changes), changes, stops) >= 1  # a short run may end before the first stop


def test_the_cases_do_what_their_names_say(whole: Whole) -> None:
    positions = {name: load(whole.of(name, changes) / LAST).position for name, changes in CASES.items()}
    assert positions["lstm, early stopping"]["epoch"] < 30
    assert positions["gru, plateau, evaluation by steps, batches by steps"]["schedule"]["factor"] < 1
    for name in ("lstm, carried state, text, exponential, checkpoints by epoch", "lstm, early stopping"):
        run = whole.new()
        with pytest.raises(Interrupted):
            watched(config(whole.folder, **CASES[name]), run, Watcher(2, lambda: signal.raise_signal(signal.SIGINT)))
        assert bool(load(run / LAST).carried) == ("carried" in name)


@pytest.mark.parametrize("scored", [1, 2])
def test_an_evaluation_is_left_half_done_and_done_anew(whole: Whole, scored: int) -> None:
    changes = {"data": {"valid": 6}, "train": {"batch_size": 2, "evaluate_every": "3 steps", "schedule": "plateau"}}
    watcher, run = Watcher(3 + scored, lambda: signal.raise_signal(signal.SIGINT)), whole.new()
    with pytest.raises(Interrupted, match="stopped by SIGINT after step 3; continue with --resume"):
        watched(config(whole.folder, **changes), run, watcher)
    assert [type(event) for event in watcher.events[3:]] == [Scoring] * scored + [CheckpointWritten]
    assert load(run / LAST).position["evaluated_step"] == 0
    assert metrics(run) == []
    train(config(whole.folder, **changes), run, resume=True)
    assert_same(run, whole.of("evaluations", changes))


def test_a_score_on_test_data_that_was_left_is_taken_by_the_resumed_run(
    whole: Whole, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes, run, evaluate = {"data": {"test": 3}}, whole.new(), keeper.evaluate

    def asked_to_stop(*args: Any) -> Any:
        signal.raise_signal(signal.SIGTERM)
        return evaluate(*args)

    with monkeypatch.context() as patch:
        patch.setattr(keeper, "evaluate", asked_to_stop)
        with pytest.raises(Interrupted, match="stopped by SIGTERM after step 12; continue with --resume") as caught:
            train(config(whole.folder, **changes), run)
    assert caught.value.exit_code == 143
    assert [entry["split"] for entry in metrics(run)] == ["valid"] * 3
    train(config(whole.folder, **changes), run, resume=True)
    assert_same(run, whole.of("test data", changes))
    assert metrics(run)[-1]["split"] == "test"


def test_a_finished_run_resumed_unchanged_ends_at_once(whole: Whole) -> None:
    name = "lstm, dropout, accumulation, cosine, test data"
    before, run = whole.of(name, CASES[name]), whole.new()
    shutil.copytree(before, run)
    watcher = Watcher()
    result = watched(config(whole.folder, **CASES[name]), run, watcher, resume=True)
    assert [type(event) for event in watcher.events] == [CheckpointWritten, Evaluated, Finished]
    assert_same(run, before)
    assert result.best_step == load(run / BEST).position["step"]
    assert result.scores.keys() == {"valid", "test"}
    assert result.scores["valid"]["loss"] == load(run / BEST).position["best"]


def test_a_finished_run_goes_on_with_more_epochs(whole: Whole) -> None:
    """It is as if there had been so many from the start, where the schedule does not look at the end."""
    changes = {"model": DROPS, "train": {"epochs": 2, "schedule": "constant"}}
    more = {**changes, "train": {**changes["train"], "epochs": 4}}
    run = whole.new()
    train(config(whole.folder, **changes), run)
    train(config(whole.folder, **more), run, resume=True)
    assert_same(run, whole.of("more epochs", more))
    assert "changed since the run was started: train.epochs: 2 -> 4" in (run / "train.log").read_text()
    assert "epochs: 4" in (run / "resolved.yaml").read_text()


def test_changes_are_taken_or_refused_key_by_key(whole: Whole) -> None:
    run = whole.new()
    train(config(whole.folder), run)
    kept = {path: path.read_bytes() for path in run.rglob("*") if path.is_file() and not path.name.startswith(".")}
    refused = {"seed": 7, "model": {"layers": [5], "dropout": 0.1}, "train": {"batch_size": 4, "epochs": 9}}
    with pytest.raises(ConfigError) as caught:
        train(config(whole.folder, **refused), run, resume=True)
    assert str(caught.value).splitlines() == [
        f"{run}: cannot be resumed with another model, other data or another seed:",
        "  model.dropout: 0.3 -> 0.1",
        "  model.layers.0.dropout: 0.3 -> 0.1",
        "  model.layers.0.size: 4 -> 5",
        "  seed: 1 -> 7",
        "  train.batch_size: 3 -> 4",
        "give these keys their old values, or start a new run with -o",
    ]
    assert caught.value.exit_code == 2
    assert {path: path.read_bytes() for path in kept} == kept
    allowed = {"optimizer": {"learning_rate": 0.5}, "train": {"patience": 3, "epochs": 4}}
    assert train(config(whole.folder, **allowed), run, resume=True).of(StepDone)
    log = (run / "train.log").read_text()
    for change in ("optimizer.learning_rate: 1.0 -> 0.5", "train.epochs: 3 -> 4", "train.patience: 10 -> 3"):
        assert f"changed since the run was started: {change}\n" in log


def test_a_run_of_a_version_that_knew_fewer_keys_goes_on(whole: Whole) -> None:
    run = whole.new()
    train(config(whole.folder), run)
    old = (run / "resolved.yaml").read_text()
    for line in ("  on_long: stop\n", "  residual: false\n", "  patience: 10\n"):
        assert line in old
        old = old.replace(line, "")
    (run / "resolved.yaml").write_text(old)
    train(config(whole.folder), run, resume=True)
    assert "changed" not in (run / "train.log").read_text()
    (run / "resolved.yaml").write_text(old[:200] + "unheard-of: 1\n")
    with pytest.raises(ConfigError, match=r"resolved\.yaml:\d+:\d+: "):
        train(config(whole.folder), run, resume=True)


@pytest.mark.parametrize("sequences", [16, 17, 18])
def test_a_run_is_not_resumed_on_other_data(tmp_path: Path, sequences: int) -> None:
    write_data(tmp_path)
    train(config(tmp_path), tmp_path / "run")
    write_data(tmp_path, sequences=sequences)
    if sequences == 17:
        train(config(tmp_path), tmp_path / "run", resume=True)
        return
    with pytest.raises(DataError, match=r"the sequences of data.train have changed since the run was started"):
        train(config(tmp_path), tmp_path / "run", resume=True)


def test_a_run_stopped_before_its_first_checkpoint_starts_again(whole: Whole) -> None:
    """As killed while it trains: it has a folder, its config and a line of metrics, but no state."""
    run = whole.new()
    train(config(whole.folder), run)
    shutil.rmtree(run / LAST)
    shutil.rmtree(run / BEST)
    train(config(whole.folder), run, resume=True)
    assert_same(run, whole.of("small", {}))


def damage(run: Path, name: str) -> None:
    path = run / name / "model.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def test_a_damaged_last_state_falls_back_to_the_best_with_a_warning(
    whole: Whole, capsys: pytest.CaptureFixture[str]
) -> None:
    changes = {"model": DROPS, "train": {"epochs": 4, "monitor": "valid.accuracy"}}
    run = whole.new()
    train(config(whole.folder, **changes), run)
    best, last = (load(run / name).position["step"] for name in (BEST, LAST))
    assert best < last
    damage(run, LAST)
    train_run(config(whole.folder, **changes), run, resume=True, verbosity=-1)
    told = capsys.readouterr().err
    assert f"{run / LAST / 'model.safetensors'}: damaged checkpoint: its SHA-256 is not the one in" in told
    assert f"going on from {run / BEST}, step {best}" in told
    assert_same(run, whole.of("damaged", changes))


def test_no_good_state_is_left(whole: Whole) -> None:
    run = whole.new()
    train(config(whole.folder), run)
    damage(run, LAST)
    damage(run, BEST)
    with pytest.raises(CheckpointError) as caught:
        train(config(whole.folder), run, resume=True)
    assert caught.value.exit_code == 65
    for name in (LAST, BEST):
        assert f"{run / name / 'model.safetensors'}: damaged" in str(caught.value)
    assert "no good checkpoint is left: start again with --overwrite" in str(caught.value)
