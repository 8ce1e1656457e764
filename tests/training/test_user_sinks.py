"""Sinks that users add: what they get, and that one which fails loses nothing."""

import signal
from pathlib import Path
from typing import Any

import pytest

import lstm_cli
from lstm_cli.api import train_run
from lstm_cli.errors import ConfigError, Interrupted
from lstm_cli.run.checkpoint import load
from lstm_cli.run.names import BEST, LAST
from lstm_cli.training.events import CheckpointWritten, Evaluated, Event, Finished, Note, Scoring, Started, StepDone
from tests.support.runs import TIMES, Watcher, Whole, assert_same, metrics, small, small_config, train

CHANGES = {"data": {"test": 3}, "model": {"dropout": 0.3}, "train": {"evaluate_every": "3 steps"}}


class Recorder:
    """Keeps every event; raises an exception at the first event of a kind after a step."""

    def __init__(self, kind: type | None = None, step: int = 0, error: BaseException | None = None) -> None:
        self.events: list[Event] = []
        self.closed = 0
        self._kind, self._step, self._error = kind, step, error

    def __call__(self, event: Event) -> None:
        assert not self.closed
        self.events.append(event)
        if self._kind is not None and isinstance(event, self._kind) and getattr(event, "step", 0) >= self._step:
            raise self._error or ZeroDivisionError("from a sink")

    def close(self) -> None:
        self.closed += 1


def train_with(whole: Whole, folder: Path, *sinks: Any, **options: Any) -> lstm_cli.events.Result:
    return train_run(small_config(whole.folder, **CHANGES), folder, sinks=sinks, verbosity=-1, **options)


def test_a_sink_gets_every_event_once_and_is_closed_at_the_end(whole: Whole) -> None:
    folder, sinks = whole.new(), (Recorder(), Recorder())
    result = train_with(whole, folder, *sinks)
    first, second = (sink.events for sink in sinks)
    assert first == second
    assert [sink.closed for sink in sinks] == [1, 1]
    kinds = [type(event) for event in first if not isinstance(event, Note)]
    assert kinds[0] is Started and kinds[-1] is Finished
    assert next(event for event in first if isinstance(event, Started)).folder == folder == result.folder
    assert [event.step for event in first if isinstance(event, StepDone)] == list(range(1, 13))
    scored = [event for event in first if isinstance(event, Evaluated)]
    assert [entry["loss"] for entry in metrics(folder)] == [event.loss for event in scored]
    assert first.index(scored[0]) > [type(event) for event in first].index(Scoring)


