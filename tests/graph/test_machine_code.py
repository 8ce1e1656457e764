"""The machine code of a system that a network drives: kept on disk, and used only while it is as it was written."""

import os
import subprocess
import sys

import numpy as np
import pytensor.tensor as pt
import pytest

from lstm_cli.errors import CacheWarning
from lstm_cli.graph import dynamics, machine_code
from lstm_cli.kernels.runtime import entries

GIVEN = np.array([[0.5, -2.0]], np.float32)
WANTED = GIVEN[:, ::-1]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(machine_code, "_folder", lambda: tmp_path)
    return tmp_path


def compiled():
    """A system that is compiled or loaded, and how many signatures of its function were loaded."""
    state = pt.tensor("state", dtype="float32", shape=(None, 2))
    function = dynamics._compiled([state], state[:, ::-1])
    assert function(GIVEN).tolist() == WANTED.tolist()
    return sum(function.vm.jit_fn.stats.cache_hits.values())


@pytest.mark.slow
def test_code_that_is_damaged_is_compiled_anew(folder):
    assert compiled() == 0
    before = sorted(folder.iterdir())
    assert before
    assert compiled() == 1
    for path in before:
        content = bytearray(path.read_bytes())
        content[-len(content) // 3] ^= 1
        path.write_bytes(content)
    assert compiled() == 0
    assert sorted(folder.iterdir()) == before


def test_code_that_cannot_be_kept_is_used_all_the_same(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setattr(machine_code, "_folder", lambda: tmp_path / "file")
    monkeypatch.setattr(entries, "_warned", [])
    with pytest.warns(CacheWarning, match="cannot be kept"):
        assert compiled() == 0


def test_a_system_needs_no_folder_for_temporary_files(folder, monkeypatch):
    def refuse(*given, **others):
        raise FileNotFoundError(2, "No usable temporary directory found")

    monkeypatch.setattr(dynamics.tempfile, "TemporaryDirectory", refuse)
    state = pt.tensor("state", dtype="float32", shape=(None, 2))
    assert dynamics._compiled([state], state[:, ::-1])(GIVEN).tolist() == WANTED.tolist()


def test_the_folder_of_pytensor_is_not_needed():
    """Where there is no cache folder, it is below /dev/null."""
    environment = {**os.environ, "PYTENSOR_FLAGS": "cxx=,base_compiledir=/dev/null/pytensor"}
    script = (
        "from pathlib import Path; made = Path.mkdir; import lstm_cli.graph.machine_code; assert Path.mkdir is made"
    )
    subprocess.run([sys.executable, "-c", script], env=environment, check=True)
