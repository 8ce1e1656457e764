"""SIGKILL at every system call of all that the tool writes: what was acknowledged is there, and everything is whole."""

import random
import re
import shutil
import time
from pathlib import Path

import pytest

from lstm_cli.errors import CheckpointError, ConfigError
from lstm_cli.run.checkpoint import load, load_newest, save
from lstm_cli.run.folder import RunFolder
from lstm_cli.run.names import BEST, LAST, MANIFEST, MODEL, POSITION, STATE
from lstm_cli.run.ownership import is_run
from tests.support.crash import Worker, check_run, is_over, leftovers, needs, step_of, why_no_strace
from tests.support.crash_worker import state

OLD, NEW = 1, 2


def kill(worker: Worker, call: tuple[str, int], **task: object) -> None:
    outcome = worker.run(f"-einject={call[0]}:signal=SIGKILL:when={call[1]}", **task)
    assert outcome.code == -9, f"{call}: {outcome}"


def fresh(run: Path, template: Path) -> Path:
    shutil.rmtree(run, ignore_errors=True)
    return shutil.copytree(template, run)


@needs(why_no_strace())
@pytest.mark.parametrize(
    ("before", "target"),
    [
        pytest.param([], LAST, id="first save"),
        pytest.param([LAST], LAST, id="rotation"),
        pytest.param([LAST, BEST], BEST, id="promotion"),
        pytest.param([LAST], BEST, id="first promotion", marks=pytest.mark.slow),
        pytest.param([LAST, BEST], LAST, id="rotation beside a best one", marks=pytest.mark.slow),
    ],
)
def test_a_save_killed_at_every_call(worker: Worker, tmp_path: Path, before: list[str], target: str) -> None:
    template, run = tmp_path / "template", tmp_path / "run"
    template.mkdir()
    for name in before:
        save(state(OLD), template / name)
    task = {"do": "save", "folder": run / target, "step": NEW}
    fresh(run, template)
    found = []
    for call in worker.calls(**task):
        fresh(run, template)
        kill(worker, call, **task)
        try:
            found.append(step_of(load(run / target)))
        except CheckpointError:
            found.append(0)
        old = OLD if before else None
        check_run(run, last={old, NEW}, best={OLD, NEW} if BEST in before else {None})
    # Up to some call there is the old state, from then on the new one, and never none where there was one.
    assert found == sorted(found)
    assert found[0] == (OLD if target in before else 0)
    assert found[-1] == NEW


@pytest.mark.slow
@needs(why_no_strace())
def test_a_save_after_a_killed_one_killed_at_every_call(worker: Worker, tmp_path: Path) -> None:
    """A save killed between its two renames leaves only the retired folder: the next one must not lose it."""
    template, run = tmp_path / "template", tmp_path / "run"
    template.mkdir()
    save(state(OLD), template / LAST)
    shutil.copytree(template / LAST, template / ".tmp-last-00000000")
    (template / LAST).rename(template / ".old-last-00000000")
    task = {"do": "save", "folder": run / LAST, "step": NEW}
    fresh(run, template)
    for call in worker.calls(**task):
        fresh(run, template)
        kill(worker, call, **task)
        assert step_of(load(run / LAST)) in (OLD, NEW)
        check_run(run, last={OLD, NEW}, best={None})


@needs(why_no_strace())
def test_a_save_is_on_the_disk_before_the_old_one_goes(worker: Worker, tmp_path: Path) -> None:
    """No kill shows what a power cut does, but the order of the calls does: synced, renamed, synced, removed."""
    run = tmp_path / "run"
    run.mkdir()
    save(state(OLD), run / LAST)
    worker.run("-y", "-etrace=fsync,rename,unlink", do="save", folder=run / LAST, step=NEW)
    log = (worker.scratch / "strace").read_text()
    temporary, old = r"\.tmp-last-\w+", r"\.old-last-\w+"
    files = [rf"fsync\(\d+<{run}/{temporary}/{name}>\) = 0" for name in (MODEL, STATE, POSITION, MANIFEST)]
    steps = [
        *files,
        rf"fsync\(\d+<{run}/{temporary}>\) = 0",
        rf'rename\("{run}/last", "{run}/{old}"\) = 0',
        rf'rename\("{run}/{temporary}", "{run}/last"\) = 0',
        rf"fsync\(\d+<{run}>\) = 0",
        rf'unlink\("{run}/{old}/{MANIFEST}"\) = 0',
    ]
    calls = [line for line in re.sub(r"\) +=", ") =", log).splitlines() if not line.startswith("---")]
    for call, step in zip(calls, steps, strict=False):
        assert re.fullmatch(step, call), (call, step)
    assert len(calls) > len(steps)


