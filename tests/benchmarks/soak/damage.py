"""Damage to files, and what it is called."""

import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path


def flip_a_bit(path: Path, draw: random.Random) -> None:
    data = bytearray(path.read_bytes())
    data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
    path.write_bytes(data)


def cut_off(path: Path, draw: random.Random) -> None:
    os.truncate(path, draw.randrange(path.stat().st_size))


def zero(path: Path, draw: random.Random) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def empty(path: Path, draw: random.Random) -> None:
    path.write_bytes(b"")


def append(path: Path, draw: random.Random) -> None:
    path.write_bytes(path.read_bytes() + draw.randbytes(draw.randint(1, 100)))


def delete(path: Path, draw: random.Random) -> None:
    path.unlink()


def put_a_folder_in_place(path: Path, draw: random.Random) -> None:
    path.unlink()
    path.mkdir()


def put_a_pipe_in_place(path: Path, draw: random.Random) -> None:
    path.unlink()
    os.mkfifo(path)


def put_a_device_in_place(path: Path, draw: random.Random) -> None:
    path.unlink()
    path.symlink_to("/dev/zero")


def grow_beyond_memory(path: Path, draw: random.Random) -> None:
    os.truncate(path, 40_000_000_000)


Damage = Callable[[Path, random.Random], None]
CONTENT: list[Damage] = [flip_a_bit, flip_a_bit, flip_a_bit, cut_off, zero, empty, append]
ANY: list[Damage] = [*CONTENT, delete, put_a_folder_in_place, put_a_pipe_in_place, put_a_device_in_place]


def name_of(damage: Damage) -> str:
    return damage.__name__.replace("_", " ")


def copy_of(folder: Path, to: Path) -> Path:
    """A copy of a run folder; what was there is replaced."""
    shutil.rmtree(to, ignore_errors=True)
    return Path(shutil.copytree(folder, to, symlinks=True))
