"""The estimate of the memory that a batch takes, against what it takes; and a real process with too little of it."""

import os
import re
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest

from lstm_cli.config.fields import LARGEST
from lstm_cli.data import evaluation_batches, open_data
from lstm_cli.data.batching import whole
from lstm_cli.engine.evaluation import evaluate
from lstm_cli.engine.memory import needed_bytes
from lstm_cli.errors import DataError
from lstm_cli.training.check import check
from lstm_cli.training.session import build_job
from tests.support.data import data_config, write_jsonl
from tests.support.paths import ROOT

STEPS, MILLION, MEGABYTE = 20_000, 1_000_000, 1 << 20
CONFIG = """
threads: 1
data: {train: a.jsonl, inputs: [x], target: y, valid: null}
model: {layers: [256]}
train: {epochs: 1, batch_size: 8}
"""
SHAPES = {
    "lstm": {"layers": [64]},
    "gru": {"layers": [64], "cell": "gru"},
    "rnn": {"layers": [64], "cell": "rnn"},
    "two layers": {"layers": [48, 64], "dropout": 0.3},
    "both directions": {"layers": [40], "bidirectional": True},
    "few units": {"layers": [4]},
    "a field": {"layers": [4], "crf": True},
    "attention": {"layers": [32], "pool": "attention"},
    "skip": {"layers": [48, 48, 48], "skip": True},
    "normalised": {"layers": [64], "layer_norm": True},
}


def columns(kind, rng):
    """The columns of one sequence, and how they are read."""
    x = rng.normal(size=(STEPS, 3)).astype(np.float32)
    y = {"a number": 0.5, "numbers": rng.normal(size=(STEPS, 5)), "categories": rng.integers(0, 500, STEPS)}
    y["few categories"] = rng.integers(0, 30, STEPS)
    if kind == "tokens":
        return {"x": [f"w{index}" for index in rng.integers(0, 400, STEPS)]}, {"target": "next"}
    if kind == "sets":
        return {"x": [[f"w{step % 3}", f"z{step % 80}"] for step in range(STEPS)]}, {"target": "next"}
    kind_of_target = "category" if "categories" in kind else "number"
    row = {"x": x.tolist(), "y": np.asarray(y[kind]).tolist()}
    return row, {"target": {"column": "y", "kind": kind_of_target}}


def open_long_sequence(folder, shape, kind, **sections):
    row, data = columns(kind, np.random.default_rng(0))
    write_jsonl(folder / "a.jsonl", [row])
    given = data_config(
        folder, {"model": SHAPES[shape], "threads": 1, **sections}, train="a.jsonl", inputs=["x"], **data
    )
    return given, open_data(given)


@pytest.mark.parametrize(
    ("model", "problem"),
    [
        ({"layers": [10_000_000]}, r"model\.layers: layers\.0\.W has 40,000,000 x 10,000,001 of the model's 400,000,"),
        ({"layers": [4], "embedding": 2_000_000_000}, r"model\.embedding: .* of the model's"),
        ({"layers": [4, {"size": LARGEST}]}, r"model\.layers: layers\.1\.W has .* of the model's"),
    ],
)
def test_weights_that_do_not_fit_are_refused_before_they_are_drawn(tmp_path, monkeypatch, model, problem):
    monkeypatch.setattr("lstm_cli.data.memory.available", lambda: 1 << 34)  # on a large machine too
    write_jsonl(tmp_path / "a.jsonl", [{"x": [0.5] * 3, "w": ["a", "b", "a"], "y": label} for label in "pqpqpqpqpq"])
    inputs = ["w" if "embedding" in model else "x"]
    config = data_config(tmp_path, {"model": model}, train="a.jsonl", inputs=inputs, target="y")
    with pytest.raises(DataError, match=rf"^{problem}.* free memory to train: set smaller sizes$"):
        check(config)


COMPILED = pytest.mark.slow  # what no other test compiles in single precision
EVERY = [pytest.param(shape, "a number", marks=COMPILED if shape == "normalised" else ()) for shape in SHAPES]
CASES = [case for case in EVERY if case.values[0] != "a field"] + [
    (shape, kind) for shape in ("lstm", "few units") for kind in ("numbers", "categories", "tokens", "sets")
]
CASES.append(("a field", "few categories"))


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(("shape", "kind"), CASES)
def test_the_estimate_is_about_what_it_takes(tmp_path, monkeypatch, shape, kind, training):
    for name, value in (("PIECE_STEPS", STEPS), ("BATCH_STEPS", STEPS), ("OUTPUTS_HELD", 1000 * STEPS)):
        monkeypatch.setattr(whole, name, value)  # a batch of all steps, which only some models need
    given, data = open_long_sequence(tmp_path, shape, kind)

    def run(job):
        if training:
            batch = job.batches.largest()
            job.trainer.backpropagate(batch, None, divisor=batch.loss_divisor, seed=1, step=0)
        else:
            evaluate(job.evaluator, evaluation_batches(given, data.train))

    run(build_job(data))  # what this compiles and loads is not counted
    job = build_job(data)
    tracemalloc.start()
    run(job)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    named = needed_bytes(given.model, data.schema, STEPS, precision="float32", training=training)
    assert 0.9 * (peak - MEGABYTE) < named < 2.5 * peak  # the megabyte: Python's own, whatever the size


