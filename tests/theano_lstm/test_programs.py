"""Programs as users of Theano and theano-lstm wrote them; each checks by itself what it learns."""

import runpy
from pathlib import Path

import pytest

from lstm_cli import theano

PROGRAMS = sorted(Path(__file__).with_name("programs").glob("*.py"))


# The default run has the one that calls the most names, within a second.
CHEAP = {"operations"}


@pytest.mark.parametrize(
    "path",
    [pytest.param(path, id=path.stem, marks=[pytest.mark.slow] * (path.stem not in CHEAP)) for path in PROGRAMS],
)
def test_program_learns(path):
    with theano.config.change_flags(exception_verbosity="low"):  # which a program sets
        runpy.run_path(str(path))
