"""Who may write into a run folder, and what is removed from one."""

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from lstm_cli.config import config_from_mapping
from lstm_cli.errors import CheckpointError, ConfigError, DiskError, RunBusy
from lstm_cli.run import lock as folder_lock
from lstm_cli.run.checkpoint import load_newest, save
from lstm_cli.run.config_changes import compare_configs
from lstm_cli.run.environment import Surroundings, environment
from lstm_cli.run.folder import RunFolder
from lstm_cli.run.identity import check_identity, check_model, identity, read_checked
from lstm_cli.run.names import LOCK
from tests.support.crash import Worker
from tests.support.crash_worker import state
from tests.support.paths import ROOT, names_in


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """The folder of a run that is over."""
    path = tmp_path / "runs" / "x"
    with RunFolder.create(path) as run:
        for name in ("config.yaml", "resolved.yaml", "environment.json", "metrics.jsonl"):
            run.write(name, f"{name} of the first run")
        run.write("vocabulary.json", "[]")
        save(state(1), run.last)
        save(state(1), run.best)
    return path


def test_a_new_run_gets_its_folders(run: Path) -> None:
    assert names_in(run) == {
        LOCK,
        "config.yaml",
        "resolved.yaml",
        "environment.json",
        "metrics.jsonl",
        "vocabulary.json",
        "last",
        "best",
    }
    assert (run / "config.yaml").read_text() == "config.yaml of the first run"


def test_a_folder_with_a_run_is_refused_with_both_ways_out(run: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"runs/x: holds a run: continue it with --resume or replace it with --overwrite"
    ):
        RunFolder.create(run)
    with RunFolder.resume(run) as resumed:
        assert load_newest(resumed.path).state.position["step"] == 1


def test_overwrite_removes_what_the_tool_made_and_nothing_else(run: Path) -> None:
    (run / "notes.txt").write_text("mine")
    (run / "best" / "notes.txt").write_text("mine too")
    (run / ".tmp-config.yaml-01234567").write_text("unfinished")
    (run / ".old-last-01234567").mkdir()
    (run / "thesis").mkdir()
    (run / "thesis" / "best.tex").write_text("mine as well")
    with RunFolder.create(run, overwrite=True) as new:
        (warning,) = new.warnings
    left = {path.name: path.read_text() for path in run.rglob("*") if path.is_file() and path.parent != run}
    assert left == {"notes.txt": "mine too", "best.tex": "mine as well"}
    assert (run / "notes.txt").read_text() == "mine"
    (former,) = names_in(run) - {LOCK, "notes.txt", "thesis"}
    assert warning == f"{run}: replaced, except for files that this tool did not create: {former}, notes.txt, thesis"


NO_ROOM = """
import resource
from lstm_cli.cli.group import train
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
train()
"""


@pytest.mark.parametrize("options", [[], ["--resume"]])
def test_a_place_without_room_is_found_before_the_data_is_read(tmp_path: Path, options: list[str]) -> None:
    """No file of the process grows beyond what the lock takes, as on a disk that is all but full."""
    (tmp_path / "c.yaml").write_text("data: {train: missing.jsonl, target: y}")
    (tmp_path / "new").mkdir()
    command = [sys.executable, "-c", NO_ROOM, str(tmp_path / "c.yaml"), "-o", str(tmp_path / "new"), *options]
    for _ in range(2):  # the first time let go of the folder
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 74
        assert re.search(r"new/probe: cannot be written: File too large .+: free some space", done.stderr)
    assert names_in(tmp_path / "new") == {LOCK}


def test_overwrite_of_nothing_is_fine(tmp_path: Path) -> None:
    with RunFolder.create(tmp_path / "new", overwrite=True) as run:
        assert run.warnings == []
    with RunFolder.create(tmp_path / "new"):
        pass


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_file_in_the_folders_place_is_named(tmp_path: Path, overwrite: bool) -> None:
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(ConfigError, match=r"mine: exists and is no folder: choose another one with -o$"):
        RunFolder.create(tmp_path / "mine", overwrite=overwrite)
    assert (tmp_path / "mine").read_text() == "mine"


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_folder_with_something_else_is_refused_and_left_alone(tmp_path: Path, overwrite: bool) -> None:
    (tmp_path / "config.yaml").write_text("mine")
    with pytest.raises(ConfigError, match="contains other files and no run: choose another one with -o"):
        RunFolder.create(tmp_path, overwrite=overwrite)
    with pytest.raises(ConfigError, match="no run to resume: leave out --resume to start one"):
        RunFolder.resume(tmp_path)
    assert names_in(tmp_path) == {"config.yaml"}


