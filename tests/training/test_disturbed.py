"""Other programs remove, rename or replace the files of a run while it trains."""

import re
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from lstm_cli.errors import DiskError, RunBusy
from lstm_cli.run.checkpoint import load
from lstm_cli.run.folder import RunFolder
from lstm_cli.run.names import LAST, LOCK
from tests.support.paths import names_in
from tests.support.process import started
from tests.support.runs import Watcher, Whole, assert_same, metrics, small_config, train, watched

CHANGES = {"train": {"epochs": 4, "checkpoint_every": "2 steps"}}
AFTER = 11  # events: in the middle of the second epoch, with an evaluation and a checkpoint behind it


def train_disturbed(whole: Whole, run: Path, disturb: Callable[[], object]) -> str:
    """Train with something happening on the way; return the log."""
    watched(small_config(whole.folder, **CHANGES), run, Watcher(AFTER, disturb))
    assert_same(run, whole.of("disturbed", CHANGES))
    return (run / "train.log").read_text()


DISTURBANCES: dict[str, tuple[Callable[[Path], object], str]] = {
    "removed": (Path.unlink, "removed or renamed by another program: written again"),
    "renamed": (lambda path: path.rename(f"{path}.old"), "removed or renamed by another program: written again"),
    "replaced": (
        lambda path: path.write_text("other\n") if path.unlink() is None else None,
        r"replaced by another program: written again; what lay there is now (.+\.other-[0-9a-f]{8})",
    ),
    "replaced by a folder": (
        lambda path: path.mkdir() if path.unlink() is None else None,
        r"replaced by another program: written again; what lay there is now (.+\.other-[0-9a-f]{8})",
    ),
}


@pytest.mark.parametrize("name", ["metrics.jsonl", "train.log"])
@pytest.mark.parametrize("how", DISTURBANCES)
def test_a_file_that_grows_is_written_again(whole: Whole, name: str, how: str) -> None:
    disturb, told = DISTURBANCES[how]
    run = whole.new()
    log = train_disturbed(whole, run, lambda: disturb(run / name))
    (found,) = re.finditer(rf"warning: {run}/{name}: {told}\n", log)
    assert log.count("starting: ") == log.count("finished: ") == 1
    if how.startswith("replaced"):
        aside = Path(found[1])
        assert aside.is_dir() if how.endswith("folder") else aside.read_text() == "other\n"


def test_a_log_that_was_cut_is_continued(whole: Whole) -> None:
    run = whole.new()
    log = train_disturbed(whole, run, lambda: (run / "train.log").write_bytes(b""))
    assert re.search(r"train\.log: [\d,]+ bytes were cut off by another program: they are lost\n", log)
    assert "finished: " in log


@pytest.mark.parametrize("name", ["resolved.yaml", "schema.json"])
@pytest.mark.parametrize("resumed", [False, True])
def test_a_small_file_is_written_again(whole: Whole, name: str, resumed: bool) -> None:
    run = whole.new()
    if resumed:
        with pytest.raises(KeyboardInterrupt):
            watched(small_config(whole.folder, **CHANGES), run, Watcher(5, interrupt))
    content = (whole.of("disturbed", CHANGES) / name).read_text()
    watched(small_config(whole.folder, **CHANGES), run, Watcher(5, (run / name).unlink), resume=resumed)
    assert_same(run, whole.of("disturbed", CHANGES))
    assert f"warning: {run}/{name}: removed by another program: written again\n" in (run / "train.log").read_text()
    assert (run / name).read_text() == content


@pytest.mark.parametrize("name", ["resolved.yaml", "schema.json", "vocabulary.json"])
def test_a_small_file_that_is_missing_before_a_resume_is_written_again(whole: Whole, name: str) -> None:
    run = whole.new()
    with pytest.raises(KeyboardInterrupt):
        watched(small_config(whole.folder, **CHANGES), run, Watcher(5, interrupt))
    content = (run / name).read_text()
    (run / name).unlink()
    watched(small_config(whole.folder, **CHANGES), run, Watcher(5, lambda: None), resume=True)
    assert_same(run, whole.of("disturbed", CHANGES))
    assert (run / name).read_text() == content


def interrupt() -> None:
    raise KeyboardInterrupt


