"""Training on a copy of data that is larger than memory."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from lstm_cli import train
from tests.support.kinds import KINDS, MODEL, TRAIN
from tests.support.paths import ROOT

LIMIT = 64 << 20


@pytest.fixture(autouse=True)
def copies(tmp_path, monkeypatch):
    monkeypatch.setenv("LSTM_CLI_DATA", str(tmp_path / "copies"))
    return tmp_path / "copies"


def weights(folder):
    return (folder / "last" / "model.safetensors").read_bytes()


SLOW = [pytest.param(kind, marks=pytest.mark.slow) for kind in ("classifier", "passengers")]


@pytest.mark.parametrize("kind", ["tagger", *SLOW])
def test_the_weights_are_those_from_memory_resumed_or_not(tmp_path, kind):
    given = {"model": MODEL, "train": TRAIN} | KINDS[kind](tmp_path, np.random.default_rng(3))
    (tmp_path / "c.json").write_text(json.dumps(given | {"train": {**TRAIN, "epochs": 2}}))
    held, copied, resumed = (tmp_path / name for name in ("held", "copied", "resumed"))
    train(tmp_path / "c.json", run=held, verbosity=-1)
    train(tmp_path / "c.json", ["data.cache=always"], run=copied, verbosity=-1)
    assert weights(copied) == weights(held)
    whole = {"train.schedule.name=constant"}
    train(tmp_path / "c.json", [*whole], run=held, verbosity=-1, overwrite=True)
    train(tmp_path / "c.json", [*whole, "train.epochs=1"], run=resumed, verbosity=-1)
    train(tmp_path / "c.json", [*whole, "data.cache=always"], run=resumed, resume=True, verbosity=-1)
    assert weights(resumed) == weights(held)


def write_waves(folder, files):
    """Write 8 MB of numbers to each file: 125 sequences of 2,000 steps."""
    folder.mkdir()
    for number in range(files):
        x = np.random.default_rng(number).normal(size=(125, 2000, 8)).astype(np.float32)
        np.savez(folder / f"{number}.npz", x=x, y=x[:, :, 0].sum(axis=1))


def limited(folder, cache):
    alone = {"OPENBLAS_NUM_THREADS": "1", "ARROW_DEFAULT_MEMORY_POOL": "system", "MALLOC_ARENA_MAX": "1"}
    environment = {**os.environ, **alone}
    command = [sys.executable, "-m", "tests.support.large", str(folder), str(LIMIT), cache]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux applies ulimit -d")
def test_data_four_times_as_large_as_memory(tmp_path, copies):
    (tmp_path / "place.json").write_text(json.dumps(str(copies)))
    for name, files in (("small", 1), ("large", 34)):
        write_waves(tmp_path / name, files)
        data = {"train": f"{name}/*.npz", "inputs": ["x"], "target": "y", "valid": None}
        training = {"epochs": 1, "batch_size": 8, "monitor": "train.loss"}
        given = {"data": data, "model": {"layers": [2], "dropout": 0.0}, "train": training, "threads": 1}
        (tmp_path / f"{name}.json").write_text(json.dumps(given))
    done = limited(tmp_path, "always")
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.split()[-1]) >= 4 * LIMIT
    refused = limited(tmp_path, "never")
    assert "memory" in refused.stderr.lower()
    assert refused.returncode != 0