def test_without_a_stream_to_show_progress_on_the_other_sinks_get_all(
    whole: Whole, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a process that was started with standard error closed."""
    monkeypatch.setattr("sys.stderr", None)
    recorder = Recorder()
    train_with(whole, whole.new(), recorder)
    assert isinstance(recorder.events[-1], Finished)


def test_what_an_event_stands_for_is_done_when_a_sink_gets_it(whole: Whole) -> None:
    folder, found = whole.new(), []

    class Reader(Recorder):
        def __call__(self, event: Event) -> None:
            if isinstance(event, Evaluated):
                found.append(len(metrics(folder)))
            if isinstance(event, CheckpointWritten):
                assert load(event.path).position["step"] == event.step

    train_with(whole, folder, Reader())
    assert found == [1, 2, 3, 4, 5]


PLACES = [(StepDone, 5), (Scoring, 3), (Evaluated, 3), (Evaluated, 9), (CheckpointWritten, 6), (CheckpointWritten, 12)]


@pytest.mark.parametrize(("kind", "step"), PLACES)
def test_a_sink_that_fails_ends_the_run_and_loses_nothing(whole: Whole, kind: type, step: int) -> None:
    folder, failing, other = whole.new(), Recorder(kind, step), Recorder()
    with pytest.raises(ZeroDivisionError, match="from a sink"):
        train_with(whole, folder, failing, other)
    assert isinstance(failing.events[-1], kind)
    assert other.events[: len(failing.events)] == failing.events
    assert failing.closed == other.closed == 1
    assert load(folder / LAST).position["step"] >= step
    for event in other.events:
        if isinstance(event, Evaluated) and event.improved:
            assert load(folder / BEST).position["step"] >= event.step
    train_with(whole, folder, resume=True)
    assert_same(folder, whole.of("user sinks", CHANGES))


def test_a_sink_that_fails_after_training_keeps_the_finished_run(whole: Whole) -> None:
    folder, failing = whole.new(), Recorder(Finished)
    with pytest.raises(ZeroDivisionError):
        train_with(whole, folder, failing)
    assert_same(folder, whole.of("user sinks", CHANGES))


def test_a_sink_that_fails_at_the_start_ends_the_run_there(whole: Whole) -> None:
    folder, failing, other = whole.new(), Recorder(Started), Recorder()
    with pytest.raises(ZeroDivisionError):
        train_with(whole, folder, failing, other)
    assert not [event for event in other.events if isinstance(event, StepDone)]
    assert not (folder / LAST).exists()
    train_with(whole, folder, resume=True)
    assert_same(folder, whole.of("user sinks", CHANGES))


def test_what_is_no_exception_ends_the_run_at_its_last_checkpoint(whole: Whole) -> None:
    folder, leaving = whole.new(), Recorder(StepDone, 5, SystemExit(3))
    with pytest.raises(SystemExit):
        train_with(whole, folder, leaving)
    assert leaving.closed == 1
    assert not (folder / LAST).exists()
    assert load(folder / BEST).position["step"] == 3
    train_with(whole, folder, resume=True)
    assert_same(folder, whole.of("user sinks", CHANGES))


def test_sinks_are_closed_where_a_run_is_refused(whole: Whole) -> None:
    folder, sink = whole.new(), Recorder()
    train_with(whole, folder)
    with pytest.raises(ConfigError, match="holds a run"):
        train_with(whole, folder, sink)
    assert (sink.events, sink.closed) == ([], 1)


def test_a_resumed_session_gets_the_evaluations_before_it(whole: Whole) -> None:
    folder, sink = whole.new(), Recorder()
    stopping = Watcher(5, lambda: signal.raise_signal(signal.SIGINT))
    with pytest.raises(Interrupted):
        train_with(whole, folder, stopping)
    before = metrics(folder)
    train_with(whole, folder, sink, resume=True)
    (start,) = [event for event in sink.events if isinstance(event, Started)]
    assert [{name: value for name, value in entry.items() if name not in TIMES} for entry in start.earlier] == before
    assert start.first_step == load(folder / LAST).position["step"] - len(
        [event for event in sink.events if isinstance(event, StepDone)]
    )


def test_the_public_function_takes_sinks(whole: Whole, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(whole.folder)
    sink: lstm_cli.Sink = Recorder()
    result = lstm_cli.train(small(train={"epochs": 1}), run=whole.new(), sinks=[sink], verbosity=-1)
    assert isinstance(sink.events[-1], lstm_cli.events.Finished)
    assert result.scores.keys() == {"valid"}


def test_watching_changes_nothing(whole: Whole) -> None:
    folder = whole.new()
    train(small_config(whole.folder, **CHANGES), folder)
    assert_same(folder, whole.of("user sinks", CHANGES))


def test_a_sink_that_empties_an_event_changes_no_score(whole: Whole) -> None:
    class Vandal(Recorder):
        def __call__(self, event: Event) -> None:
            if isinstance(event, Evaluated):
                event.metrics.clear()  # a dict, though nothing but a Mapping is promised

    assert train_with(whole, whole.new(), Vandal()).scores == train_with(whole, whole.new()).scores


def test_what_stopped_the_run_is_raised_whatever_closing_raises(whole: Whole) -> None:
    class Stuck(Recorder):
        def close(self) -> None:
            super().close()
            raise ValueError("cannot close")

    failed, good = Stuck(StepDone, 5), Stuck()
    with pytest.raises(ZeroDivisionError, match="from a sink"):
        train_with(whole, whole.new(), failed)
    with pytest.raises(ValueError, match="cannot close"):
        train_with(whole, whole.new(), good)
    assert (failed.closed, good.closed) == (1, 1)


def test_the_run_folder_is_a_path_as_text_too_or_that_of_the_configs_name(whole: Whole, monkeypatch) -> None:
    config = small_config(whole.folder, **CHANGES)
    assert train_run(config, str(whole.new()), verbosity=-1).folder.is_dir()
    place = whole.new()
    place.mkdir()
    monkeypatch.chdir(place)
    assert train_run(config, verbosity=-1).folder == Path("runs") / config.source.name
