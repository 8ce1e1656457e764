"""Real training runs, killed or out of disk at any moment: what was reported saved is, and nothing changes the end."""

import json
import os
import random
import re
import shutil
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from lstm_cli.kernels.runtime.compilation import kernel_folder
from lstm_cli.run.checkpoint import load, load_newest
from lstm_cli.run.names import BEST, LAST
from tests.support.config import merged
from tests.support.crash import Outcome, Worker, is_over, leftovers, needs, why_no_mount, why_no_strace
from tests.support.runs import SMALL, assert_same, metrics, small, write_data

# What a run imports, from its start to its first update.
HEAVY = [
    "lstm_cli.api", "lstm_cli.training.checkpointing", "pytensor.sparse", "pytensor.link.c.exceptions",
    "tests.support.first_kernel",
]  # fmt: skip
EPOCHS = 12
CHANGES = {
    "data": {"test": 3},
    "model": {"dropout": 0.3, "recurrent_dropout": 0.2},
    "train": {"epochs": EPOCHS, "patience": None, "checkpoint_every": "3 steps", "schedule": "plateau"},
}


class Runs:
    """Runs of one config, each by a child of a process that has imported everything."""

    def __init__(self, folder: Path, worker: Worker, **changes: dict[str, Any]) -> None:
        self.worker, self.config = worker, write_config(folder, merged(CHANGES, changes))
        self.whole = folder / "whole"
        began = time.monotonic()
        assert self.run(self.whole).code == 0
        self.seconds, self.lines = time.monotonic() - began, self.said.count("\n")

    def run(self, folder: Path, *strace: str, **task: object) -> Outcome:
        return self.worker.run(*strace, do="run", run=folder, config=self.config, **task)

    def start(self, folder: Path, **task: object) -> int:
        return self.worker.start(do="run", run=folder, config=self.config, **task)

    @property
    def said(self) -> str:
        """What the present run, or the one before, has printed."""
        return (self.worker.scratch / "stderr").read_text()

    def wait_until(self, pid: int, moment: float, *, by_clock: bool) -> None:
        """Wait for a moment of a run, as a share of its whole time or of the lines it prints; or for its end."""
        if by_clock:
            time.sleep(moment * self.seconds)
            return
        lines, between = divmod(moment * self.lines, 1)
        while self.said.count("\n") < lines and not is_over(pid):
            time.sleep(0.001)
        time.sleep(between * self.seconds / self.lines)


def write_config(folder: Path, changes: dict[str, Any]) -> Path:
    path = write_data(folder) / "config.yaml"
    path.write_text(json.dumps(small(**changes)))
    return path


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    folder = tmp_path_factory.mktemp("runs")
    with closing(Worker(folder, modules=HEAVY)) as worker:
        yield Runs(folder, worker)


def acknowledged(said: str) -> dict[str, int]:
    """The latest step of each kind of checkpoint that a run has reported as written."""
    steps = {LAST: 0, BEST: 0}
    for step, kind in re.findall(r"^step ([\d,]+): (last|best) checkpoint written", said, re.MULTILINE):
        steps[kind] = int(step.replace(",", ""))
    return steps


def check_acknowledged(run: Path, promised: dict[str, int]) -> int:
    """Nothing that was reported as saved is lost, and no file is a part of one; return the step to resume from."""
    found = load_newest(run) if run.is_dir() else None
    step = found.state.position["step"] if found else 0
    assert step >= max(promised.values())
    assert not (found and found.warning)
    if promised[BEST]:
        assert load(run / BEST).position["step"] >= promised[BEST]
    for name in ("schema.json", "vocabulary.json", "scaling.json", "environment.json"):
        if (run / name).exists():
            json.loads((run / name).read_text())
    return step


def check_end(runs: Runs, run: Path) -> None:
    assert_same(run, runs.whole)
    assert not leftovers(run)


