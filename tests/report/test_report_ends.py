"""``report.json`` of runs that end in every way, that were killed, or that train meanwhile."""

import json
import signal

import pytest

import lstm_cli
from lstm_cli.errors import CheckpointError, DiskError, Diverged, Interrupted
from lstm_cli.run.lock import is_held
from lstm_cli.training.ending import stopped_by
from lstm_cli.training.events import Note
from tests.support.reports import assert_made_again, contents
from tests.support.runs import Watcher, Whole, small_config, train, watched


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    return Whole(tmp_path_factory.mktemp("whole"))


def raise_term() -> None:
    signal.raise_signal(signal.SIGTERM)


def test_a_stopped_run_says_by_what_and_is_continued(whole: Whole) -> None:
    run, config = whole.new(), small_config(whole.folder)
    with pytest.raises(Interrupted) as stop:
        watched(config, run, Watcher(9, raise_term))
    found = contents(run)
    assert (found.state, found.status) == ("stopped", str(stop.value))
    assert found.status.startswith("stopped by SIGTERM after step ")
    assert found.next[0].command == f"lstm-train {run} --resume"
    assert found.explanation is None
    assert "SIGTERM" in (run / "report.html").read_text()
    lstm_cli.make_report(run)  # what the best state does so far
    assert contents(run).explanation is not None and contents(run).state == "stopped"
    train(config, run, resume=True)
    found = contents(run)
    assert found.state == "finished" and found.status.startswith("finished: 3 epochs")
    assert_made_again(run)


def test_a_killed_run_is_not_said_to_train(whole: Whole) -> None:
    """What is killed leaves the state of its last report, and the lock's file of a process that is gone."""
    run = whole.new()
    train(small_config(whole.folder), run)
    text = (run / "report.json").read_text()
    (run / "report.json").write_text(text.replace('"state": "finished"', '"state": "training"'))
    assert not is_held(run)
    lstm_cli.make_report(run)
    assert contents(run).state == "stopped" and "killed" in contents(run).status
    assert contents(run).next[0].command.endswith("--resume")


def test_a_run_on_another_machine_is_left_to_it(whole: Whole) -> None:
    """Whether it still trains there cannot be told from here."""
    run = whole.new()
    train(small_config(whole.folder), run)
    text = (run / "report.json").read_text().replace('"state": "finished"', '"state": "training"')
    (run / "report.json").write_text(text)
    (run / ".lstm-run.lock").write_text(json.dumps({"pid": 1, "host": "another", "since": "", "token": ""}))
    assert is_held(run) is None
    (run / "report.html").unlink()
    lstm_cli.make_report(run)
    assert (run / "report.html").exists() and (run / "report.json").read_text() == text


def test_a_run_that_trains_may_be_reported_meanwhile(whole: Whole) -> None:
    run, seen = whole.new(), []

    def make() -> None:
        assert is_held(run)
        before = (run / "report.json").read_bytes()
        assert contents(run).state == "training"  # from the start on
        (run / "report.html").unlink()
        lstm_cli.make_report(run)
        seen.append((run / "report.html").exists())
        assert (run / "report.json").read_bytes() == before  # that of the run itself

    watched(small_config(whole.folder), run, Watcher(8, make))
    assert seen == [True] and contents(run).state == "finished"


def test_a_run_that_diverges_says_so(whole: Whole) -> None:
    run = whole.new()
    config = small_config(whole.folder, optimizer={"name": "sgd", "learning_rate": 1e38, "clip_norm": None})
    with pytest.raises(Diverged) as error:
        train(config, run)
    assert contents(run).status == f"diverged: {error.value}" and contents(run).state == "stopped"


def full() -> DiskError:
    error = DiskError("x: cannot be written: No space left on device")
    error.__cause__ = OSError(28, "No space left on device")
    return error


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (Interrupted("stopped by SIGTERM after step 3", 15), "stopped by SIGTERM after step 3"),
        (full(), "stopped by a full disk: x: cannot be written: No space left on device"),
        (DiskError("x: cannot be written: Input/output error"), "stopped by a failing disk: x: "),
        (CheckpointError("bad\nfile"), r"stopped: bad\nfile"),
        (MemoryError(), "stopped as there was too little memory"),
        (ValueError("odd"), "stopped by ValueError: odd"),
        (KeyboardInterrupt(), "stopped by KeyboardInterrupt"),
    ],
)
def test_what_stopped_a_run_in_words(error: BaseException, words: str) -> None:
    assert stopped_by(error).startswith(words)


def test_what_cannot_be_explained_loses_no_run(whole: Whole, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*given: object) -> None:
        raise ValueError("a bug")

    monkeypatch.setattr("lstm_cli.training.checkpointing.explain", broken)
    run = whole.new()
    watcher = train(small_config(whole.folder), run)
    assert watcher.of(Note)[-1] == Note("the report lacks what explains the model: ValueError: a bug", warning=True)
    found = contents(run)
    assert found.state == "finished" and found.explanation is None
    assert "warning: the report lacks what explains the model: ValueError: a bug" in found.notes
    lstm_cli.make_report(run)
    again = contents(run)
    assert again.explanation is not None
    assert again.notes == tuple(note for note in found.notes if "lacks" not in note)


def test_a_page_that_cannot_be_made_ends_no_training(whole: Whole, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*given: object) -> str:
        raise ValueError("a bug")

    monkeypatch.setattr("lstm_cli.report.page.render", broken)
    run = whole.new()
    with pytest.raises(ValueError, match="a bug"):
        train(small_config(whole.folder), run)
    found = contents(run)
    assert found.state == "finished" and found.explanation is not None
    monkeypatch.undo()
    assert lstm_cli.make_report(run).exists()
