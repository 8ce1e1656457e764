"""Sweeps that share a study in a real PostgreSQL."""

import os
import re
import signal
import subprocess
import sys
import time

import pytest

pytest.importorskip("optuna", reason="needs optuna: pip install '.[tune]'")
pytest.importorskip("psycopg", reason="needs psycopg: pip install '.[tune]'")

from lstm_cli.config.space import space_of
from lstm_cli.errors import ConfigError
from lstm_cli.sweeps import folder as folders
from lstm_cli.sweeps import storage, study
from lstm_cli.sweeps.folder import SweepFolder
from lstm_cli.sweeps.study import Study
from tests.support.paths import ROOT
from tests.support.postgresql import Server, reason
from tests.support.sweeps import config_of

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(reason()), reason=reason())]
AWAY = 10.0  # seconds


@pytest.fixture(scope="module")
def server():
    made = Server()
    try:
        yield made
    finally:
        made.remove()


class Worker:
    def __init__(self, folder, address, trials, pause=0.5):
        self.folder, self.log = folder, folder.with_suffix(".log")
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.support.sweep_worker", folder, str(trials), str(pause), address],
                cwd=ROOT, stderr=log,
            )  # fmt: skip

    @property
    def said(self):
        return self.log.read_text()

    def wait_for(self, text, seconds=60):
        end = time.monotonic() + seconds
        while not re.search(text, self.said):
            assert self.process.poll() is None and time.monotonic() < end, self.said
            time.sleep(0.05)


@pytest.fixture
def opened():
    """Open studies, which are closed at the end."""
    made = []

    def open_study(path, **sweep):
        config = config_of(path, **sweep)
        described = {"study": "config", "storage": "x", "monitor": "valid.loss"}
        made.append(Study(config, space_of(config), SweepFolder.open(path / "s", described)))
        return made[-1]

    yield open_study
    for each in made:
        each.close()


def trained(*texts):
    """The trials that workers have said to be trained."""
    return sorted(number for text in texts for number in re.findall(r"^trial-(\d+): valid loss", text, re.MULTILINE))


def test_two_workers_one_killed_and_a_database_that_goes_away(tmp_path, server, opened):
    trials = 8
    first, second = (Worker(tmp_path / name, server.address, trials) for name in ("first", "second"))
    for worker in (first, second):
        worker.wait_for(r"trial-\d+: valid loss")
    server.stop()
    before = trained(first.said, second.said)
    time.sleep(AWAY)
    server.start()
    for worker in (first, second):
        worker.wait_for("the database is away .*: waiting for it; trainings continue meanwhile")
        worker.wait_for("the database is back, after")
    second.wait_for(r"trial-\d+: model.dropout=[^:]*\Z")
    second.process.kill()
    second.process.wait()
    assert first.process.wait(120) == 0, first.said
    kept = opened(tmp_path / "third", storage=server.address, trials=trials)
    found = kept.found()
    assert [trial.state for trial in found] == ["trained"] * trials
    said = trained(first.said, second.said)
    assert set(before) <= set(said) <= {f"{trial.number:04d}" for trial in found}
    assert len(said) in (trials, trials - 1)  # the killed one may have had no time to say its last
    places = {trial.place.rpartition("/")[0].rpartition("/")[2] for trial in found}
    assert places == {"first", "second"}
    for text in (first.said, second.said, *(path.read_text() for path in tmp_path.rglob("*.json"))):
        assert "secret" not in text
    assert kept.next() is None  # all are there
    with pytest.raises(ConfigError, match=r"started with another sweep: model.dropout"):
        opened(tmp_path / "third", storage=server.address, space={"model.dropout": [0.1, 0.2]})


def test_a_trial_of_a_machine_without_a_sign_of_life_is_repeated(tmp_path, server, opened, monkeypatch):
    for module in (storage, study):
        monkeypatch.setattr(module, "GRACE", 1)
    options = {"storage": server.address, "study": "lost", "trials": 3}
    monkeypatch.setattr(folders.socket, "gethostname", lambda: "elsewhere")
    lost = opened(tmp_path / "a", **options).next()
    monkeypatch.undo()
    for module in (storage, study):
        monkeypatch.setattr(module, "GRACE", 1)
    here = opened(tmp_path / "b", **options)
    assert here.next().number == 1  # the other one may live
    time.sleep(2.5)
    here._beaten_at = -1e9
    here.beat()
    taken = here.next()
    assert taken.values == lost.values and not taken.again
    assert [trial.number for trial in here.found()] == [1, taken.number]


def test_a_signal_ends_a_worker_while_the_database_is_away(tmp_path, server):
    worker = Worker(tmp_path / "alone", server.address.replace("/study", "/postgres"), 50, pause=0.1)
    worker.wait_for(r"trial-\d+: valid loss")
    server.stop()
    try:
        worker.wait_for("the database is away")
        os.kill(worker.process.pid, signal.SIGTERM)
        assert worker.process.wait(30) == 128 + signal.SIGTERM
        assert "stopped by SIGTERM while the database was away; the same command continues" in worker.said
    finally:
        server.start()
