"""``lstm sweep``, with stand-ins for its trainings: what is searched, stopped, continued, and reported."""

import json
import os
import signal

import pytest

pytest.importorskip("optuna", reason="needs optuna: pip install '.[tune]'")

from lstm_cli.errors import ConfigError, DiskError, Interrupted
from lstm_cli.run.sweep import JOURNAL
from lstm_cli.signals import Signals
from lstm_cli.sweeps import patience, run, storage
from lstm_cli.sweeps.events import Began, Closed
from lstm_cli.sweeps.folder import SweepFolder
from lstm_cli.sweeps.page import remake
from lstm_cli.sweeps.patience import Patience
from lstm_cli.sweeps.run import SweepFailed
from lstm_cli.sweeps.shown import found_text
from lstm_cli.sweeps.storage import journal
from lstm_cli.sweeps.study import Study
from lstm_cli.training.members.processes import Scored
from tests.support.data import read_jsonl
from tests.support.sweeps import config_of, standin, swept


@pytest.fixture(autouse=True)
def trainings(monkeypatch):
    monkeypatch.setattr(run, "train_command", standin())


class Events(list):
    """A listener that keeps the events, and acts on the first of a kind."""

    def __init__(self, kind=None, act=lambda: None):
        self.kind, self.act = kind, act

    def __call__(self, event, sweep):
        self.append(event)
        if self.kind is not None and isinstance(event, self.kind):
            self.kind = None
            self.act()

    def of(self, kind):
        return [event for event in self if isinstance(event, kind)]


def study_of(folder, **sweep):
    from lstm_cli.config.space import space_of

    config = config_of(folder, **sweep)
    described = {"study": "config", "storage": None, "monitor": "valid.loss"}
    return Study(config, space_of(config), SweepFolder.open(folder / "s", described))


def test_a_sweep_finds_the_best_trial_and_continues(tmp_path):
    events = Events()
    found = swept(tmp_path, events)
    assert [trial.state for trial in found.trials] == ["trained"] * 4
    values = [json.loads(trial.values["model.dropout"]) for trial in found.trials]
    assert all(0 <= value <= 0.6 for value in values)
    assert [trial.value for trial in found.trials] == pytest.approx([value + 1 / 4 for value in values])
    assert found.best.value == min(trial.value for trial in found.trials)
    assert found.best.at == {"epoch": 4, "step": 40}
    assert found.best.scores == pytest.approx({e: found.best.value - 1 / 4 + 1 / e for e in (1, 2, 3, 4)})
    assert str((tmp_path / "s" / "best").readlink()) == f"trial-{found.best.number:04d}"
    assert len(events.of(Began)) == 4
    page = (tmp_path / "s" / "report.html").read_text()
    assert remake(tmp_path / "s").read_text() == page
    assert f"best: trial-{found.best.number:04d}: valid loss" in found_text(found, "valid.loss")
    again = Events()
    assert swept(tmp_path, again).trials == found.trials
    assert not again
    more = swept(tmp_path, again, trials=5)
    assert more.trials[:4] == found.trials and len(more.trials) == 5
    assert len(again.of(Began)) == 1


