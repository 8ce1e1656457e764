"""Which of the folders of a run is read, whatever saves do meanwhile and whatever else lies there."""

import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_cli.errors import CheckpointError
from lstm_cli.run import checkpoint
from lstm_cli.run.checkpoint import load, load_newest, save, tidy
from lstm_cli.run.names import CHECKPOINT_FILES, MANIFEST, POSITION
from tests.support.crash import damage, step_of
from tests.support.crash_worker import state
from tests.support.paths import names_in


def test_a_missing_checkpoint_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="best: there is no checkpoint"):
        load(tmp_path / "best")


def saves(folder: Path, steps: Iterable[int]) -> Iterator[None]:
    """Replace the folder by one state after another as a save does, pausing after each call that others can see."""
    for step in steps:
        temporary, old = folder.with_name(".tmp-last-01234567"), folder.with_name(".old-last-01234567")
        save(state(step, size=2), temporary)
        folder.rename(old)
        yield
        temporary.rename(folder)
        yield
        for name in CHECKPOINT_FILES:
            (old / name).unlink()
            yield
        old.rmdir()
        yield


@given(st.lists(st.integers(0, 8), max_size=40))
@settings(max_examples=100, deadline=None)
def test_a_reader_finds_a_state_whatever_a_save_does_meanwhile(pauses: list[int]) -> None:
    """The pauses are how far the saves get before each of the reader's looks at the disk; then they rest."""
    with TemporaryDirectory() as place, pytest.MonkeyPatch.context() as patch:
        folder = Path(place) / "last"
        save(state(1, size=2), folder)
        saving, waits = saves(folder, range(2, 100)), iter(pauses)

        def beside(look: Callable[[Path], object]) -> Callable[[Path], object]:
            def late(path: Path) -> object:
                for _ in range(next(waits, 0)):
                    next(saving)
                return look(path)

            return late

        patch.setattr(checkpoint, "_stamp", beside(checkpoint._stamp))
        patch.setattr(checkpoint, "retired", beside(checkpoint.retired))
        patch.setattr(Path, "read_bytes", beside(Path.read_bytes))
        seen = [step_of(load(folder)) for _ in range(3)]
    assert seen == sorted(seen)


def test_what_a_kill_left_of_an_old_state_goes_once_the_new_one_is_whole(tmp_path: Path) -> None:
    save(state(5), tmp_path / "best")
    save(state(4), tmp_path / ".old-best-01234567")
    (tmp_path / ".old-best-01234567" / "notes.txt").write_text("mine")
    damage(tmp_path / "best")
    tidy(tmp_path / "best")
    assert names_in(tmp_path) == {"best", ".old-best-01234567"}
    (tmp_path / "best").rename(tmp_path / "damaged")
    tidy(tmp_path / "best")
    assert step_of(load(tmp_path / "best")) == 4
    save(state(6), tmp_path / "other")
    (tmp_path / "other").rename(tmp_path / "best")
    tidy(tmp_path / "best")
    assert names_in(tmp_path) == {"best", "damaged"}
    assert (tmp_path / "best" / "notes.txt").read_text() == "mine"
    assert step_of(load(tmp_path / "best")) == 6


class TestResume:
    """`load_newest` finds the newest good state, and warns of a damaged one."""

    @pytest.fixture
    def run(self, tmp_path: Path) -> Path:
        save(state(5), tmp_path / "last")
        save(state(3), tmp_path / "best")
        return tmp_path

    def test_takes_last(self, run: Path) -> None:
        found = load_newest(run)
        assert (step_of(found.state), found.folder, found.warning) == (5, run / "last", "")

    def test_takes_best_if_it_is_newer(self, run: Path) -> None:
        save(state(6), run / "best")
        assert step_of(load_newest(run).state) == 6

    def test_continues_from_best_if_last_is_damaged(self, run: Path) -> None:
        damage(run / "last")
        found = load_newest(run)
        assert step_of(found.state) == 3
        assert found.warning.splitlines() == [
            f"{run}/last/model.safetensors: damaged checkpoint: its SHA-256 is not the one in manifest.json",
            f"continuing from {run}/best, step 3",
        ]

    def test_warns_of_a_damaged_best_as_well(self, run: Path) -> None:
        damage(run / "best")
        found = load_newest(run)
        assert step_of(found.state) == 5
        assert "best/model.safetensors: damaged" in found.warning

    def test_knows_a_retired_state(self, run: Path) -> None:
        (run / "last").rename(run / ".old-last-01234567")
        assert step_of(load(run / "last")) == 5
        found = load_newest(run)
        assert (step_of(found.state), found.warning) == (5, "")
        save(state(6), run / "last")
        damage(run / "last")
        shutil.copytree(run / "best", run / ".old-last-01234567")
        assert "continuing from" in load_newest(run).warning

    def test_takes_the_newest_good_one_of_several_retired_states(self, run: Path) -> None:
        """Several saves were killed, each at another moment: removing the state before, or between two renames."""
        (run / "last").rename(run / ".old-last-22222222")
        save(state(4), run / ".old-last-33333333")
        for name, step in ((".old-last-11111111", 7), (".old-last-44444444", 8)):
            save(state(step), run / name)
            (run / name / MANIFEST).unlink()
        assert step_of(load(run / "last")) == 5
        assert step_of(load_newest(run).state) == 5

    def test_is_no_guess_if_all_are_damaged(self, run: Path) -> None:
        damage(run / "best")
        (run / "last" / POSITION).unlink()
        with pytest.raises(CheckpointError) as caught:
            load_newest(run)
        lines = str(caught.value).splitlines()
        assert "last/state.json" in lines[0]
        assert "best/model.safetensors" in lines[1]
        assert lines[2].endswith("no good checkpoint is left: start again with --overwrite")

    def test_finds_nothing_before_the_first_save(self, tmp_path: Path) -> None:
        assert load_newest(tmp_path) is None
        (tmp_path / ".tmp-last-01234567").mkdir()
        assert load_newest(tmp_path) is None


def test_a_file_of_the_user_in_a_checkpoint_survives(tmp_path: Path) -> None:
    save(state(1), tmp_path / "last")
    (tmp_path / "last" / "notes.txt").write_text("mine")
    save(state(2), tmp_path / "last")
    assert step_of(load(tmp_path / "last")) == 2
    assert (tmp_path / "last" / "notes.txt").read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["last"]
    save(state(3), tmp_path / "last")
    assert (tmp_path / "last" / "notes.txt").read_text() == "mine"
    assert step_of(load_newest(tmp_path).state) == 3


def test_a_link_in_place_of_a_checkpoint_is_not_followed(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    save(state(1), elsewhere)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "last").symlink_to(elsewhere)
    save(state(2), tmp_path / "run" / "last")
    assert step_of(load(tmp_path / "run" / "last")) == 2
    assert step_of(load(elsewhere)) == 1
