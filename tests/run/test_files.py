"""A file appears whole or not at all."""

import os
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from lstm_cli.errors import DiskError
from lstm_cli.run.files import WholeFile, replace_file, replace_folder, temporary_name, write_new
from tests.support.paths import names_in


def test_an_empty_folder_in_place_of_a_file_is_replaced_with_its_folder(tmp_path: Path) -> None:
    (tmp_path / "x" / "state.json").mkdir(parents=True)
    replace_folder(tmp_path / "x", ["state.json"], lambda folder: replace_file(folder / "state.json", b"new"))
    assert names_in(tmp_path) == {"x"}
    assert (tmp_path / "x" / "state.json").read_bytes() == b"new"


def test_a_file_is_replaced(tmp_path: Path) -> None:
    replace_file(tmp_path / "a", b"one")
    replace_file(tmp_path / "a", b"two")
    assert (tmp_path / "a").read_bytes() == b"two"
    assert names_in(tmp_path) == {"a"}


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(DiskError) as caught:
        WholeFile(tmp_path / "missing" / "out")
    place = f"{tmp_path}/missing"
    assert str(caught.value) == (
        f"{place}/out: cannot be written: there is no folder {place}: create it, or choose another place with -o"
    )


def test_a_new_file_does_not_take_the_place_of_another(tmp_path: Path) -> None:
    write_new(tmp_path / "a", [b"one", memoryview(b" two")])
    with pytest.raises(DiskError, match="a: cannot be written: File exists"):
        write_new(tmp_path / "a", [b"three"])
    assert (tmp_path / "a").read_bytes() == b"one two"


def test_temporary_names_differ(tmp_path: Path) -> None:
    assert temporary_name(tmp_path / "a") != temporary_name(tmp_path / "a")


def test_results_appear_when_they_are_complete(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_bytes(b"before")
    with WholeFile(path) as file:
        file.write(b"new")
        assert path.read_bytes() == b"before"
    assert path.read_bytes() == b"new"
    assert names_in(tmp_path) == {"out"}


def stream(path: Path) -> None:
    with WholeFile(path) as file:
        file.write(b"new")


def replace_whole_folder(path: Path) -> None:
    path.mkdir()
    replace_folder(path, ["part"], lambda folder: write_new(folder / "part", [b"new"]))


@pytest.mark.parametrize(
    ("write", "calls"),
    [
        (stream, ["sync 3 bytes", "rename to out", "sync the folder"]),
        (lambda path: replace_file(path, b"new"), ["sync 3 bytes", "rename to out", "sync the folder"]),
        (replace_whole_folder, ["sync 3 bytes", "sync a folder", "rename out", "rename to out", "sync the folder"]),
    ],
    ids=["stream", "file", "folder"],
)
def test_all_is_on_the_disk_before_it_gets_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Callable[[Path], None], calls: list[str]
) -> None:
    """After a power cut a name may else belong to an empty file, and without the folder's sync to none."""
    made = []

    def fsync(descriptor: int) -> None:
        status = os.fstat(descriptor)
        folder = "the folder" if os.path.samestat(status, tmp_path.stat()) else "a folder"
        made.append(f"sync {folder if stat.S_ISDIR(status.st_mode) else f'{status.st_size} bytes'}")

    def renaming(call: Callable[..., None]) -> Callable[..., None]:
        def rename(source: Path, target: Path) -> None:
            made.append("rename to out" if Path(target).name == "out" else f"rename {Path(source).name}")
            call(source, target)

        return rename

    monkeypatch.setattr(os, "fsync", fsync)
    for name in ("rename", "replace"):
        monkeypatch.setattr(os, name, renaming(getattr(os, name)))
    write(tmp_path / "out")
    assert made == calls


def test_results_do_not_appear_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), WholeFile(tmp_path / "out") as file:
        file.write(b"half")
        _ = 1 / 0
    assert names_in(tmp_path) == set()


def test_results_go_where_a_link_points(tmp_path: Path) -> None:
    (tmp_path / "out").symlink_to(tmp_path / "target")
    with WholeFile(tmp_path / "out") as file:
        file.write(b"new")
    assert (tmp_path / "out").is_symlink()
    assert (tmp_path / "target").read_bytes() == b"new"


def test_results_go_into_a_pipe_as_they_come(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append((tmp_path / "pipe").read_bytes()))
    reader.start()
    with WholeFile(tmp_path / "pipe") as file:
        file.write(b"new")
    reader.join()
    assert read == [b"new"]
    assert (tmp_path / "pipe").is_fifo()


def test_nothing_is_renamed_over_a_device() -> None:
    with WholeFile(Path("/dev/null")) as file:
        file.write(b"new")
    assert Path("/dev/null").is_char_device()


def test_standard_output_can_be_named_as_a_file() -> None:
    script = "import lstm_cli.run.files as f\nwith f.WholeFile(f.Path('/dev/stdout')) as file: file.write(b'new')"
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, check=True).stdout == b"new"


def test_a_full_device_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "full").symlink_to("/dev/full")
    with pytest.raises(DiskError, match="full: cannot be written: No space left on device: free some space"):
        with WholeFile(tmp_path / "full") as file:
            file.write(b"new")


def test_a_reader_that_went_away_is_no_disk_error(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    file = WholeFile(Path(f"/dev/fd/{writing}"))
    os.close(reading)
    with pytest.raises(BrokenPipeError), file:
        file.write(b"new")
    os.close(writing)