def random_kills(runs: Runs, folder: Path, count: int) -> list[int]:
    """Kill a run `count` times, and another one when it is over; return the steps at which they were found.

    On a machine with other work the clock alone would kill most runs early, or late.
    """
    draw, number, steps = random.Random(count), 0, []
    promised = {LAST: 0, BEST: 0}
    while len(steps) < count:
        run = folder / f"run-{number}"
        pid = runs.start(run)
        runs.wait_until(pid, draw.random(), by_clock=draw.random() < 0.5)
        os.kill(pid, signal.SIGKILL)
        code = runs.worker.wait().code
        promised = {kind: max(step, promised[kind]) for kind, step in acknowledged(runs.said).items()}
        steps.append(check_acknowledged(run, promised))
        if code == 0:
            check_end(runs, run)
            number, promised = number + 1, {LAST: 0, BEST: 0}
    assert runs.run(run).code == 0
    check_end(runs, run)
    assert any(steps), "no kill came after a checkpoint"
    return steps


@pytest.mark.slow
def test_a_run_killed_at_random_moments_ends_with_the_same_weights(runs: Runs, tmp_path: Path) -> None:
    random_kills(runs, tmp_path, 6)


@pytest.mark.slow
@pytest.mark.timeout(2400)
def test_a_run_killed_at_200_random_moments(runs: Runs, tmp_path: Path) -> None:
    steps = random_kills(runs, tmp_path, 200)
    assert len(set(steps)) > 10


@pytest.mark.slow
def test_the_second_signal_leaves_the_state_before(runs: Runs, tmp_path: Path) -> None:
    run = tmp_path / "run"
    pid = runs.start(run, stuck=60)
    while "a sync is stuck" not in runs.said:
        time.sleep(0.05)
    assert leftovers(run)  # half of a checkpoint
    before = acknowledged(runs.said)
    os.kill(pid, signal.SIGINT)
    time.sleep(0.3)
    os.kill(pid, signal.SIGTERM)  # were both to arrive together, Python would still handle the lower number first
    assert runs.worker.wait().code == 143  # not the code of a sync that has been waited for
    assert 0 < before[LAST] < load(runs.whole / LAST).position["step"]
    assert acknowledged(runs.said) == before
    assert check_acknowledged(run, before) == max(before.values())
    assert runs.run(run).code == 0
    check_end(runs, run)