@pytest.mark.parametrize("name", ["best", "metrics.jsonl"])
def test_overwrite_follows_no_link(run: Path, tmp_path: Path, name: str) -> None:
    (run / name).rename(tmp_path / "elsewhere")
    (run / name).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConfigError, match=f"runs/x/{name}: a symbolic link, which this tool did not create"):
        RunFolder.create(run, overwrite=True)
    assert "config.yaml" in names_in(run)
    assert (tmp_path / "elsewhere").exists()


def test_a_copy_without_hidden_files_is_a_run(run: Path) -> None:
    (run / LOCK).unlink()
    with RunFolder.resume(run) as resumed:
        assert load_newest(resumed.path).state.position["step"] == 1


def test_what_still_has_a_checkpoint_is_a_run(run: Path) -> None:
    for name in (LOCK, "resolved.yaml", "config.yaml", "environment.json"):
        (run / name).unlink()
    with RunFolder.resume(run) as resumed:
        assert load_newest(resumed.path).state.position["step"] == 1


def test_resume_needs_a_run(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no run to resume"):
        RunFolder.resume(tmp_path / "nothing")
    assert not names_in(tmp_path)


def test_resume_of_a_run_killed_before_it_began(tmp_path: Path) -> None:
    with RunFolder.resume(tmp_path) as run:
        assert load_newest(run.path) is None


def test_damaged_lines_of_the_metrics_are_reported(run: Path) -> None:
    good, torn = '{"step": 5, "epoch": 1, "split": "valid", "seconds": 1.5, "loss": 0.5}\n', '{"step": 10, "ep'
    for content, numbers in (
        (torn, ""),
        (good + torn, ""),
        (good + "\0\0\n" + good + torn, ":2: a damaged line: "),
        (good + "#\n" * 3 + good, ":2: a damaged line, and 2 more: "),
    ):
        (run / "metrics.jsonl").write_text(content)
        with RunFolder.resume(run) as resumed:
            left = f"{run}/metrics.jsonl{numbers}left unchanged, and not in the report"
            assert resumed.warnings == ([left] if numbers else [])
        assert (run / "metrics.jsonl").read_text() == content


def test_metrics_beyond_what_any_run_writes_are_refused_unread(run: Path) -> None:
    (run / "metrics.jsonl").write_bytes(b"")
    os.truncate(run / "metrics.jsonl", 20 << 30)
    with pytest.raises(CheckpointError, match=r"metrics\.jsonl: damaged: 21,474,836,480 bytes, .* or remove it$"):
        RunFolder.resume(run)


def test_metrics_behind_a_link_are_refused_at_once(run: Path) -> None:
    (run / "metrics.jsonl").rename(run.parent / "elsewhere")
    (run / "metrics.jsonl").symlink_to(run.parent / "elsewhere")
    for _ in range(2):  # the first time let go of the folder
        with pytest.raises(ConfigError, match=r"metrics\.jsonl: a symbolic link, which this tool did not create"):
            RunFolder.resume(run)


def test_unfinished_files_are_removed(run: Path) -> None:
    for name in (".tmp-resolved.yaml-01234567", ".tmp-probe-01234567", ".tmp-notes.txt-01234567"):
        (run / name).write_text("half")
    for name, file in ((".tmp-last-01234567", "model.safetensors"), (".tmp-schema-01234567", "scaling.json")):
        (run / name).mkdir()
        (run / name / file).write_text("half")
    with RunFolder.resume(run):
        assert [name for name in names_in(run) if name.startswith(".tmp")] == [".tmp-notes.txt-01234567"]


def test_only_listed_files_are_written(run: Path) -> None:
    with RunFolder.resume(run) as resumed, pytest.raises(ValueError, match="not listed"):
        resumed.write("surprise.txt", "")


class TestLock:
    """One process at a time."""

    @pytest.fixture
    def other(self, tmp_path: Path) -> Iterator[Worker]:
        worker = Worker(tmp_path)
        yield worker
        worker.close()

    @pytest.fixture
    def holder(self, tmp_path: Path) -> Iterator[Worker]:
        (tmp_path / "holder").mkdir()
        worker = Worker(tmp_path / "holder")
        yield worker
        worker.close()

    def test_a_second_process_learns_which_one_holds_it(self, run: Path, holder: Worker, other: Worker) -> None:
        (run / LOCK).unlink()
        pid = holder.start(do="open", run=run, resume=True, content="held", seconds=600)
        while not (run / "vocabulary.json").read_text().startswith("held"):
            time.sleep(0.01)
        for task in ({"resume": True}, {"resume": False, "overwrite": True}, {"resume": False, "overwrite": False}):
            outcome = other.run(do="open", run=run, content="second", **task)
            assert outcome.code == 75
            assert f"runs/x: in use by process {pid} on {socket.gethostname()} since 20" in outcome.message
            assert "\n" not in outcome.message
        assert (run / "config.yaml").read_text().startswith("held")
        holder.kill(pid)
        assert other.run(do="open", run=run, resume=True, content="second").code == 0

    def test_the_same_process_cannot_take_it_twice(self, run: Path) -> None:
        with RunFolder.resume(run):
            with pytest.raises(RunBusy, match=f"process {os.getpid()}"):
                RunFolder.resume(run)
        with RunFolder.resume(run):
            pass

    def test_an_unreadable_record_is_another_process(self, run: Path) -> None:
        with RunFolder.resume(run):
            (run / LOCK).write_text("?")
            with pytest.raises(RunBusy, match="in use by another process"):
                RunFolder.resume(run)

    def test_a_failed_start_lets_go(self, run: Path) -> None:
        with pytest.raises(ConfigError):
            RunFolder.create(run)
        with RunFolder.resume(run):
            pass

    def test_a_link_in_place_of_the_lock_is_refused(self, run: Path, tmp_path: Path) -> None:
        (run / LOCK).unlink()
        (run / LOCK).symlink_to(tmp_path / "elsewhere")
        with pytest.raises(DiskError):
            RunFolder.resume(run)
        assert not (tmp_path / "elsewhere").exists()

    def test_a_file_system_without_locks_is_a_warning(self, run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def no_locks(*_: object) -> None:
            raise OSError(folder_lock.errno.ENOSYS, "Function not implemented")

        monkeypatch.setattr(folder_lock.fcntl, "flock", no_locks)
        with RunFolder.resume(run) as resumed:
            assert "cannot be locked (Function not implemented)" in resumed.warnings[0]


CONFIG = config_from_mapping({"data": {"train": "a.csv", "target": "y"}}).model_dump(mode="json")
FILES = {"resolved.yaml": b"resolved.yaml of the first run", "vocabulary.json": b"[]"}


class TestIdentity:
    """What a checkpoint belongs to."""

    def test_the_same_run_is_the_same(self, run: Path) -> None:
        kept = json.loads(json.dumps(identity(CONFIG, FILES, {"train": "ab"})))
        assert check_identity(kept, identity(CONFIG, FILES, {"train": "ab"}), run) == []
        assert set(kept["digests"]) == {"resolved.yaml", "vocabulary.json"}
        assert read_checked(kept, run) == {"vocabulary.json": b"[]"}

    @pytest.mark.parametrize(
        ("name", "content"), [("vocabulary.json", "{}"), ("vocabulary.json", "{ }"), ("scaling.json", "")]
    )
    def test_another_schema_is_refused(self, run: Path, name: str, content: str) -> None:
        (run / name).write_text(content)
        for kept in (identity(CONFIG, FILES), {"digests": identity(CONFIG, FILES)["digests"]}):
            with pytest.raises(CheckpointError, match=f"{name}: not the file that the checkpoint was trained with"):
                read_checked(kept, run)
        now = identity(CONFIG, FILES | {name: content.encode()})
        with pytest.raises(CheckpointError, match=f"{name}: not the file that the checkpoint was trained with"):
            check_model(kept, now, run)

    def test_other_versions_are_named(self, run: Path) -> None:
        kept = identity(CONFIG, FILES)
        kept["versions"]["numpy"] = "1.0"
        found = check_identity(kept, identity(CONFIG, FILES), run)
        assert [note.split(" -> ")[0] for note in found] == ["numpy 1.0"]

    def test_the_environment_is_json(self) -> None:
        found = json.loads(json.dumps(environment(seed=3)))
        assert found["seed"] == 3
        assert {"python", "numpy", "pytensor", "numba"} <= set(found["versions"])
        assert found["machine"]["host"] == socket.gethostname()

    def test_what_the_environment_says_is_read_again(self) -> None:
        found = Surroundings.of(json.loads(json.dumps(environment(seed=3))))
        assert found.started and found.command == tuple(sys.argv)
        assert found.versions["numpy"] == np.__version__ and found.machine["host"] == socket.gethostname()

    @pytest.mark.parametrize("value", [None, 7, "x", [1], {"cores": None}])
    def test_what_is_of_another_kind_is_left_out(self, value: object) -> None:
        found = Surroundings.of(dict.fromkeys(["started", "command", "versions", "machine", "config"], value))
        assert found.started == (value if value == "x" else "")
        assert found.command == (("1",) if value == [1] else ())
        assert found.versions == found.machine == found.config == {}


OLD = {
    "seed": 1,
    "threads": "auto",
    "data": {"train": "a.csv", "valid": 0.2, "test": "c.csv", "on_error": "stop", "inputs": {"x": {"kind": "auto"}}},
    "model": {"layers": [{"size": 8}, {"size": 8}], "dropout": 0.3},
    "rollout": {"dynamics": "p.py:cart", "steps": 5},
    "optimizer": {"name": "adam", "learning_rate": 0.001},
    "train": {"epochs": 5, "batch_size": 32, "monitor": "valid.loss", "schedule": {"name": "constant"}},
}


@pytest.mark.parametrize(
    ("section", "key", "value", "allowed"),
    [
        ("train", "epochs", 9, True),
        ("train", "patience", 3, True),
        ("train", "batch_size", 64, False),
        ("train", "monitor", "valid.accuracy", False),
        ("data", "on_error", "skip", True),
        ("data", "train", "moved/a.csv", True),
        ("data", "valid", "b.csv", False),
        ("data", "test", 0.2, False),
        ("rollout", "dynamics", "moved/p.py:cart", True),
        ("rollout", "dynamics", "p.py:cart_two", False),
        ("rollout", "dynamics", None, False),
        ("rollout", "steps", 6, False),
        ("data", "inputs", {"x": {"kind": "tokens"}}, False),
        ("model", "layers", [{"size": 8}], False),
        ("model", "dropout", 0.2, False),
        ("optimizer", "learning_rate", 0.01, True),
        ("optimizer", "name", "sgd", False),
    ],
)
def test_a_resumed_run_may_change_some_keys(section: str, key: str, value: object, allowed: bool) -> None:
    changes = compare_configs(OLD, {**OLD, section: {**OLD[section], key: value}})
    assert bool(changes.allowed) == allowed
    assert bool(changes.refused) != allowed


def test_changes_are_listed_with_old_and_new_value() -> None:
    new = {**OLD, "threads": 2, "seed": 7, "train": {**OLD["train"], "schedule": {"name": "cosine", "warmup": 9}}}
    assert compare_configs(OLD, new) == (
        ["threads: auto -> 2", "train.schedule.name: constant -> cosine", "train.schedule.warmup: unset -> 9"],
        ["seed: 1 -> 7"],
    )
    assert compare_configs(OLD, OLD) == ([], [])


@pytest.mark.parametrize(
    ("old", "new", "refused"),
    [
        ({"name": "sgd", "momentum": 0.9}, {"name": "rmsprop", "momentum": 0.5}, {"name", "momentum"}),
        ({"name": "sgd", "momentum": 0.0}, {"name": "rmsprop", "momentum": 0.5}, {"name"}),
        ({"name": "sgd", "momentum": 0.9}, {"name": "adam", "beta1": 0.9}, {"name", "momentum"}),
        ({"name": "sgd", "momentum": 0.0}, {"name": "adam", "beta1": 0.9}, {"name"}),
        ({"name": "rmsprop", "momentum": 0.5}, {"name": "rmsprop", "momentum": 0.0}, set()),
    ],
)
def test_momentum_is_kept_by_sgd_only(old: dict, new: dict, refused: set[str]) -> None:
    for values in ((old, new), (new, old)):
        changes = compare_configs(*({**OLD, "optimizer": value} for value in values))
        assert {change.partition(":")[0].removeprefix("optimizer.") for change in changes.refused} == refused