def test_values_follow_from_the_seed_whatever_the_number_of_workers(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    found = [swept(tmp_path / name, workers=count, trials=3) for name, count in (("one", 1), ("two", 2))]
    one, two = ([trial.values for trial in each.trials] for each in found)
    assert one == two
    assert len({value["model.dropout"] for value in one}) == 3


def test_trials_that_are_worse_than_the_median_are_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr(run, "train_command", standin(worse_from=5))
    found = swept(tmp_path, trials=7)
    assert [trial.state for trial in found.trials] == ["trained"] * 5 + ["pruned"] * 2
    assert all(trial.value > 10 and trial.scores for trial in found.trials[5:])
    assert "7 trials: 5 trained, 2 pruned" in found_text(found, "valid.loss")


def test_nothing_is_stopped_early_where_that_is_not_wanted(tmp_path):
    study = study_of(tmp_path, trials=20, prune=False)
    for _ in range(7):
        assert not study.reported(study.next().number, 1, 0.1)
    assert not study.reported(study.next().number, 1, 9.0)


def test_a_trial_that_fails_is_recorded_and_the_sweep_continues(tmp_path):
    found = swept(tmp_path, workers=1, space={"model.dropout": [0.1, 0.9]}, trials=4)
    failed = [trial for trial in found.trials if trial.state == "failed"]
    assert {trial.values["model.dropout"] for trial in failed} == {"0.9"}
    assert {trial.reason for trial in failed} == {"the loss is not finite"}
    assert len(found.trials) == 4
    assert "failed: the loss is not finite" not in found_text(found, "valid.loss")


def test_where_all_fail_before_an_update_the_sweep_ends_with_the_message(tmp_path, monkeypatch):
    def failing(given, keys, folder, events, *options):
        return standin()(given, [*keys, "model.cell=fail"], folder, events, *options)

    monkeypatch.setattr(run, "train_command", failing)
    events = Events()
    with pytest.raises(SweepFailed, match=r"s: the first 3 trials failed before an update: no such data") as caught:
        swept(tmp_path, events, trials=9)
    assert caught.value.exit_code == 1
    assert [event.trial for event in events.of(Closed)] == [None] * 3  # they do not count
    monkeypatch.setattr(run, "train_command", standin())
    assert len(swept(tmp_path, trials=4).trials) == 4


def test_values_that_exclude_each_other_fail_without_a_training(tmp_path):
    space = {"model.dropout": [0.1], "train.batch_size": [8, None], "train.batch_steps": [None, 100]}
    with pytest.raises(ConfigError, match=r"train.batch_size=null: give batch_size or batch_steps"):
        swept(tmp_path, space=space)


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)])
def test_a_signal_stops_every_trial_and_the_same_command_continues(tmp_path, monkeypatch, number):
    monkeypatch.setattr(run, "train_command", standin(0.05))
    events = Events(Scored, lambda: os.kill(os.getpid(), number))
    with pytest.raises(
        Interrupted, match="after every trial had saved its state; the same command continues"
    ) as caught:
        swept(tmp_path, events)
    assert caught.value.exit_code == 128 + number
    stopped = [event.trial for event in events.of(Closed)]
    assert stopped and {trial.state for trial in stopped} == {"stopped"}
    again = Events()
    found = swept(tmp_path, again)
    assert [trial.state for trial in found.trials] == ["trained"] * 4
    continued = [event.trial for event in again.of(Began) if event.trial.again]
    values = {trial.number: trial.values for trial in continued}
    assert values == {trial.number: trial.values for trial in stopped}
    for trial in found.trials:
        epochs = [
            entry["epoch"] for entry in read_jsonl(tmp_path / "s" / f"trial-{trial.number:04d}" / "metrics.jsonl")
        ]
        assert epochs == [1, 2, 3, 4]
        assert len(trial.scores) == 4


def test_a_time_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(run, "train_command", standin(1.0))
    with pytest.raises(SweepFailed, match="the time was over before one was; the same command continues"):
        swept(tmp_path, time="0.2s")
    monkeypatch.setattr(run, "train_command", standin())
    assert swept(tmp_path).stopped == ""


def test_a_trial_of_a_killed_worker_is_continued_and_that_of_a_living_one_is_not(tmp_path):
    first = study_of(tmp_path)
    lost = first.next()
    first.reported(lost.number, 1, 0.5)
    living = study_of(tmp_path)
    with living._folder.working():
        kept = living.next()
        assert (kept.number, kept.again) == (0, True)  # the lock of `first` was never held
        other = study_of(tmp_path)
        assert other.next().number == 1
    assert [trial.state for trial in other.found()] == ["stopped", "stopped"]
    assert other.found()[0].scores == {1: 0.5}


