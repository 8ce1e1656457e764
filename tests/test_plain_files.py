"""Only regular files of the expected size are read from a run folder."""

from pathlib import Path

import pytest

from lstm_cli.plain_files import NotPlain, read_plain
from tests.support.not_plain import HUGE, NOT_PLAIN, replace


@pytest.mark.parametrize("kind", NOT_PLAIN)
def test_anything_else_is_refused_before_it_is_read(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "file"
    NOT_PLAIN[kind](path)
    with pytest.raises(NotPlain) as error:
        read_plain(path, size=4)
    expected = "21,474,836,480 bytes, expected 4" if kind.startswith("2") else f"not a regular file but {kind}"
    assert error.value.strerror == expected


def test_a_file_larger_than_it_may_be_is_refused(tmp_path: Path) -> None:
    replace(tmp_path / "file", f"{HUGE:,} bytes, expected")
    with pytest.raises(NotPlain, match="21,474,836,480 bytes, expected at most 1,000"):
        read_plain(tmp_path / "file", most=1000)
    with pytest.raises(NotPlain, match="21,474,836,480 bytes, expected at most 1,073,741,824"):
        read_plain(tmp_path / "file")


def test_a_file_is_read_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"1234")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    assert read_plain(tmp_path / "link", size=4, most=4) == b"1234"
    assert read_plain(tmp_path / "link") == b"1234"


def test_a_missing_file_is_missing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_plain(tmp_path / "file", size=4)