def test_a_lock_that_was_removed_is_taken_again(whole: Whole) -> None:
    run, refused = whole.new(), []

    class Rival(Watcher):
        """Tries to take the folder at the first checkpoint after the lock's removal."""

        def __call__(self, event: object) -> None:
            super().__call__(event)
            if len(self.events) == AFTER + 6:
                with pytest.raises(RunBusy) as caught:
                    RunFolder.resume(run)
                refused.append(caught.value)

    watched(small_config(whole.folder, **CHANGES), run, Rival(AFTER, (run / LOCK).unlink))
    assert len(refused) == 1
    assert_same(run, whole.of("disturbed", CHANGES))
    told = f"warning: {run / LOCK}: removed or replaced while the run was training: the folder is locked again\n"
    assert (run / "train.log").read_text().count(told) == 1


@pytest.mark.parametrize("over", [False, True], ids=["still there", "over"])
def test_a_run_whose_folder_another_one_has_taken_writes_nothing_more(whole: Whole, over: bool) -> None:
    run, kept = whole.new(), {}

    def take() -> None:
        (run / LOCK).unlink()
        other = RunFolder.resume(run)
        kept["other"] = other
        if over:
            other.close()
        kept["files"] = contents(run)

    with pytest.raises(RunBusy, match=f"^{run}: taken by process .+: its lock was removed while this .+") as caught:
        watched(small_config(whole.folder, **CHANGES), run, Watcher(AFTER, take))
    assert caught.value.exit_code == 75
    assert contents(run) == kept["files"]
    kept["other"].close()
    train(small_config(whole.folder, **CHANGES), run, resume=True)
    assert_same(run, whole.of("disturbed", CHANGES))


def contents(run: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in run.rglob("*") if path.is_file() and path.name != "report.html"}


def replace_folder(run: Path) -> None:
    run.rename(f"{run}-moved")
    run.mkdir()


@pytest.mark.parametrize(
    "disturb", [shutil.rmtree, lambda run: run.rename(f"{run}-moved"), replace_folder], ids=["gone", "moved", "another"]
)
def test_a_folder_that_is_gone_is_one_message(whole: Whole, disturb: Callable[[Path], object]) -> None:
    run = whole.new()
    with pytest.raises(DiskError, match=f"^{run}: the run folder was removed, renamed or replaced while .+") as caught:
        watched(small_config(whole.folder, **CHANGES), run, Watcher(AFTER, lambda: disturb(run)))
    assert caught.value.exit_code == 74
    assert "\n" not in str(caught.value)
    assert not run.exists() or names_in(run) == set()
    moved = Path(f"{run}-moved")
    if moved.exists():
        train(small_config(whole.folder, **CHANGES), moved, resume=True)
        assert_same(moved, whole.of("disturbed", CHANGES))


@pytest.mark.slow
def test_the_folder_of_a_real_run_is_renamed(endless_config: Path, tmp_path: Path) -> None:
    with started(endless_config, tmp_path / "run") as process:
        process.wait_for(lambda: "epoch 3, " in process.said)
        process.run.rename(tmp_path / "moved")
        assert process.end() == 74
    message = process.said.splitlines()[-1]
    assert message.startswith(f"{tmp_path}/run: the run folder was removed, renamed or replaced while")
    assert "Traceback" not in process.said
    assert load(tmp_path / "moved" / "best").position["step"] >= 5


@pytest.mark.slow
def test_of_two_real_runs_in_a_folder_the_one_that_lost_its_lock_ends(endless_config: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    with started(endless_config, run) as first:
        first.wait_for(lambda: "epoch 9, " in first.said)
        first.send(signal.SIGSTOP)
        (run / LOCK).unlink()
        with started(endless_config, tmp_path / "second", "-o", str(run), "--resume") as second:
            second.wait_for(lambda: "continuing after step " in second.said)
            first.send(signal.SIGCONT)
            assert first.end() == 75
            second.send(signal.SIGTERM)
            assert second.end() == 143
    assert "its lock was removed while this run was training, which ends and saves" in first.said.splitlines()[-1]
    steps = [entry["step"] for entry in metrics(run)]
    assert steps == [5 * epoch for epoch in range(1, len(steps) + 1)]
    assert load(run / LAST).position["step"] >= steps[-1] > 45
