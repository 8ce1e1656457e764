"""A conditional random field: its loss and predictions against all labelings, from a file of rows to a score."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

import lstm_cli
from lstm_cli.data import Dataset, open_data, training_batches
from lstm_cli.data.batching import whole
from lstm_cli.engine.predictor import Predictor
from lstm_cli.errors import ConfigError, DataError
from lstm_cli.graph.model import Model
from lstm_cli.insight.show import show
from lstm_cli.predict import predict_run
from lstm_cli.training.session import build_job
from tests.support.config import merged
from tests.support.data import CONLLU, data_config, read_jsonl, write, write_jsonl

CONFIG = {
    "threads": 1,
    "precision": "float64",
    "data": {"inputs": ["x"], "target": "y"},
    "model": {"layers": [4], "dropout": 0.0, "crf": True},
    "optimizer": {"name": "adam", "learning_rate": 0.1},
    "train": {"epochs": 6, "batch_size": 4, "schedule": "constant"},
}


def rows(count, seed, *, longest=6):
    """Sequences in which labels come in the order a, b, c, of which the inputs say little."""
    rng, found = np.random.default_rng(seed), []
    for number in range(count):
        steps, first = int(rng.integers(1, longest + 1)), int(rng.integers(3))
        labels = ["abc"[(first + step) % 3] for step in range(steps)]
        x = [round("abc".index(label) + rng.normal(), 3) for label in labels]
        found.append({"id": f"s{number}", "x": x, "y": labels, "w": 1.0 + number % 3, "from": steps // 2})
    return found


def learn(folder, **changes):
    """Train on some rows, with others in test.jsonl; return the result."""
    for name, count in (("train", 24), ("valid", 8), ("test", 16)):
        write_jsonl(folder / f"{name}.jsonl", rows(count, seed=count))
    files = {"data": {name: str(folder / f"{name}.jsonl") for name in ("train", "valid", "test")}}
    return lstm_cli.train(merged(merged(CONFIG, files), changes), run=folder / "run", verbosity=-1)


@pytest.fixture(scope="module")
def learned(tmp_path_factory):
    folder = tmp_path_factory.mktemp("crf")
    return folder, learn(folder)


def labelings(model, sequence, schema):
    """Return all labelings of a sequence and their probabilities, from the scores of the model without its field."""
    plain = Model(model.spec.model_copy(update={"crf": False}), model.sizes, dtype=model.dtype)
    values = model.parameters.values()
    plain.parameters.set_values({name: array for name, array in values.items() if not name.startswith("crf.")})
    (batch,) = whole.WholeBatches(plain.spec, Dataset([replace(sequence, weight=None)], schema)).epoch(0)
    x, _ = Predictor(plain)(batch)
    found = np.array(list(product(range(x.shape[1]), repeat=len(x))))
    scores = (
        x[np.arange(len(x)), found].sum(axis=1) + values["crf.start"][found[:, 0]] + values["crf.end"][found[:, -1]]
    )
    scores += values["crf.transitions"][found[:, :-1], found[:, 1:]].sum(axis=1)
    return found, np.exp(scores - np.logaddexp.reduce(scores))


def test_predictions_are_those_of_all_labelings(learned):
    folder, result = learned
    run = lstm_cli.load(result.folder)
    names, values = run.schema.target.labels, run.network.model.parameters.values()
    assert values["crf.transitions"].shape == (3, 3) and np.abs(values["crf.transitions"]).max() > 0.3
    given = read_jsonl(folder / "test.jsonl")
    for row, encoded in zip(run.predict(given, probabilities=True), run._encoded(given), strict=True):
        found, shares = labelings(run.network.model, encoded, run.schema)
        assert row["prediction"] == [names[k] for k in found[shares.argmax()]]
        for step, probabilities in enumerate(row["probabilities"]):
            wanted = [shares[found[:, step] == k].sum() for k in range(len(names))]
            np.testing.assert_allclose([probabilities[name] for name in names], wanted, rtol=1e-8)


def test_labels_that_the_inputs_hardly_tell_are_learned_from_their_order(learned, tmp_path):
    _, result = learned
    alone = learn(tmp_path, model={"crf": False})
    assert result.scores["test"]["accuracy"] > alone.scores["test"]["accuracy"] + 0.1
    assert result.scores["test"]["loss"] < alone.scores["test"]["loss"] / 2


@pytest.mark.parametrize("changes", [{}, {"model": {"bidirectional": True, "cell": "gru"}}])
def test_a_score_is_that_of_the_predictions(tmp_path, monkeypatch, changes):
    """Also of sequences that a model without a field would be run on piece by piece."""
    monkeypatch.setattr(whole, "PIECE_STEPS", 2)
    result = learn(tmp_path, loss={"start": "from"}, precision="float32", **changes)
    predict_run(result.folder, tmp_path / "test.jsonl", out=tmp_path / "out.jsonl")
    given, found = read_jsonl(tmp_path / "test.jsonl"), read_jsonl(tmp_path / "out.jsonl")
    hits = [
        true == label
        for row, predicted in zip(given, found, strict=True)
        for true, label in list(zip(row["y"], predicted["prediction"], strict=True))[row["from"] :]
    ]
    assert result.scores["test"]["accuracy"] == pytest.approx(np.mean(hits))
    assert lstm_cli.load(result.folder).evaluate(tmp_path / "test.jsonl") == pytest.approx(result.scores["test"])
    evaluation = lstm_cli.evaluate(result.folder, tmp_path / "test.jsonl", out=tmp_path / "errors.jsonl")
    assert evaluation.metrics["accuracy"] == pytest.approx(np.mean(hits))
    assert len(read_jsonl(tmp_path / "errors.jsonl")) == len(hits) - sum(hits)


# The config, from which step of a row on its labels count, and the weight of the row.
LOSSES = {
    "all steps": ({}, lambda row: 0, lambda row: 1.0),
    "from a step on": ({"loss": {"start": "from"}}, lambda row: row["from"], lambda row: 1.0),
    "one weight a sequence": ({"loss": {"weight": "w"}}, lambda row: 0, lambda row: row["w"]),
    "by sequence": ({"loss": {"normalize": "sequence", "weight": "w"}}, lambda row: 0, lambda row: row["w"]),
    "some without label": ({"data": {"missing": {"target": "skip"}}}, lambda row: 1, lambda row: 1.0),
}


def job_of(folder, given, changes=None):
    """Return the job of a model with random weights on these rows, and the one batch that they make."""
    write_jsonl(folder / "train.jsonl", given)
    sections = merged(merged(CONFIG, changes or {}), {"train": {"batch_size": 9}})
    settings = data_config(folder, sections, train="train.jsonl", **sections.pop("data"))
    job = build_job(open_data(settings))
    flat = job.trainer.model.parameters.flat
    flat.set_value(np.random.default_rng(1).normal(size=flat.get_value().shape))
    (batch,) = training_batches(settings, job.data.train).epoch(0)
    return job, batch


@pytest.mark.parametrize("case", LOSSES)
def test_the_loss_is_the_likelihood_of_what_counts(tmp_path, case):
    """Steps that do not count are summed out: their labels may be any."""
    (changes, first, weight), given = LOSSES[case], rows(5, seed=1)
    blank = [row | {"y": [None] * first(row) + row["y"][first(row) :]} for row in given]
    job, batch = job_of(tmp_path, blank if "data" in changes else given, changes)
    summed, steps = 0.0, 0.0
    for sequence, row in zip(job.data.train, given, strict=True):
        found, shares = labelings(job.trainer.model, sequence, job.data.schema)
        truth = ["abc".index(label) for label in row["y"]][first(row) :]
        agree = (found[:, first(row) :] == truth).all(axis=1)
        summed -= weight(row) * np.log(shares[agree].sum())
        steps += weight(row) * len(truth)
    loss, _ = job.trainer.backpropagate(batch, None, divisor=batch.loss_divisor, seed=1, step=0)
    np.testing.assert_allclose(loss, summed / (len(given) if case == "by sequence" else steps), rtol=1e-9)
    np.testing.assert_allclose(job.evaluator(batch, None)[0], summed, rtol=1e-9)


def test_the_gradient_is_that_of_the_loss(tmp_path):
    job, batch = job_of(tmp_path, rows(4, seed=2))
    flat, small = job.trainer.model.parameters.flat.get_value(), 1e-6

    def loss(values):
        job.trainer.model.parameters.flat.set_value(values)
        return job.trainer.backpropagate(batch, None, divisor=1.0, seed=1, step=0)[0]

    loss(flat)
    gradient, direction = job.trainer.gradient.get_value(), np.random.default_rng(4).normal(size=flat.shape)
    slope = (loss(flat + small * direction) - loss(flat - small * direction)) / (2 * small)
    np.testing.assert_allclose(gradient @ direction, slope, rtol=1e-6)


def test_the_field_is_shown_as_a_layer(learned):
    _, result = learned
    layers = [(layer.name, layer.parameters) for layer in show(result.folder).model]
    assert layers[-2:] == [("output", 3 * 4 + 3), ("crf", 3 * 3 + 3 + 3)]


def test_a_sequence_has_one_weight(tmp_path):
    given = [row | {"w": [1.0] * len(row["x"])} for row in rows(6, seed=1)]
    given[3]["w"] = [1.0, *[2.0] * (len(given[3]["x"]) - 1)]
    assert len(given[3]["x"]) > 1
    write_jsonl(tmp_path / "train.jsonl", given)
    config = merged(CONFIG, {"data": {"train": str(tmp_path / "train.jsonl"), "valid": None}, "loss": {"weight": "w"}})
    with pytest.raises(DataError, match=r"train\.jsonl:4.*: its steps have different weights, and with model\.crf"):
        lstm_cli.train(config, run=tmp_path / "run", verbosity=-1)


def test_what_a_field_cannot_do_is_refused(learned, tmp_path):
    folder, result = learned
    for option in ("state_in", "state_out"):
        with pytest.raises(ConfigError, match=r"^--state-in and --state-out: a model with model\.crf labels"):
            predict_run(result.folder, folder / "test.jsonl", **{option: tmp_path / "s.npz"})
    with pytest.raises(ConfigError, match="--steps needs a model that predicts its next input"):
        lstm_cli.load(result.folder).forecast(read_jsonl(folder / "test.jsonl"), 2)
    for target in ("z", {"column": "y", "per": "sequence"}):
        given = [row | {"z": row["y"][0]} for row in rows(8, seed=1)]
        write_jsonl(tmp_path / "train.jsonl", given)
        config = merged(CONFIG, {"data": {"train": str(tmp_path / "train.jsonl"), "target": target}})
        with pytest.raises(ConfigError, match=r"model\.crf: needs a (category for each step|target of kind category)"):
            lstm_cli.train(config, run=tmp_path / "run", verbosity=-1)


def test_a_conllu_file_is_filled(tmp_path):
    write(tmp_path / "a.conllu", CONLLU * 4)
    config = {
        "data": {"train": str(tmp_path / "a.conllu"), "inputs": ["form"], "target": "upos", "valid": None},
        "model": {"layers": [4], "embedding": 3, "crf": True},
        "train": {"epochs": 2, "monitor": "train.loss"},
    }
    result = lstm_cli.train(config, run=tmp_path / "run", verbosity=-1)
    predict_run(result.folder, tmp_path / "a.conllu", out=tmp_path / "b.conllu")
    lines = [line.split("\t") for line in (tmp_path / "b.conllu").read_text().splitlines() if line[:1].isdigit()]
    assert {line[3] for line in lines} <= {"VERB", "PRON", "NOUN", "INTJ", "_"} and len(lines) == 24