SCRIPT = """
import resource, sys
limit = int(sys.argv.pop(1))
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
from lstm_cli.cli.group import main
sys.exit(main(prog_name="lstm"))
"""


def run(folder, *words, limit):
    """Run a command in a process that cannot have more memory than that."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    words = [sys.executable, "-c", SCRIPT, str(limit), *words]
    return subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True)


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is limited by RLIMIT_AS, as Linux counts it")
def test_a_million_steps_are_refused_where_they_do_not_fit_and_split_on_demand(tmp_path):
    """A real process that may take 4 GB: refused before training, as is a file to predict; split, it is trained on."""
    rows = [{"id": "long", "x": np.random.default_rng(0).normal(size=MILLION).round(2).tolist(), "y": "a"}]
    rows += [{"id": f"s{k}", "x": [k / 9, 1.0], "y": "ab"[k % 2]} for k in range(9)]
    write_jsonl(tmp_path / "a.jsonl", rows)
    write_jsonl(tmp_path / "short.jsonl", rows[1:])
    (tmp_path / "c.yaml").write_text(CONFIG)
    refused = run(tmp_path, "train", "c.yaml", limit=4 << 30)
    assert refused.returncode == 65
    assert re.fullmatch(
        r"a\.jsonl:1: 1,000,000 steps make a batch of train that would take about [\d.]+ GB of [\d.]+ GB free memory: "
        r"set data.max_length with data.on_long: cut or split, data.window, or a smaller train.batch_size\n",
        refused.stderr,
    )
    trained = run(tmp_path, "train", "c.yaml", "data.train=short.jsonl", "model.bidirectional=true", limit=4 << 30)
    assert trained.returncode == 0, trained.stderr
    refused = run(tmp_path, "predict", "runs/c", "a.jsonl", limit=4 << 30)
    assert refused.returncode == 65
    assert "a.jsonl:1: 1,000,000 steps, which this model needs all at once, would take about" in refused.stderr
    split = run(tmp_path, "train", "c.yaml", "data.max_length=5000", "data.on_long=split", "--overwrite", limit=4 << 30)
    assert split.returncode == 0, split.stderr
    assert "train: 1 of 10 sequences was split into pieces of at most 5,000 steps: long" in split.stderr
    predicted = run(tmp_path, "predict", "runs/c", "a.jsonl", limit=4 << 30)
    assert predicted.returncode == 0, predicted.stderr
    assert len(predicted.stdout.splitlines()) == 10


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is limited by RLIMIT_AS, as Linux counts it")
def test_a_series_that_is_too_long_to_be_read_is_an_error_of_the_data(tmp_path):
    """Wherever in reading, encoding and predicting the memory ends."""
    (tmp_path / "short.csv").write_text("x\n" + "0.5\n1.5\n" * 50)
    (tmp_path / "long.csv").write_text("x\n" + "0.5\n1.5\n" * 1_500_000)
    given = CONFIG.replace("train: a.jsonl", "train: short.csv").replace("target: y", "target: next")
    given = given.replace("[256]", "[4]")  # a short time for three million steps
    (tmp_path / "c.yaml").write_text(given)
    assert run(tmp_path, "train", "c.yaml", limit=4 << 30).returncode == 0
    (tmp_path / "pieces.csv").write_text("x\n" + "0.5\n1.5\n" * 2000)  # long enough to be run piece by piece
    for name in ("short.csv", "pieces.csv"):  # compiles what is needed
        assert run(tmp_path, "predict", "runs/c", name, limit=4 << 30).returncode == 0
    for megabytes in (700, 860, 1000, 1300):
        found = run(tmp_path, "predict", "runs/c", "long.csv", "-o", "out.jsonl", limit=megabytes << 20)
        assert (found.returncode, found.stderr.count("\n")) in ((65, 1), (0, 0)), found.stderr
        assert found.returncode == 0 or found.stderr.startswith("long.csv:")
