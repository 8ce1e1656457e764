"""Only regular files are opened in a run folder: all else is named at once, by every command."""

import errno
import json
import os
import re
import shutil
import subprocess
import sys
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import pytest

import lstm_cli
from lstm_cli.errors import CheckpointError, ConfigError, DiskError
from lstm_cli.run import checkpoint
from lstm_cli.run.folder import RunFolder
from lstm_cli.run.names import BEST, CHECKPOINT_FILES, CHECKPOINTS, FILES, LAST, LOCK, MANIFEST, MODEL, RESOLVED, SCHEMA
from tests.support.not_plain import HUGE, NOT_PLAIN, replace
from tests.support.runs import small_config, train, write_data

MOMENT = 60  # seconds in which a command that waits for a pipe is ended


wrong = pytest.mark.parametrize("kind", NOT_PLAIN)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_data(tmp_path_factory.mktemp("kinds"))
    train(small_config(folder, train={"epochs": 1}), folder / "run")
    return folder


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    """A copy of a run."""
    return shutil.copytree(trained / "run", tmp_path / "run")


@wrong
@pytest.mark.parametrize("name", [RESOLVED, *SCHEMA, "dynamics.py", *(f"{BEST}/{name}" for name in CHECKPOINT_FILES)])
def test_it_is_named_by_load(run: Path, name: str, kind: str) -> None:
    replace(run / name, kind)
    with pytest.raises(CheckpointError) as caught:
        lstm_cli.load(run)
    message = str(caught.value)
    assert message.startswith(f"{run / name}: ") and kind in message and "\n" not in message


# A file of any size is removed, and is found where it is read.
OPENED = [
    (name, kind)
    for name in (LOCK, *FILES, *CHECKPOINTS)
    for kind in NOT_PLAIN
    if not kind.startswith(f"{HUGE:,}") and (kind, name) not in product(["a folder"], CHECKPOINTS)
]


@pytest.mark.parametrize(("name", "kind"), OPENED)
def test_it_is_named_and_not_removed_where_a_run_is_opened(run: Path, name: str, kind: str) -> None:
    replace(run / name, kind)
    for opened in (RunFolder.resume, partial(RunFolder.create, overwrite=True)):
        with pytest.raises((ConfigError, DiskError)) as caught:
            opened(run)
        message = str(caught.value)
        assert message.startswith(f"{run}") and "\n" not in message
        assert os.path.lexists(run / name) and (run / BEST).exists()


@pytest.mark.parametrize("kind", ["a pipe", f"{HUGE:,} bytes, expected"])
@pytest.mark.parametrize("name", [f"{LAST}/{MANIFEST}", f"{LAST}/{MODEL}", RESOLVED, SCHEMA[0]])
def test_it_is_named_by_a_resumed_run(trained: Path, run: Path, name: str, kind: str) -> None:
    """A damaged last state is no reason to stop where the best one is good."""
    replace(run / name, kind)
    settings = small_config(trained, train={"epochs": 2})
    if name.startswith(LAST):
        train(settings, run, resume=True)
        assert f"{run / name}: damaged checkpoint: " in (run / "train.log").read_text()
        return
    with pytest.raises((CheckpointError, ConfigError)) as caught:
        train(settings, run, resume=True)
    assert str(caught.value).startswith(f"{run / name}: ") and kind in str(caught.value)


@pytest.mark.parametrize("cause", [errno.EACCES, errno.EPERM, errno.EMFILE, errno.ENFILE])
@pytest.mark.parametrize("name", [RESOLVED, SCHEMA[0], f"{BEST}/{MANIFEST}", f"{LAST}/{MANIFEST}"])
def test_a_file_that_may_not_be_opened_is_not_damaged(
    trained: Path, run: Path, name: str, cause: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An earlier checkpoint must not take the place of one that is whole."""
    before, opened = (run / LAST / MANIFEST).read_bytes(), os.open

    def refused(path: str | Path, *arguments: Any, **options: Any) -> int:
        if Path(path) == run / name:
            raise OSError(cause, os.strerror(cause), str(path))
        return opened(path, *arguments, **options)

    monkeypatch.setattr(os, "open", refused)
    said = re.escape(f"{run / name}: cannot be read: {os.strerror(cause)}: ") + "(check its|raise)"
    if not name.startswith(LAST):
        with pytest.raises(DiskError, match=said):
            lstm_cli.load(run)
    with pytest.raises(DiskError, match=said):
        train(small_config(trained, train={"epochs": 2}), run, resume=True)
    assert (run / LAST / MANIFEST).read_bytes() == before


def test_a_size_beyond_memory_is_refused_though_the_manifest_says_it(run: Path) -> None:
    manifest = json.loads((run / BEST / MANIFEST).read_text())
    manifest["files"][MODEL]["size"] = 1 << 50
    (run / BEST / MANIFEST).write_bytes(checkpoint._sealed({**manifest, "sha256": checkpoint.UNHASHED}))
    with pytest.raises(CheckpointError, match=f"{MODEL}: .*{1 << 50:,}"):
        lstm_cli.load(run)


@pytest.mark.slow
def test_no_command_waits_for_a_pipe_or_reads_what_never_ends(trained: Path, run: Path) -> None:
    replace(run / BEST / "model.safetensors", "a pipe")
    replace(run / "report.html", "a device")
    config = small_config(trained).to_yaml()
    (trained / "c.yaml").write_text(config)
    for command, code in (
        (["predict", str(run), "gestures.jsonl"], 65),
        (["train", "c.yaml", "-o", str(run), "--resume"], 2),
        (["train", "c.yaml", "-o", str(run), "--overwrite"], 2),
    ):
        program = [sys.executable, "-c", "from lstm_cli.cli.start import main; main()", *command]
        done = subprocess.run(program, cwd=trained, capture_output=True, text=True, timeout=MOMENT)
        assert done.returncode == code, done.stderr
        assert len(done.stderr.splitlines()) == 1
