"""The vector registers of this machine.

The width of a register follows from the machine: 16 float32 lanes with AVX-512, 8 with AVX, 4 elsewhere (NEON, SSE).
``LSTM_CLI_LANES`` overrides it: wider ones than the machine has are made of several.
"""

import os
import platform
from collections.abc import Mapping
from typing import NamedTuple

import llvmlite.binding
import numba

from lstm_cli.errors import ConfigError

if numba.config.DISABLE_JIT:  # there is no kernel without compilation, and numba would say so in the middle of one
    raise ConfigError("NUMBA_DISABLE_JIT is set, but models are computed by compiled code: unset it")


class Registers(NamedTuple):
    """Vector registers of a machine: float32 lanes in each, and rows of a matrix tile that fit into all of them."""

    lanes: int
    rows: int


def choose_registers(features: Mapping[str, bool], machine: str, given: str | None = None) -> Registers:
    """Return the registers to compute in, from the processor's features and `platform.machine`, or as given."""
    narrow = Registers(4, 8 if machine in ("aarch64", "arm64") else 6)
    known = {16: Registers(16, 12), 8: Registers(8, 6), 4: narrow}
    if given:
        if given not in map(str, known):
            choices = ", ".join(map(str, known))
            raise ConfigError(f"LSTM_CLI_LANES: got {given!r}, expected one of {choices}: change or unset it")
        return known[int(given)]
    if features.get("avx512f"):
        return known[16]
    return known[8] if features.get("avx") else narrow


REGISTERS = choose_registers(
    llvmlite.binding.get_host_cpu_features(), platform.machine(), os.environ.get("LSTM_CLI_LANES")
)
