import os
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import numpy as np
import pytest

import lstm_cli
from lstm_cli.signals import SIGNALS
from tests.support.kinds import KINDS, MODEL, TRAIN
from tests.support.process import write_endless_config

# The same examples in every run: a test that draws others each time stops a change that has nothing to do with it.
# To look for more, run with HYPOTHESIS_PROFILE=random.
hypothesis.settings.register_profile("random", hypothesis.settings())
hypothesis.settings.register_profile("repeatable", derandomize=True, database=None)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))


# The flags of who runs the tests, which would be read when Theano's names are imported.
os.environ.pop("THEANO_FLAGS", None)
os.environ["THEANORC"] = os.devnull


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


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Train a kind of run at its first use; return its folder, in which the training data lies beside ``run``."""
    folders: dict[str, Path] = {}

    def train(kind: str) -> Path:
        if kind not in folders:
            folder = folders[kind] = tmp_path_factory.mktemp(kind)
            config = {"model": MODEL, "train": TRAIN, "threads": 1, **KINDS[kind](folder, np.random.default_rng(1))}
            config["data"] = {key: _absolute(folder, key, value) for key, value in config["data"].items()}
            config["optimizer"] = {"name": "adam", "learning_rate": 0.02}
            lstm_cli.train(config, run=folder / "run", verbosity=-1)
        return folders[kind]

    return train


def _absolute(folder: Path, key: str, value: Any) -> Any:
    return str(folder / value) if key == "train" else value


@pytest.fixture(scope="session")
def loaded(trained: Callable[[str], Path]) -> Callable[[str], Any]:
    """The run of a kind, loaded once."""
    runs: dict[str, Any] = {}

    def load(kind: str) -> Any:
        if kind not in runs:
            runs[kind] = lstm_cli.load(trained(kind) / "run")
        return runs[kind]

    return load
