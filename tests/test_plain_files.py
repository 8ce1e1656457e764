"""Only regular files of the expected size are read from a run folder."""

import os
import socket
from pathlib import Path

import pytest

from lstm_cli.plain_files import NotPlain, read_plain


def pipe(path: Path) -> None:
    os.mkfifo(path)


def endless(path: Path) -> None:
    path.symlink_to("/dev/zero")


def folder(path: Path) -> None:
    path.mkdir()


def sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(20 << 30)


WRONG = {
    "not a regular file but a pipe": pipe,
    "not a regular file but a device": endless,
    "not a regular file but a folder": folder,
    "21,474,836,480 bytes, expected 4": sparse,
}


@pytest.mark.parametrize("message", WRONG)
def test_anything_else_is_refused_before_it_is_read(tmp_path: Path, message: str) -> None:
    path = tmp_path / "file"
    WRONG[message](path)
    with pytest.raises(NotPlain) as error:
        read_plain(path, size=4)
    assert error.value.strerror == message


def test_a_file_larger_than_it_may_be_is_refused(tmp_path: Path) -> None:
    sparse(tmp_path / "file")
    with pytest.raises(NotPlain, match="21,474,836,480 bytes, expected at most 1,000"):
        read_plain(tmp_path / "file", most=1000)
    with pytest.raises(NotPlain, match="21,474,836,480 bytes, expected at most 1,073,741,824"):
        read_plain(tmp_path / "file")


def test_a_socket_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        with pytest.raises(NotPlain, match="not a regular file but a socket"):
            read_plain(path)


def test_a_file_is_read_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"1234")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    assert read_plain(tmp_path / "link", size=4, most=4) == b"1234"
    assert read_plain(tmp_path / "link") == b"1234"


def test_a_missing_file_is_missing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_plain(tmp_path / "file", size=4)
