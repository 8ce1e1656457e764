import os
import subprocess
import sys

import numba
import numpy as np
import pytest

from lstm_cli.errors import ConfigError
from lstm_cli.kernels.cells import activations
from lstm_cli.kernels.runtime.registers import REGISTERS, Registers, choose_registers
from lstm_cli.kernels.simd.lanewise import lanewise
from lstm_cli.kernels.simd.vector import Code, Row


@pytest.mark.parametrize(
    ("features", "machine", "given", "expected"),
    [
        ({"avx512f": True, "avx": True}, "x86_64", None, Registers(16, 12)),
        ({"avx512f": False, "avx": True, "avx2": True}, "x86_64", None, Registers(8, 6)),
        ({"sse2": True}, "AMD64", None, Registers(4, 6)),
        ({"neon": True}, "aarch64", None, Registers(4, 8)),
        ({"neon": True}, "arm64", "", Registers(4, 8)),
        ({}, "riscv64", None, Registers(4, 6)),
        ({"avx512f": True, "avx": True}, "x86_64", "8", Registers(8, 6)),
        ({"avx": True}, "x86_64", "4", Registers(4, 6)),
    ],
)
def test_the_machine_decides_how_wide_vectors_are(features, machine, given, expected):
    assert choose_registers(features, machine, given) == expected


def test_a_width_that_no_machine_has_is_refused():
    with pytest.raises(ConfigError, match="LSTM_CLI_LANES: got '7', expected one of 16, 8, 4"):
        choose_registers({}, "x86_64", "7")


@lanewise
def functions(code: Code, x: Row, y: Row) -> None:
    y[0] = activations.tanh(x[0])
    y[1] = activations.sigmoid(x[0])
    y[2] = activations.activate(code, x[0])
    y[3] = activations.slope(code, y[2])


@numba.njit
def tabulate(code, x, y):
    functions(len(x), code, x, 0, y, 0)


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 4e-7), ("float64", 1e-15)])
def test_tanh_and_sigmoid_are_accurate_everywhere(dtype, tolerance):
    x = np.concatenate([np.linspace(-40, 40, 100_003), np.logspace(-20, 0, 1001), [0.0]]).astype(dtype)
    y = np.empty((4, len(x)), dtype)
    tabulate(0, x, y.reshape(-1))
    exact = np.tanh(x.astype("longdouble"))
    nonzero = x != 0
    assert np.abs(y[0][nonzero] / exact[nonzero] - 1).max() < tolerance
    assert np.abs(y[1] - 1 / (1 + np.exp(-x.astype("longdouble")))).max() < tolerance
    assert y[0][-1] == 0


@pytest.mark.parametrize("name", activations.ACTIVATIONS)
@pytest.mark.parametrize("count", [1, 15, 16, 17, 33])
def test_activations_and_their_slopes_in_rows_of_any_length(name, count):
    from tests.support.reference import ACTIVATIONS

    x = np.random.default_rng(0).normal(size=count) + 0.01
    y = np.full(4 * count + 3, 7.0)
    tabulate(activations.ACTIVATIONS[name], x, y)
    act, step = ACTIVATIONS[name], 1e-6
    np.testing.assert_allclose(y[2 * count : 3 * count], act(x), rtol=1e-13)
    np.testing.assert_allclose(y[3 * count : 4 * count], (act(x + step) - act(x - step)) / (2 * step), atol=1e-8)
    assert (y[4 * count :] == 7).all()


def test_not_a_number_stays_one():
    for dtype in ("float32", "float64"):
        x = np.array([np.nan, 1.0, np.nan], dtype)
        for code in activations.ACTIVATIONS.values():
            y = np.empty(12, dtype)
            tabulate(code, x, y)
            assert np.isnan(y.reshape(4, 3)[:3, [0, 2]]).all()
            assert np.isfinite(y.reshape(4, 3)[:, 1]).all()


@pytest.mark.slow
@pytest.mark.parametrize("lanes", [4, 8])
def test_the_layers_are_right_in_narrower_vectors(lanes):
    if lanes > REGISTERS.lanes:
        pytest.skip("this machine has no such registers")
    environment = {**os.environ, "LSTM_CLI_LANES": str(lanes)}
    recurrent = ["tests/ops/test_recurrent.py", "tests/ops/test_recurrent_graph.py"]
    tests = ["tests/kernels/test_tile.py", "tests/ops/test_dense.py", *recurrent]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests, "-k", "not scan and not pytorch"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:]
