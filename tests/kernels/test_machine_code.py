"""Machine code on disk: the next process loads it, and a change in any kernel source makes a new folder."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import llvmlite
import llvmlite.binding
import numba
import pytest

from lstm_cli.kernels.runtime import compilation

SCRIPT = """
import numpy as np
from lstm_cli.kernels.cells import LSTM
from lstm_cli.kernels.recurrent.arguments import Shape
from lstm_cli.kernels.recurrent.layer import Inputs, Layer, new_reserve, run_forward

x, ids, W, b, state = (np.zeros(s, "f") for s in ((2, 1, 3), (0, 0), (16, 7), 16, (1, 4)))
given = Inputs(Shape(2, 1, 3, 4), x, ids.astype("i"), W[:0, :0], np.array([2]), W, b, [state, state], W[:0, :0], b[:0])
layer = Layer(LSTM, "tanh", False)
run_forward(layer, given, new_reserve(layer, given, True), np.empty((2, 1, 4), "f"), np.empty((2, 1, 4), "f"))
"""


def test_the_next_process_loads_the_machine_code():
    environment = {**os.environ, "NUMBA_DEBUG_CACHE": "1"}
    command = [sys.executable, "-c", SCRIPT]
    subprocess.run(command, check=True)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert "forward.run_forward_lstm_" in done.stdout
    assert "data loaded" in done.stdout and "data saved" not in done.stdout


def test_a_change_in_any_folder_of_the_kernels_is_another_version(tmp_path, monkeypatch):
    shutil.copytree(Path(compilation.__file__).parents[1], tmp_path / "kernels")
    monkeypatch.setattr(compilation, "__file__", str(tmp_path / "kernels/runtime/compilation.py"))
    digest = compilation.source_digest.__wrapped__
    assert digest() == compilation.source_digest()
    for path in ("cells/lstm.py", "simd/tile.py", "losses.py"):
        before = digest()
        with (tmp_path / "kernels" / path).open("a") as file:
            file.write("#")
        assert digest() != before
    before = digest()
    (tmp_path / "kernels/cells/gru.py").rename(tmp_path / "kernels/simd/gru.py")
    assert digest() != before


@pytest.mark.parametrize(
    ("place", "name", "value"),
    [
        (numba, "__version__", "0.0"),
        (llvmlite, "__version__", "0.0"),
        (llvmlite.binding, "llvm_version_info", (1, 0, 0)),
        (llvmlite.binding, "get_host_cpu_name", lambda: "another"),
        (sys, "abiflags", "t"),
        (compilation, "REGISTERS", compilation.REGISTERS._replace(lanes=2)),
        *((numba.config, name, "another") for name in compilation.SETTINGS),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_other_versions_processors_and_settings_are_another_folder(monkeypatch, place, name, value):
    before = compilation.kernel_folder()
    assert compilation.kernel_folder.__wrapped__() == before
    monkeypatch.setattr(place, name, value, raising=False)
    monkeypatch.setattr(compilation, "cache_folder", Path)
    assert compilation.kernel_folder.__wrapped__().name != before.name


@pytest.mark.parametrize("setting", ["NUMBA_OPT=1", "NUMBA_CPU_NAME=generic", "LSTM_CLI_LANES=4"])
def test_settings_of_a_process_are_another_folder(setting):
    code = "from lstm_cli.kernels.runtime.compilation import machine_digest; print(machine_digest())"
    environment = dict(os.environ, **dict([setting.split("=")]))
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() != compilation.machine_digest()
