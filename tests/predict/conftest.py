"""Small runs of every kind, trained once for all tests."""

import numpy as np
import pytest

import lstm_cli
from tests.support.data import read_jsonl
from tests.support.kinds import KINDS, MODEL, TRAIN


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """Train a kind of run at its first use; return its folder, in which the training data lies beside ``run``."""
    folders = {}

    def train(kind):
        if kind not in folders:
            folder = folders[kind] = tmp_path_factory.mktemp(kind)
            config = {"model": MODEL, "train": TRAIN, "threads": 1, **KINDS[kind](folder, np.random.default_rng(1))}
            config["data"] = {key: _absolute(folder, key, value) for key, value in config["data"].items()}
            config["optimizer"] = {"name": "adam", "learning_rate": 0.02}
            lstm_cli.train(config, run=folder / "run", verbosity=-1)
        return folders[kind]

    return train


def _absolute(folder, key, value):
    return str(folder / value) if key == "train" else value


@pytest.fixture(scope="session")
def loaded(trained):
    runs = {}

    def load(kind):
        if kind not in runs:
            runs[kind] = lstm_cli.load(trained(kind) / "run")
        return runs[kind]

    return load


@pytest.fixture
def raw_sequences(trained):
    """The training sequences of a kind of run that learns from jsonl."""
    return lambda kind: read_jsonl(trained(kind) / "train.jsonl")
