"""`track:` where a tracker fails, hangs or lacks its package: training continues, and what is missing is named."""

import threading

import pytest

from lstm_cli.errors import ConfigError
from lstm_cli.training.events import Evaluated, Finished, Note, Started, Stopped
from lstm_cli.training.sinks import tracking_mlflow
from lstm_cli.training.sinks.tracker import Ending
from lstm_cli.training.sinks.tracking import NEEDED, Tracking, connected
from tests.support.runs import small_config


class FakeStore:
    """A store that fails, or hangs, as a test says."""

    shown_uri = "fake"

    def __init__(self, folder):
        self.sent, self.ending, self.error, self.answer = [], None, None, threading.Event()
        self.answer.set()

    def open(self, start, earlier, names):
        return "run-1"

    def send(self, points):
        self.answer.wait(60)
        if self.error is not None:
            raise self.error
        self.sent += points
        points.clear()

    def finish(self, folder, ending):
        if self.error is not None:
            raise self.error
        self.ending = ending


@pytest.fixture
def mlflow(tmp_path, monkeypatch):
    """A tracker with a store of the test, and what it warns of."""
    monkeypatch.setattr(tracking_mlflow, "MlflowStore", FakeStore)
    monkeypatch.setattr(tracking_mlflow, "RETRY", 0.0)
    for limit in ("CONNECTING", "ENDING", "STOPPING"):
        monkeypatch.setattr(tracking_mlflow, limit, 200.0)  # a slow machine
    made = tracking_mlflow.Mlflow(tmp_path / "run")
    (tmp_path / "run").mkdir()
    notes = []
    sink = Tracking([made])
    sink.warn_by(lambda note: notes.append(note.text))
    sink(Started(tmp_path / "run", 3, 30))
    yield sink, made._store, notes
    sink.close()


def evaluation(step):
    return Evaluated(step, 1, "valid", 1.0, 0.5, {"accuracy": 0.25}, improved=step == 1)


def settled(sink, step):
    """Evaluate, and wait for what that sends."""
    sink(evaluation(step))
    (tracker,) = sink._trackers
    if tracker._sent is not None:
        tracker._sent.exception(60)


def test_an_outage_is_one_warning_and_loses_nothing(mlflow):
    sink, store, notes = mlflow
    store.error = ConnectionError("no route")
    settled(sink, 1)
    settled(sink, 2)
    settled(sink, 3)
    assert notes == ["MLflow: ConnectionError: no route: training continues, and it is tried again"]
    store.error = None
    settled(sink, 4)
    settled(sink, 5)
    assert [point.step for point in store.sent if point.name == "valid/loss"] == [1, 2, 3, 4, 5]
    store.error = ConnectionError("again")
    settled(sink, 6)
    sink(Stopped(6, "stopped by SIGTERM", failed=False))
    assert len(notes) == 2 and "what lacks is sent when the run is resumed" in notes[1]


def test_a_server_that_hangs_holds_nothing_up(mlflow, monkeypatch):
    sink, store, notes = mlflow
    store.answer.clear()
    for step in range(1, 50):
        sink(evaluation(step))
    assert notes == [] and store.sent == []
    monkeypatch.setattr(tracking_mlflow, "ENDING", 0.05)
    sink(Finished(50, 3))
    assert len(notes) == 1 and notes[0].startswith("MLflow: TimeoutError: no answer within 0 s: not all of the run")
    store.answer.set()


def test_the_end_sends_what_is_left_and_the_best_scores(mlflow):
    sink, store, notes = mlflow
    for step in (1, 2, 3):
        sink(evaluation(step))
    sink(Evaluated(1, 3, "test", 2.0, 0.75, {"accuracy": 0.5}))
    sink(Finished(3, 3))
    assert notes == []
    assert [point.step for point in store.sent if point.name == "valid/accuracy"] == [1, 2, 3]
    assert [(point.name, point.step) for point in store.sent if point.name.startswith("test/")] == [
        ("test/loss", 1),
        ("test/accuracy", 1),
    ]
    scores = {"best/valid/loss": 0.5, "best/valid/accuracy": 0.25, "best/test/loss": 0.75, "best/test/accuracy": 0.5}
    assert store.ending == Ending("finished", "", {**scores, "best/step": 1, "best/epoch": 1})


def test_a_tracker_that_breaks_is_left_out(tmp_path):
    class Broken:
        title = "Broken"

        def begin(self, start, points):
            pass

        def log(self, points):
            raise RuntimeError("oh\nno")

        def close(self):
            raise RuntimeError

    notes, sink = [], Tracking([Broken()])
    sink.warn_by(lambda note: notes.append(note))
    sink(Started(tmp_path, 1, 1))
    sink(evaluation(1))
    sink(evaluation(2))
    sink.close()
    assert notes == [Note("Broken: RuntimeError: oh no: what follows is not in it", warning=True)]


def test_a_package_that_is_missing_is_named_at_the_start(tmp_path, monkeypatch):
    monkeypatch.setitem(NEEDED, "mlflow", ("no_such_package",))
    install = r"pip install 'lstm-cli\[track\]', or in a clone pip install '\.\[track\]'"
    with pytest.raises(ConfigError, match=rf"^track: mlflow needs .* not installed \(no_such_package\): {install}$"):
        connected(small_config(tmp_path, track=["mlflow"]), tmp_path / "run")
