"""A run in any number of sessions is the run in one, bit for bit."""

import shutil
import signal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_cli.data.batching import whole as whole_sequences
from lstm_cli.errors import Interrupted
from lstm_cli.run.checkpoint import load
from lstm_cli.run.names import BEST, LAST
from lstm_cli.signals import SIGNALS
from lstm_cli.training import checkpointing
from lstm_cli.training.events import CheckpointWritten, Evaluated, Explained, Finished, Scoring, Stopped
from tests.support.runs import (
    DROPS,
    SERIES,
    TEXT,
    Watcher,
    Whole,
    assert_same,
    metrics,
    small_config,
    train,
    train_in_sessions,
    train_with_deaths,
    watched,
)

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
    "lstm, normalised, skips, carried state, text, exponential, checkpoints by epoch": {
        "data": TEXT,
        "model": {"cell": "lstm", "embedding": 3, "layers": [4, 4], "layer_norm": True, "skip": True, **DROPS},
        "optimizer": {"name": "rmsprop", "momentum": 0.5},
        "train": {"schedule": {"name": "exponential", "steps": 5}, "checkpoint_every": "epoch"},
    },
    "gru, carried state, series, accumulation, constant, adadelta": {
        "data": SERIES,
        "model": {"cell": "gru", **DROPS},
        "train": {"accumulate": 2, "batch_size": 2, "schedule": "constant", "evaluate_every": "2 steps"},
    },
    "rnn, conditional random field, no validation data, adagrad, no buckets": {
        "data": {"valid": None, "target": "steps"},
        "model": {"cell": "rnn", "crf": True, **DROPS},
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
# By default every other case is split and the rest dies; all are split in `test_many_splits_into_sessions`.
SPLIT = list(CASES)[::2]
DIES = [pytest.param(name, marks=pytest.mark.slow if name in SPLIT else ()) for name in CASES]
OPTIMIZERS = ["sgd", "adagrad", "adadelta", "rmsprop", "adam", "adamw", "nadam", "lamb", "lars"]
EVENTS = st.lists(st.integers(1, 14), min_size=1, max_size=5)


def check_sessions(whole: Whole, name: str, changes: dict[str, Any], stops: list[int]) -> int:
    run = whole.new()
    sessions = train_in_sessions(small_config(whole.folder, **changes), run, stops)
    assert_same(run, whole.of(name, changes))
    return sessions


@pytest.mark.parametrize("name", SPLIT)
@settings(max_examples=3, deadline=None)
@given(stops=EVENTS)
def test_any_split_into_sessions(whole: Whole, name: str, stops: list[int]) -> None:
    assert check_sessions(whole, name, CASES[name], stops) > 1


@pytest.mark.parametrize("name", DIES)
@settings(max_examples=3, deadline=None)
@given(deaths=EVENTS)
def test_any_deaths(whole: Whole, name: str, deaths: list[int]) -> None:
    """What came after the last state is done again; of the evaluations that were written by then none is left."""
    run = whole.new()
    train_with_deaths(small_config(whole.folder, **CASES[name]), run, deaths)
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
        "optimizer": draw(st.sampled_from(OPTIMIZERS)),
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
    carried = "lstm, normalised, skips, carried state, text, exponential, checkpoints by epoch"
    for name in (carried, "lstm, early stopping"):
        run = whole.new()
        with pytest.raises(Interrupted):
            watched(
                small_config(whole.folder, **CASES[name]), run, Watcher(2, lambda: signal.raise_signal(signal.SIGINT))
            )
        assert bool(load(run / LAST).carried) == ("carried" in name)


@pytest.mark.parametrize("number", [number for number in SIGNALS if number != signal.SIGALRM])  # pytest's own
def test_a_run_that_a_signal_stopped_continues_bit_for_bit(whole: Whole, number: signal.Signals) -> None:
    name = "lstm, dropout, accumulation, cosine, test data"
    watcher, run = Watcher(4, lambda: signal.raise_signal(number)), whole.new()
    with pytest.raises(Interrupted, match=rf"stopped by {number.name} after step \d+; continue with") as caught:
        watched(small_config(whole.folder, **CASES[name]), run, watcher)
    assert caught.value.exit_code == 128 + number
    train(small_config(whole.folder, **CASES[name]), run, resume=True)
    assert_same(run, whole.of(name, CASES[name]))


@pytest.mark.parametrize(("scored", "number"), [(1, signal.SIGINT), (2, signal.SIGUSR1)])
def test_an_evaluation_is_left_half_done_and_done_anew(
    whole: Whole, scored: int, number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whole_sequences, "BATCH_STEPS", 8)  # of the six sequences, some fit into a batch
    changes = {"data": {"valid": 6}, "train": {"batch_size": 2, "evaluate_every": "3 steps", "schedule": "plateau"}}
    watcher, run = Watcher(3 + scored, lambda: signal.raise_signal(number)), whole.new()
    with pytest.raises(Interrupted, match=f"stopped by {number.name} after step 3; continue with --resume"):
        watched(small_config(whole.folder, **changes), run, watcher)
    assert [type(event) for event in watcher.events[3:]] == [Scoring] * scored + [CheckpointWritten, Stopped]
    assert load(run / LAST).position["evaluated_step"] == 0
    assert metrics(run) == []
    train(small_config(whole.folder, **changes), run, resume=True)
    assert_same(run, whole.of("evaluations", changes))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGXCPU])
def test_a_score_on_test_data_that_was_left_is_taken_by_the_resumed_run(
    whole: Whole, number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes, run, scored = {"data": {"test": 3}}, whole.new(), checkpointing.scored

    def asked_to_stop(*args: Any) -> Any:
        signal.raise_signal(number)
        return scored(*args)

    with monkeypatch.context() as patch:
        patch.setattr(checkpointing, "scored", asked_to_stop)
        with pytest.raises(
            Interrupted, match=f"stopped by {number.name} after step 12; continue with --resume"
        ) as caught:
            train(small_config(whole.folder, **changes), run)
    assert caught.value.exit_code == 128 + number
    assert [entry["split"] for entry in metrics(run)] == ["valid"] * 3
    train(small_config(whole.folder, **changes), run, resume=True)
    assert_same(run, whole.of("test data", changes))
    assert metrics(run)[-1]["split"] == "test"


def test_a_finished_run_resumed_unchanged_ends_at_once(whole: Whole) -> None:
    name = "lstm, dropout, accumulation, cosine, test data"
    before, run = whole.of(name, CASES[name]), whole.new()
    shutil.copytree(before, run)
    watcher = Watcher()
    result = watched(small_config(whole.folder, **CASES[name]), run, watcher, resume=True)
    assert [type(event) for event in watcher.events] == [CheckpointWritten, Evaluated, Explained, Finished]
    assert_same(run, before)
    assert result.best_step == load(run / BEST).position["step"]
    assert result.scores.keys() == {"valid", "test"}
    assert result.scores["valid"]["loss"] == load(run / BEST).position["best"]