def test_a_trial_of_another_folder_whose_worker_was_killed_is_repeated(tmp_path):
    """As in a database; a journal that is copied stands in for it."""
    first = study_of(tmp_path)
    lost = first.next()
    (tmp_path / "other" / "s").mkdir(parents=True)
    (tmp_path / "other" / "s" / "sweep.json").write_text(
        json.dumps({"id": "b", "study": "config", "storage": None, "monitor": "valid.loss"})
    )
    (tmp_path / "other" / "s" / JOURNAL).write_bytes((tmp_path / "s" / JOURNAL).read_bytes())
    second = study_of(tmp_path / "other")
    taken = second.next()
    assert taken.number == 1 and taken.values == lost.values and not taken.again
    assert [trial.number for trial in second.found()] == [1]  # in place of the other, which does not count


def test_a_journal_whose_last_line_is_incomplete_is_mended(tmp_path):
    swept(tmp_path)
    with (tmp_path / "s" / JOURNAL).open("ab") as file:
        file.write(b'{"op_code": 5, "worker')
    assert len(swept(tmp_path, trials=5).trials) == 5
    lines = (tmp_path / "s" / JOURNAL).read_bytes().splitlines(keepends=True)
    assert all(json.loads(line) and line.endswith(b"\n") for line in lines)
    empty = tmp_path / "empty"
    empty.mkdir()
    (empty / JOURNAL).write_bytes(b'{"op')
    journal(empty).get_all_studies()
    assert (empty / JOURNAL).exists()


def test_another_sweep_is_refused(tmp_path):
    swept(tmp_path, trials=1)
    with pytest.raises(ConfigError, match=r"started with another sweep: model.layers: choose another folder with -o"):
        swept(tmp_path, space={"model.dropout": {"low": 0.0, "high": 0.6}, "model.layers": [[4], [8]]})
    config = config_of(tmp_path).model_copy(update={"precision": "float64"})
    with pytest.raises(ConfigError, match=r"precision: float32 -> float64"):
        run.sweep(config, "c.yaml", [], lambda event, sweep: None, folder=tmp_path / "s")
    for name, content, message in (("other", "notes.txt", "contains other files and no sweep"),):
        (tmp_path / name).mkdir()
        (tmp_path / name / content).write_text("mine")
        with pytest.raises(ConfigError, match=message):
            run.sweep(config_of(tmp_path), "c.yaml", [], lambda event, sweep: None, folder=tmp_path / name)


@pytest.mark.slow
def test_a_database_that_is_not_there_is_said_at_once_without_its_password(tmp_path):
    pytest.importorskip("psycopg", reason="needs psycopg: pip install '.[tune]'")
    address = "postgresql://me:secret@127.0.0.1:1/study"
    with pytest.raises(ConfigError, match=r"postgresql://me:\*\*\*@127.0.0.1:1/study: cannot be used \(") as caught:
        swept(tmp_path, storage=address)
    assert "secret" not in str(caught.value)
    assert "secret" not in (tmp_path / "s" / "sweep.json").read_text()


def test_what_is_not_installed_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(storage.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"lstm sweep needs optuna: pip install 'lstm-cli\[tune\]'"):
        swept(tmp_path)


def test_a_call_is_repeated_until_the_database_is_back(monkeypatch):
    monkeypatch.setattr(patience, "FIRST", 0.001)
    left, notes = [ConnectionError("gone")] * 3, []
    patient = Patience(lambda error: str(error) if isinstance(error, ConnectionError) else None, notes.append)

    def call(value):
        if left:
            raise left.pop()
        return value

    assert patient(call, 7) == 7
    assert notes == [
        "the database is away (gone): waiting for it; trainings continue meanwhile", "the database is back, after 0 s",
    ]  # fmt: skip
    assert patient.was_away_within(60)
    with pytest.raises(ZeroDivisionError):
        patient(lambda: 1 / 0)
    monkeypatch.setattr(patience, "LONGEST", 0.0)
    left[:] = [ConnectionError("gone")] * 9
    with pytest.raises(DiskError, match="the database was away for 0 s"):
        patient(call, 7)


def test_a_signal_ends_the_wait_for_a_database():
    signals = Signals()
    signals.received = signal.SIGINT

    def stop():
        raise signals.interrupted("while the database was away")

    def away():
        raise ConnectionError

    with pytest.raises(Interrupted):
        Patience(lambda error: "away", stop=stop)(away)
