"""A disk that is full, over quota, failing or read-only: one line, exit code 74, and everything as it was."""

import shutil
from pathlib import Path

import pytest

from lstm_cli.run.checkpoint import load, load_newest, save
from lstm_cli.run.names import BEST, LAST
from tests.support.crash import Worker, check_run, leftovers, needs, step_of, why_no_mount, why_no_strace
from tests.support.crash_worker import state

TEXT = {"ENOSPC": "No space left", "EDQUOT": "quota exceeded", "EIO": "Input/output error", "EROFS": "Read-only"}


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def assert_says(message: str, path: Path, error: str = "No space left") -> None:
    assert "\n" not in message
    assert str(path) in message
    assert error in message
    assert "bytes needed" in message


@needs(why_no_strace())
@pytest.mark.parametrize("name", [LAST, pytest.param(BEST, marks=pytest.mark.slow)])
@pytest.mark.parametrize("before", [False, True], ids=["first save", "rotation"])
@pytest.mark.parametrize("error", TEXT)
def test_every_call_of_a_save_fails_once(worker: Worker, tmp_path: Path, name: str, before: bool, error: str) -> None:
    run = tmp_path / "run"
    run.mkdir()
    if before:
        for folder in (LAST, BEST):
            save(state(1), run / folder)
    kept = contents(run)
    task = {"do": "save", "folder": run / name, "step": 2}
    calls = [call for call in worker.calls(**task) if call[0] in ("openat", "write", "fsync", "rename", "mkdir")]
    assert len(calls) > 20
    shutil.rmtree(run)
    for call, ordinal in calls:
        restore(run, kept)
        outcome = worker.run(f"-einject={call}:error={error}:when={ordinal}", **task)
        assert outcome.code == 74, (call, ordinal, outcome)
        assert_says(outcome.message, run / name, TEXT[error])
        assert contents(run) == kept
        assert not leftovers(run)


def restore(run: Path, kept: dict[str, bytes]) -> None:
    if run.is_dir() and contents(run) == kept:
        return
    shutil.rmtree(run, ignore_errors=True)
    run.mkdir()
    for name, data in kept.items():
        (run / name).parent.mkdir(exist_ok=True)
        (run / name).write_bytes(data)


@needs(why_no_strace())
@pytest.mark.parametrize("call", ["openat", "write", "fsync", "rename", "mkdir", "unlink", "rmdir"])
def test_a_call_that_fails_from_some_time_on(worker: Worker, tmp_path: Path, call: str) -> None:
    run = tmp_path / "run"
    run.mkdir()
    save(state(1), run / LAST)
    ordinals = [ordinal for name, ordinal in worker.calls(do="save", folder=run / LAST, step=1) if name == call]
    for ordinal in ordinals:
        outcome = worker.run(f"-einject={call}:error=EIO:when={ordinal}+", do="save", folder=run / LAST, step=2)
        cleaning = call in ("unlink", "rmdir")  # the new state is safe by then; the next save tidies up
        assert outcome.code == (0 if cleaning else 74)
        assert step_of(load(run / LAST)) == (2 if cleaning else 1)
        shutil.rmtree(run / BEST, ignore_errors=True)
        check_run(run, last={2 if cleaning else 1}, best={None})
        shutil.rmtree(run)
        run.mkdir()
        save(state(1), run / LAST)


def test_a_limit_on_file_sizes(worker: Worker, tmp_path: Path) -> None:
    save(state(1), tmp_path / LAST)
    outcome = worker.run(do="save", folder=tmp_path / LAST, step=2, size=4000, limit=10_000)
    assert outcome.code == 74
    assert_says(outcome.message, tmp_path / LAST / "model.safetensors", "File too large")
    assert step_of(load(tmp_path / LAST)) == 1
    assert not leftovers(tmp_path)


@needs(why_no_mount())
def test_a_really_full_disk(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    worker = Worker(tmp_path, f"mount -t tmpfs -o size=300k none {disk} && mkdir {disk}/run")
    folder = disk / "run" / LAST
    good = None
    for step, (size, code) in enumerate([(3000, 0), (6000, 0), (12_000, 74), (24_000, 74), (3000, 0)]):
        outcome = worker.run(do="save", folder=folder, step=step, size=size)
        assert outcome.code == code, outcome
        good = good if code else step
        seen = worker.seen(disk / "run")
        assert step_of(load_newest(seen).state) == good
        assert not leftovers(seen)
        if code:
            assert_says(outcome.message, folder)
    worker.close()


@needs(why_no_mount())
def test_a_read_only_place_is_found_before_anything_else(tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.mkdir()
    worker = Worker(tmp_path, f"mount -t tmpfs none {place} && mkdir {place}/run && mount -o remount,bind,ro {place}")
    for run in (place / "run", place / "new"):
        outcome = worker.run(do="open", run=run, resume=False, overwrite=False, content="")
        assert outcome.code == 74
        assert "Read-only file system" in outcome.message
        assert str(run) in outcome.message
        assert "choose another place with -o" in outcome.message
    worker.close()


def test_a_place_below_a_file(worker: Worker, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    outcome = worker.run(do="open", run=tmp_path / "file" / "run", resume=False, overwrite=False, content="")
    assert outcome.code == 74
    assert outcome.message.startswith(f"{tmp_path}/file/run: cannot be written: Not a directory")
