"""Kernels on disk that are damaged in every way: none is used, all are compiled anew, and nothing else changes."""

import json
import os
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from numba.core.ccallback import CFunc

from lstm_cli.errors import CacheWarning
from lstm_cli.kernels.runtime import entries
from lstm_cli.kernels.runtime.compilation import kernel_folder
from lstm_cli.kernels.runtime.entries import KernelCache
from lstm_cli.kernels.runtime.tasks import ENTRY_TYPE
from tests.support.paths import ROOT
from tests.support.runs import small, write_data

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


def trained(place: Path, kernels: Path, name: str) -> tuple[list[bytes], str]:
    """The weights at the end of a run, a process of its own with these kernels, and what it says of them."""
    command = [sys.executable, "-c", "from lstm_cli.cli.start import train; train()", "config.yaml", "-o", name]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "LSTM_CLI_CACHE": str(kernels), "NUMBA_DEBUG_CACHE": "1"}
    process = subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True)
    assert process.returncode == 0, process.stderr
    assert "arning" not in process.stderr
    states = sorted(place.joinpath(name, "last").rglob("*.safetensors"))
    assert states
    return [path.read_bytes() for path in states], process.stdout


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[bytes], list[str]]:
    """A folder with a config and data, the weights of its run, and the kernels that are loaded for it."""
    place = write_data(tmp_path_factory.mktemp("kernels"))
    place.joinpath("config.yaml").write_text(json.dumps(small(threads=2, train={"epochs": 1})))
    weights, said = trained(place, kernel_folder().parent, "compiled")
    weights, said = trained(place, kernel_folder().parent, "loaded")
    assert "saved" not in said
    return place, weights, re.findall(r"loaded from '.*/(.*)'", said)


def damaged_copy(sound: tuple[Path, list[bytes], list[str]], to: Path, damages: list[Callable[[Path], None]]) -> int:
    """Copy the kernels of a run, each damaged in its way as far as there are damages; return how many are."""
    names = sorted(set(sound[2]), key=lambda name: (kernel_folder() / name).stat().st_size)
    for number, name in enumerate(names):
        shutil.copy(kernel_folder() / name, to / name)
        if number < len(damages):
            damages[number](to / name)
    return min(len(names), len(damages))


EVERY = [*DAMAGES[:10], *[one_bit] * 20]
WAYS = [pytest.param([one_bit], id="one"), pytest.param(EVERY, id="every kernel", marks=pytest.mark.slow)]


@pytest.mark.parametrize("damages", WAYS)
def test_training_on_damaged_kernels_ends_with_the_same_weights(sound, tmp_path, damages) -> None:
    place, weights, _ = sound
    kernels = tmp_path / kernel_folder().name
    kernels.mkdir()
    count = damaged_copy(sound, kernels, damages)
    again, said = trained(place, tmp_path, f"damaged{len(damages)}")
    assert again == weights
    assert said.count("data saved") == count
    again, said = trained(place, tmp_path, f"mended{len(damages)}")
    assert again == weights
    assert said.count("data saved") == 0