@pytest.mark.slow
@needs(why_no_strace())
@pytest.mark.parametrize("overwrite", [False, True])
def test_a_run_folder_killed_at_every_call_of_its_creation(worker: Worker, tmp_path: Path, overwrite: bool) -> None:
    template, run = tmp_path / "template", tmp_path / "run"
    template.mkdir()
    if overwrite:
        worker.run(do="open", run=template, resume=False, overwrite=False, content="old")
        save(state(OLD), template / LAST)
    task = {"do": "open", "run": run, "resume": False, "overwrite": overwrite, "content": "new"}
    fresh(run, template)
    for call in worker.calls(**task):
        fresh(run, template)
        kill(worker, call, **task)
        for path in run.iterdir():
            if path.is_file() and not path.name.startswith("."):
                assert path.read_text() in ("old" * 100, "new" * 100)
        with RunFolder.resume(run):
            assert all(name.startswith(".old") for name in leftovers(run))
            found = load_newest(run)
            assert found is None or step_of(found.state) == OLD
        with RunFolder.create(run, overwrite=True):
            assert [path.name for path in run.iterdir()] == [".lstm-run.lock"]


@needs(why_no_strace())
def test_an_output_killed_at_every_call_is_whole_or_not_there(worker: Worker, tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    task = {"do": "stream", "path": path, "rows": 3000}
    path.write_text("before")
    calls = worker.calls(**task)
    whole = path.read_text()
    assert whole.count("\n") == 3000
    for call in calls:
        path.write_text("before")
        kill(worker, call, **task)
        assert path.read_text() in ("before", whole)


def random_kills(worker: Worker, run: Path, acknowledged: Path, count: int) -> None:
    random.seed(1)
    with RunFolder.create(run):
        pass
    acknowledged.touch()
    for _ in range(count):
        saves = len(acknowledged.read_bytes().splitlines()) + random.randrange(4)
        pid = worker.start(do="train", run=run, acknowledged=acknowledged)
        while len(acknowledged.read_bytes().splitlines()) < saves:  # by the clock alone, none might be in time
            assert not is_over(pid)
            time.sleep(0.001)
        time.sleep(random.uniform(0, 0.03))
        worker.kill(pid)
        promised = {LAST: 0, BEST: 0}
        for line in acknowledged.read_text().splitlines():
            name, step = line.split()
            promised[name] = max(promised[name], int(step))
        found = load_newest(run)
        if max(promised.values()):
            assert step_of(found.state) >= max(promised.values())
            assert not found.warning
        if promised[BEST]:
            assert step_of(load(run / BEST)) >= promised[BEST]
    assert min(promised.values()) > 0


def test_random_kills_of_a_process_that_saves(worker: Worker, tmp_path: Path) -> None:
    random_kills(worker, tmp_path / "run", tmp_path / "acknowledged", 25)


@pytest.mark.slow
def test_many_random_kills_of_a_process_that_saves(worker: Worker, tmp_path: Path) -> None:
    random_kills(worker, tmp_path / "run", tmp_path / "acknowledged", 1000)


def test_a_checkpoint_can_be_read_while_it_is_replaced(worker: Worker, tmp_path: Path) -> None:
    with RunFolder.create(tmp_path / "run") as run:
        save(state(3), run.best)
    pid = worker.start(do="train", run=run.path, acknowledged=tmp_path / "acknowledged")
    steps = []
    while len(set(steps)) < 20:
        steps.append(step_of(load(run.best)))
    worker.kill(pid)
    assert steps == sorted(steps)


def test_an_interrupted_creation_is_no_run_of_somebody_else(tmp_path: Path) -> None:
    assert not is_run(tmp_path)
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(ConfigError, match="contains other files and no run"):
        RunFolder.create(tmp_path, overwrite=True)
