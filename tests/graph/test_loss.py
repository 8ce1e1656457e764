"""What a loss is the mean of, from the rows of a file to the number that is minimised."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest

import lstm_cli
from lstm_cli.data import Batches, Dataset, evaluation_batches, open_data, training_batches
from lstm_cli.engine.build import build_model
from lstm_cli.engine.evaluation import evaluate
from lstm_cli.engine.evaluator import Evaluator
from lstm_cli.engine.predictor import Predictor
from lstm_cli.engine.trainer import Trainer
from lstm_cli.errors import ConfigError
from lstm_cli.graph.objectives import objective
from tests.support.data import data_config, open_jsonl, open_text, write_jsonl

ROWS = [
    {"x": [0.1, 0.5, 0.3, 0.2], "y": ["a", "b", "a", "b"], "from": 1, "count": 2, "w": 2.0, "v": [1, 0, 3, 0.5]},
    {"x": [0.4, 0.2], "y": ["b", "b"], "from": 0, "count": 1, "w": 0.5, "v": [2, 1]},
    {"x": [0.9], "y": ["a"], "from": 0, "count": 1, "w": 1.0, "v": [4]},
]
ALL = [[1, 1, 1, 1], [1, 1], [1]]
CASES = {
    "all steps": ({}, ALL),
    "one weight a sequence": ({"weight": "w"}, [[2, 2, 2, 2], [0.5, 0.5], [1]]),
    "one weight a step": ({"weight": "v"}, [row["v"] for row in ROWS]),
    "from a step on": ({"start": "from"}, [[0, 1, 1, 1], [1, 1], [1]]),
    "some steps": ({"start": "from", "length": "count"}, [[0, 1, 1, 0], [1, 0], [1]]),
    "the first steps": ({"length": "count"}, [[1, 1, 0, 0], [1, 0], [1]]),
    "some steps with weights": ({"start": "from", "length": "count", "weight": "v"}, [[0, 0, 3, 0], [2, 0], [4]]),
}


def open_and_build(folder, loss, rows=ROWS, **model):
    """Return the config of a small network on these rows, its data and the network."""
    write_jsonl(folder / "train.jsonl", rows)
    sections = {"model": {"layers": [3], "dropout": 0.0, **model}, "loss": loss, "precision": "float64"}
    settings = data_config(folder, sections, train="train.jsonl", inputs=["x"], target="y")
    data = open_data(settings)
    return settings, data, build_model(settings, data.schema)


def training_loss(settings, data, model):
    """Return the loss of the one batch that the rows make, and the gradient."""
    trainer = Trainer(model, objective(data.schema.target.kind, settings.loss), settings.optimizer)
    (batch,) = training_batches(settings, data.train).epoch(0)
    loss, _ = trainer.backpropagate(batch, None, divisor=batch.loss_divisor, seed=1, step=0)
    return loss, trainer.gradient.get_value()


def log_likelihoods(data, model):
    """Return of every sequence in the file's order the log-likelihood of each step's label, from a batch of its own."""
    predictor, found = Predictor(model), []
    for sequence in data.train:
        (batch,) = Batches(Dataset([replace(sequence, weight=None)], data.schema), batch_size=1).epoch(0)
        output, _ = predictor(batch)
        scores = output - np.logaddexp.reduce(output, axis=1, keepdims=True)
        found.append(scores[np.arange(len(scores)), batch.target])
    return found


@pytest.mark.parametrize("normalize", ["step", "sequence"])
@pytest.mark.parametrize("case", CASES)
def test_the_loss_is_the_mean_over_what_counts(tmp_path, case, normalize):
    columns, weights = CASES[case]
    settings, data, model = open_and_build(tmp_path, {"normalize": normalize, **columns})
    loss, _ = training_loss(settings, data, model)
    summed = -sum(np.dot(w, likelihood) for w, likelihood in zip(weights, log_likelihoods(data, model), strict=True))
    divisor = sum(map(sum, weights)) if normalize == "step" else len(ROWS)
    np.testing.assert_allclose(loss, summed / divisor, rtol=1e-10)


@pytest.mark.parametrize("case", CASES)
def test_evaluation_weighs_as_training_does(tmp_path, case):
    settings, data, model = open_and_build(tmp_path, CASES[case][0])
    evaluator = Evaluator(model, objective("category", settings.loss), consumes="outputs")
    loss, _ = evaluate(evaluator, evaluation_batches(settings, data.train))
    np.testing.assert_allclose(loss, training_loss(settings, data, model)[0], rtol=1e-10)


def test_a_step_that_does_not_count_moves_nothing(tmp_path):
    """A label outside of the loss window may be anything."""
    columns = {"start": "from", "length": "count"}
    other = [{**ROWS[0], "y": ["b", "b", "a", "a"]}, *ROWS[1:]]
    losses = [training_loss(*open_and_build(tmp_path, columns, rows)) for rows in (ROWS, other)]
    assert losses[0][0] == losses[1][0]
    np.testing.assert_array_equal(losses[0][1], losses[1][1])


def test_a_weight_for_a_target_per_sequence(tmp_path):
    rows = [{**row, "y": row["y"][0]} for row in ROWS]
    plain, weighed = (training_loss(*open_and_build(tmp_path, loss, rows))[0] for loss in ({}, {"weight": "w"}))
    assert plain != pytest.approx(weighed)


def test_smoothed_labels(tmp_path):
    """A share of the label is spread over all classes: (1 - s) nll + s times the mean of all classes' nll."""
    settings, data, model = open_and_build(tmp_path, {"label_smoothing": 0.2})
    (batch,) = training_batches(settings, data.train).epoch(0)
    output, _ = Predictor(model)(batch)
    nll = np.logaddexp.reduce(output, axis=1, keepdims=True) - output
    expected = 0.8 * nll[np.arange(len(nll)), batch.target] + 0.2 * nll.mean(axis=1)
    np.testing.assert_allclose(training_loss(settings, data, model)[0], expected.mean(), rtol=1e-10)


