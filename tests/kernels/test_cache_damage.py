"""Kernels on disk that are damaged in every way: none is used, all are compiled anew, and nothing else changes."""

import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from numba.core.ccallback import CFunc

from lstm_cli.errors import CacheWarning
from lstm_cli.kernels.runtime import entries
from lstm_cli.kernels.runtime.entries import KernelCache
from lstm_cli.kernels.runtime.tasks import ENTRY_TYPE

KEY, CONTENT = b"which kernel", bytes(range(40))


def test_no_flipped_bit_and_no_cut_is_read():
    whole = entries.pack(KEY, CONTENT)
    assert entries.unpack(KEY, whole) == CONTENT
    for place in range(len(whole) * 8):
        flipped = bytearray(whole)
        flipped[place // 8] ^= 1 << place % 8
        assert entries.unpack(KEY, bytes(flipped)) is None
    for size in range(len(whole)):
        assert entries.unpack(KEY, whole[:size]) is None
    assert entries.unpack(KEY, whole + b"\0") is None
    assert entries.unpack(b"another kernel", whole) is None


def nothing(task, tasks, table):
    return


def nothing_else(task, tasks, table):
    return


def compiled(folder: Path, function: Callable[..., None] = nothing) -> Any:
    """The machine code of a function, from the folder if it is there."""
    made = CFunc(function, (ENTRY_TYPE.args, ENTRY_TYPE.return_type), {}, {})
    made._cache = KernelCache(function, lambda: folder)
    made.compile()
    return made


@pytest.fixture
def entry(tmp_path: Path) -> Path:
    """The only file of a folder with one kernel in it."""
    assert compiled(tmp_path).cache_hits == 0
    assert compiled(tmp_path).cache_hits == 1
    (path,) = tmp_path.iterdir()
    return path


def empty(path: Path) -> None:
    path.write_bytes(b"")


def zeros(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def longer(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\0")


def one_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    place = random.Random(path.name).randrange(len(content))
    content[place] ^= 1 << place % 8
    path.write_bytes(content)


def missing(path: Path) -> None:
    path.unlink()


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def sparse(path: Path) -> None:
    os.truncate(path, 20 << 30)


def endless(path: Path) -> None:
    path.unlink()
    path.symlink_to("/dev/zero")


def link_to_itself(path: Path) -> None:
    path.unlink()
    path.symlink_to(path)


def link_to_nothing(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.with_name("nothing"))


def unreadable(path: Path) -> None:
    path.chmod(0)


def another_kernel(path: Path) -> None:
    other = path.with_name("other")
    other.mkdir()
    compiled(other, nothing_else)
    (entry,) = other.iterdir()
    entry.replace(path)
    other.rmdir()


DAMAGES = [
    empty, zeros, half, longer, one_bit, missing, folder, pipe, sparse, endless, link_to_itself, link_to_nothing,
    unreadable, another_kernel,
]  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_compiled_anew_and_replaced(entry: Path, damage: Callable[[Path], None]) -> None:
    damage(entry)
    if damage is unreadable and os.access(entry, os.R_OK):
        pytest.skip("this user can read files of mode 0")
    anew = compiled(entry.parent)
    assert anew.cache_hits == 0
    assert compiled(entry.parent).cache_hits == 1
    assert list(entry.parent.iterdir()) == [entry]
    assert entry.is_file() and not entry.is_symlink()


def test_bits_flipped_anywhere_in_machine_code_are_found(entry: Path) -> None:
    whole = entry.read_bytes()
    context = compiled(entry.parent)._targetdescr.target_context
    signature = compiled(entry.parent)._sig
    draw = random.Random(0)
    for place in draw.sample(range(len(whole) * 8), 300):
        flipped = bytearray(whole)
        flipped[place // 8] ^= 1 << place % 8
        entry.write_bytes(flipped)
        assert KernelCache(nothing, lambda: entry.parent).load_overload(signature, context) is None
    entry.write_bytes(whole)
    assert KernelCache(nothing, lambda: entry.parent).load_overload(signature, context) is not None


def test_what_cannot_be_replaced_is_said_once(entry: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder(entry)
    (entry / "of somebody").touch()
    monkeypatch.setattr(entries, "_warned", [])
    with pytest.warns(CacheWarning, match=rf"^{entry.parent}: .*Directory not empty.*LSTM_CLI_CACHE") as said:
        assert compiled(entry.parent).cache_hits == compiled(entry.parent).cache_hits == 0
    assert len(said) == 1
    assert list(entry.parent.iterdir()) == [entry]


FILLING = """
import sys
from pathlib import Path
from numba.core.ccallback import CFunc
from lstm_cli.kernels.runtime.entries import KernelCache
from lstm_cli.kernels.runtime.tasks import ENTRY_TYPE

def nothing(task, tasks, table):
    return

folder, hits = Path(sys.argv[1]), 0
for _ in range(8):
    made = CFunc(nothing, (ENTRY_TYPE.args, ENTRY_TYPE.return_type), {}, {})
    made._cache = KernelCache(nothing, lambda: folder)
    made.compile()
    hits += made.cache_hits
    for path in folder.glob("[!.]*"):
        path.unlink(missing_ok=True)
print(hits)
"""


@pytest.mark.slow
def test_processes_fill_and_empty_one_folder_at_the_same_time(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "error", "-c", FILLING, str(tmp_path)]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    for process in processes:
        stdout, stderr = process.communicate()
        assert process.returncode == 0, stderr
        assert stdout.strip().isdigit()
    assert not list(tmp_path.iterdir())


def test_what_a_killed_process_left_is_removed(entry: Path) -> None:
    old, new = entry.with_name(".old.0"), entry.with_name(".new.0")
    old.touch()
    new.touch()
    os.utime(old, (0, 0))
    entry.unlink()
    compiled(entry.parent)
    assert sorted(entry.parent.iterdir()) == sorted([entry, new])
