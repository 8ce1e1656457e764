"""What may lie in place of a file and must not be read: it waits, never ends, is huge, or is no file."""

import os
import shutil
import socket
from collections.abc import Callable
from pathlib import Path

HUGE = 20 << 30


def _socket(path: Path) -> None:
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(f"/proc/self/fd/{folder}/{path.name}")  # the path of a socket has at most 107 characters
    finally:
        os.close(folder)


def _sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(HUGE)


#: By the words of the message.
NOT_PLAIN: dict[str, Callable[[Path], object]] = {
    "a pipe": os.mkfifo,
    "a device": lambda path: path.symlink_to("/dev/zero"),
    "a folder": Path.mkdir,
    "a socket": _socket,
    f"{HUGE:,} bytes, expected": _sparse,
}


def replace(path: Path, kind: str) -> None:
    """Put something else in place of a file or a folder."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    NOT_PLAIN[kind](path)