@needs(why_no_strace())
def test_an_evaluation_is_on_the_disk_before_a_state_that_follows_it(runs: Runs, tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert runs.run(run, "-y", "-etrace=write,fsync,rename", sync=True).code == 0
    kinds = {
        "written": re.compile(rf"write\(\d+<{run}/metrics.jsonl>"),
        "synced": re.compile(rf"fsync\(\d+<{run}/metrics.jsonl>\)"),
        "saved": re.compile(rf'rename\("{run}/\.tmp-(last|best)-\w+", "{run}/(last|best)"\)'),
    }
    log = (runs.worker.scratch / "strace").read_text().splitlines()
    calls = [kind for line in log for kind, pattern in kinds.items() if pattern.match(line)]
    assert calls.count("written") == calls.count("synced") == len(metrics(run))
    assert calls.count("saved") > EPOCHS
    assert all(after == "synced" for before, after in pairwise(calls) if before == "written")


WRITING = re.compile(r"(write|fsync|ftruncate|openat|mkdir|rename)\(")


def writing_calls(runs: Runs, run: Path) -> list[tuple[str, int]]:
    """The system calls by which a run writes into its folder: its name, and its number among those of that name."""
    assert runs.run(run, "-y", "-etrace=write,fsync,ftruncate,openat,mkdir,rename", sync=True).code == 0
    seen: Counter[str] = Counter()
    calls = []
    for line in (runs.worker.scratch / "strace").read_text().splitlines():
        if match := WRITING.match(line):
            seen[match[1]] += 1
            if str(run) in line and (match[1] != "openat" or "O_CREAT" in line):
                calls.append((match[1], seen[match[1]]))
    return calls


@needs(why_no_strace())
def test_a_run_writes_and_removes_only_in_its_folder(runs: Runs, tmp_path: Path) -> None:
    """But for compiled kernels, in the user's cache, and what is no file on a disk."""
    run = tmp_path / "run"
    changing = "open,openat,creat,mkdir,mkdirat,rename,renameat,renameat2,unlink,unlinkat,rmdir,link,symlink,truncate"
    assert runs.run(run, "-f", f"-etrace={changing}").code == 0
    log = (runs.worker.scratch / "strace").read_text().splitlines()
    changes = [line for line in log if "open" not in line or re.search("O_WRONLY|O_RDWR|O_CREAT|O_TRUNC", line)]
    places = [Path(place) for line in changes if "= -1" not in line for place in re.findall(r'"([^"]*)"', line)]
    assert len(places) > 100
    allowed = {run, kernel_folder(), Path("/dev")}
    assert [place for place in places if not allowed & {place, *place.parents}] == []


@needs(why_no_strace())
@pytest.mark.timeout(2400)
@pytest.mark.parametrize("every", [90, pytest.param(1, marks=pytest.mark.slow)])
def test_calls_by_which_a_run_writes_fail_once(runs: Runs, tmp_path: Path, every: int) -> None:
    """Of all that goes into the folder, the logs too: not of its states only."""
    run = tmp_path / "run"
    short = Runs(tmp_path, runs.worker, train={"epochs": 2, "checkpoint_every": "epoch"})
    calls = writing_calls(short, run)
    assert len(calls) > 150
    for number, (call, ordinal) in enumerate(calls[every // 2 :: every]):
        shutil.rmtree(run, ignore_errors=True)
        code, message = short.run(run, f"-einject={call}:error=ENOSPC:when={ordinal}", sync=True)
        *lines, error = message.splitlines()
        assert code == 74, (call, ordinal, message)
        assert re.match(rf"{run}[\w./]*: cannot be written: No space left on device", error)
        assert "No space" not in "".join(lines)
        check_acknowledged(run, acknowledged(message))
        assert not run.is_dir() or not leftovers(run)
        if every > 1 or number % 5 == 0:
            assert short.run(run).code == 0
            check_end(short, run)


def fill(place: Path) -> Path:
    """Write into a file system until it is full; return the file that fills it."""
    path = place / "filler"
    with path.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(1000))
    return path


@pytest.mark.slow
@needs(why_no_mount())
def test_a_disk_that_fills_up_while_a_run_trains(runs: Runs, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    task = {"do": "run", "config": runs.config, "run": disk / "run"}
    with closing(Worker(tmp_path, f"mount -t tmpfs -o size=600k none {disk}", HEAVY)) as worker:
        seen = worker.seen(disk)
        worker.start(**task, slow=0.05)
        while acknowledged((tmp_path / "stderr").read_text())[LAST] < 6:
            time.sleep(0.01)
        filler = fill(seen)
        code, message = worker.wait()
        assert code == 74, message
        promised, (*_, error) = acknowledged(message), message.splitlines()
        assert message.count("No space left on device") == 1
        assert re.match(rf"{disk}/run/[\w./]+: cannot be written: No space left on device \([\d,]+ bytes needed", error)
        assert check_acknowledged(seen / "run", promised) == max(promised.values())
        assert max(promised.values()) < load(runs.whole / LAST).position["step"]
        assert not leftovers(seen / "run")
        filler.unlink()
        assert worker.run(**task).code == 0
        assert_same(seen / "run", runs.whole)


@needs(why_no_mount())
def test_a_read_only_place_is_found_before_the_data_is_read(tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.mkdir()
    (tmp_path / "config.yaml").write_text(json.dumps({**SMALL, "data": {"train": "missing.jsonl", "target": "y"}}))
    with closing(Worker(tmp_path, f"mount -t tmpfs none {place} && mount -o remount,bind,ro {place}")) as worker:
        outcome = worker.run(do="run", run=place / "run", config=tmp_path / "config.yaml")
    assert outcome.code == 74
    assert outcome.message.startswith(f"{place}/run: cannot be written: Read-only file system")
