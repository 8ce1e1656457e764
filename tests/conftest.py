import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from lstm_cli.signals import SIGNALS
from tests.support.process import write_endless_config

# The same examples in every run: a test that draws others each time stops a change that has nothing to do with it.
# To look for more, run with HYPOTHESIS_PROFILE=random.
hypothesis.settings.register_profile("random", hypothesis.settings())
hypothesis.settings.register_profile("repeatable", derandomize=True, database=None)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))


@pytest.fixture(scope="session", autouse=True)
def default_signals() -> Iterator[None]:
    """Have signals do what they do by default, here and in the processes that tests start.

    A script's `pytest &` runs with SIGINT ignored, `nohup pytest` with SIGHUP, and so would they.
    """
    ignored = [number for number in SIGNALS if signal.getsignal(number) == signal.SIG_IGN]
    for number in ignored:
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    yield
    for number in ignored:
        signal.signal(number, signal.SIG_IGN)


@pytest.fixture(scope="session", autouse=True)
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Have temporary files lie in a folder of pytest: PyTensor leaves one for every function that numba compiles."""
    before, tempfile.tempdir = tempfile.tempdir, str(tmp_path_factory.mktemp("scratch"))
    yield
    tempfile.tempdir = before


@pytest.fixture(scope="session")
def endless_config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The path of the config of a small run that does not end; its data lies beside it."""
    return write_endless_config(tmp_path_factory.mktemp("endless"))