CLASS_WEIGHTS = {
    "given": ({"b": 3}, [1, 3]),
    "balanced": ("balanced", [7 / (2 * 3), 7 / (2 * 4)]),  # three targets are a, four are b
}


@pytest.mark.parametrize("normalize", ["step", "sequence"])
@pytest.mark.parametrize("case", CLASS_WEIGHTS)
def test_class_weights_are_factors_of_the_weights(tmp_path, case, normalize):
    """Σ w_n c_n nll_n / Σ w_n c_n, c the weight of each target's class; of sequences, divided by their number."""
    given, factors = CLASS_WEIGHTS[case]
    settings, data, model = open_and_build(tmp_path, {"class_weight": given, "weight": "w", "normalize": normalize})
    of = [[row["w"] * factors["ab".index(label)] for label in row["y"]] for row in ROWS]
    summed = -sum(np.dot(w, likelihood) for w, likelihood in zip(of, log_likelihoods(data, model), strict=True))
    divisor = sum(map(sum, of)) if normalize == "step" else len(ROWS)
    loss, _ = training_loss(settings, data, model)
    np.testing.assert_allclose(loss, summed / divisor, rtol=1e-6)  # weights are float32
    evaluator = Evaluator(model, objective("category", settings.loss), consumes="outputs")
    np.testing.assert_allclose(evaluate(evaluator, evaluation_batches(settings, data.train))[0], loss, rtol=1e-10)


def test_balanced_weights_are_those_of_what_counts(tmp_path):
    _, data, _ = open_and_build(tmp_path, {"class_weight": "balanced", "start": "from"})
    assert data.schema.target.class_weights == (6 / (2 * 2), 6 / (2 * 4))  # b a b, b b, a
    assert any("loss.class_weight: a 1.5, b 0.75" in note for note in data.notes)


def test_balanced_symbols_of_a_language_model(tmp_path):
    """The unknown symbol, which never occurs, weighs 1."""
    data = open_text(tmp_path, "aababaaa", {"loss": {"class_weight": "balanced"}}, format="text")
    weights = dict(zip(data.schema.target.labels, data.schema.target.class_weights, strict=True))
    assert weights == {"<unk>": 1.0, "a": 7 / (2 * 5), "b": 7 / (2 * 2)}


def test_class_weights_are_part_of_a_run(tmp_path):
    """A score of the run, loaded, has the weights of its training data; metrics are not weighted."""
    write_jsonl(tmp_path / "train.jsonl", ROWS)
    file = str(tmp_path / "train.jsonl")
    given = {"data": {"train": file, "valid": file, "inputs": ["x"], "target": "y"}}
    given |= {"model": {"layers": [3]}, "loss": {"class_weight": {"a": 2.5}}, "train": {"epochs": 1}}
    result = lstm_cli.train(given, run=tmp_path / "run", verbosity=-1)
    found = lstm_cli.load(tmp_path / "run").evaluate(tmp_path / "train.jsonl")
    assert found == pytest.approx(result.scores["valid"])
    vocabulary = tmp_path / "run" / "vocabulary.json"
    assert json.loads(vocabulary.read_bytes())["class_weights"] == [2.5, 1.0]


@pytest.mark.parametrize(
    ("target", "loss", "message"),
    [
        ("y", {"class_weight": {"c": 2}}, "loss.class_weight.c: training has no such label, expected one of a, b"),
        ("w", {"class_weight": "balanced"}, "loss.class_weight: for categories, but the target is of kind number"),
    ],
)
def test_class_weights_that_do_not_fit_the_target(tmp_path, target, loss, message):
    with pytest.raises(ConfigError, match=re.escape(message)):
        open_jsonl(tmp_path, ROWS, {"loss": loss}, inputs=["x"], target={"column": target, "kind": "auto"})
