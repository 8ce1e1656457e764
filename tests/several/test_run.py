"""Runs of several target columns: predictions, scores, files and what explains them, column by column."""

import json
from shutil import copytree

import numpy as np
import pytest

import lstm_cli
from lstm_cli.config import config_from_mapping
from lstm_cli.errors import CheckpointError, ConfigError
from lstm_cli.insight.evaluation_text import evaluation_text
from lstm_cli.predict import predict_run
from tests.support.data import read_csv, read_jsonl
from tests.support.several import KINDS


@pytest.fixture(scope="module")
def runs(folder, tmp_path_factory):
    """A run on each of the two files."""
    out, found = tmp_path_factory.mktemp("runs"), {}
    for name in ("whole", "steps"):
        data = {"train": f"{name}.jsonl", "valid": 0.25, "test": f"{name}.jsonl", "inputs": ["x"], "target": KINDS}
        settings = {
            "threads": 1,
            "data": data | {"missing": {"target": "skip"}},
            "model": {"layers": [6]},
            "optimizer": {"name": "adam", "learning_rate": 0.02},
            "train": {"epochs": 2, "monitor": "valid.accuracy.word"},
        }
        lstm_cli.train(config_from_mapping(settings, folder), run=out / name, verbosity=-1)
        found[name] = lstm_cli.load(out / name)
    return found


def known(rows, predictions, column):
    """Pairs of truth and prediction where the truth is known."""
    pairs = []
    for row, predicted in zip(rows, predictions, strict=True):
        own, truth = predicted["prediction"][column], row[column]
        per_step = isinstance(row["load"], list)
        pairs += zip(truth, own, strict=True) if per_step else [(truth, own)]
    return [(truth, own) for truth, own in pairs if truth is not None]


@pytest.mark.parametrize("name", ["whole", "steps"])
def test_scores_are_those_of_the_predictions(runs, folder, name):
    rows, run = read_jsonl(folder / f"{name}.jsonl"), runs[name]
    predictions = run.predict([{"id": row["id"], "x": row["x"]} for row in rows])
    scores = run.evaluate(folder / f"{name}.jsonl")
    words, loads = known(rows, predictions, "word"), known(rows, predictions, "load")
    assert scores["accuracy.word"] == pytest.approx(np.mean([truth == own for truth, own in words]))
    errors = [truth - own for truth, own in loads]
    assert scores["rmse.load"] == pytest.approx(np.sqrt(np.mean(np.square(errors))), rel=1e-5)
    hits = sum(len({*truth} & {*own}) for truth, own in known(rows, predictions, "tags"))
    sizes = sum(len(truth) + len(own) for truth, own in known(rows, predictions, "tags"))
    assert scores["micro_f1.tags"] == pytest.approx(2 * hits / sizes)
    assert "unknown_labels.word" not in scores


def test_probabilities_are_by_column_and_numbers_have_none(runs, folder):
    rows = read_jsonl(folder / "whole.jsonl")[:2]
    found = runs["whole"].predict(rows, probabilities=True)
    assert list(found[0]["prediction"]) == ["word", "load", "tags"]
    shares = found[0]["probabilities"]
    assert list(shares) == ["word", "tags"]
    assert sum(shares["word"].values()) == pytest.approx(1)
    assert max(shares["word"], key=shares["word"].get) == found[0]["prediction"]["word"]


@pytest.mark.parametrize("name", ["whole", "steps"])
def test_a_table_has_a_column_of_each_target(runs, folder, name, tmp_path):
    out, data = tmp_path / "out.csv", folder / f"{name}.jsonl"
    predict_run(runs[name].folder, data, out=out, probabilities=True)
    lines, rows = read_csv(out), read_jsonl(data)
    shown = ["word", "p_word_a", "p_word_b", "p_word_c", "load", "tags", "p_tags_p", "p_tags_q"]
    assert list(lines[0]) == ["id", *(["step"] if name == "steps" else []), *shown]
    assert len(lines) == sum(len(row["x"]) for row in rows) if name == "steps" else len(rows)
    expected = runs[name].predict(rows[:1])[0]["prediction"]
    first = {key: value[0] if name == "steps" else value for key, value in expected.items()}
    assert lines[0]["word"] == first["word"] and lines[0]["tags"] == " ".join(first["tags"])
    assert float(lines[0]["load"]) == pytest.approx(first["load"], rel=1e-6)


def test_a_column_that_is_carried_through_keeps_its_name(runs, folder, tmp_path):
    out = tmp_path / "out.csv"
    predict_run(runs["whole"].folder, folder / "whole.jsonl", out=out, keep=["load", "word"])
    (first, *_), (row, *_) = read_csv(out), read_jsonl(folder / "whole.jsonl")
    assert (first["load"], first["word"]) == (str(row["load"]), row["word"])
    assert {"prediction_load", "prediction_word", "tags"} <= first.keys()


def test_long_sequences_run_in_pieces(runs, folder):
    row = read_jsonl(folder / "steps.jsonl")[0]
    long = {"id": "long", "x": row["x"] * 300}
    (found,) = runs["steps"].predict([long])
    (first,) = runs["steps"].predict([{"id": "short", "x": long["x"][:100]}])
    assert len(found["prediction"]["word"]) == len(long["x"]) > 600
    np.testing.assert_allclose(found["prediction"]["load"][:100], first["prediction"]["load"], rtol=1e-5)


def test_an_evaluation_explains_each_column(runs, folder, tmp_path):
    out = tmp_path / "errors.csv"
    found = lstm_cli.evaluate(runs["whole"].folder, folder / "whole.jsonl", out=out, by="length")
    assert list(found.targets) == [*KINDS]
    assert found.metrics == pytest.approx(runs["whole"].evaluate(folder / "whole.jsonl"))
    assert found.baselines.keys() == {"majority.word", "mean.load", "frequencies.tags"}
    assert found.targets["word"].metrics["accuracy"] == found.metrics["accuracy.word"]
    assert found.targets["word"].confusion["labels"] == ["a", "b", "c"]
    assert found.intervals["rmse.load"] == found.targets["load"].intervals["rmse"]
    assert all(target.groups for target in found.targets.values())
    content = json.loads(json.dumps(found.to_json()))
    assert content["targets"]["load"]["columns"].keys() == {"load"}
    text = evaluation_text(found)
    assert [line for line in text.splitlines() if line.rstrip(":") in KINDS and line.endswith(":")] == [
        "word:", "load:", "tags:"
    ]  # fmt: skip
    lines = read_csv(out)
    assert {line["column"] for line in lines} == {*KINDS}
    assert all(bool(line["error"]) == (line["column"] == "load") for line in lines)


def test_the_run_says_what_it_predicts(runs):
    folder = runs["whole"].folder
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert page.count("Confusion matrix of word") == page.count("Confusion matrix of") == 1
    assert "accuracy of word" in page.lower().replace("<br>", " ") and "load" in page
    entry = read_jsonl(folder / "metrics.jsonl")[0]
    assert {"accuracy.word", "rmse.load", "nll.tags"} <= entry.keys()


def test_a_damaged_vocabulary_is_named(runs, tmp_path):
    copy = copytree(runs["whole"].folder, tmp_path / "copy")
    content = json.loads((copy / "vocabulary.json").read_text())
    content["labels"].pop("word")
    (copy / "vocabulary.json").write_text(json.dumps(content))
    with pytest.raises(CheckpointError, match=r"vocabulary\.json"):
        lstm_cli.load(copy)


@pytest.mark.parametrize("call", [
    lambda run, data: predict_run(run, data, steps=2),
    lambda run, data: list(lstm_cli.load(run).generate("a", 3)),
    lambda run, data: lstm_cli.backtest(run, data),
    lambda run, data: predict_run(run, data, out=data.with_suffix(".conllu")),
])  # fmt: skip
def test_what_needs_one_target_says_so(runs, folder, call):
    with pytest.raises(ConfigError, match=r"next|several columns|conllu"):
        call(runs["steps"].folder, folder / "steps.jsonl")


def test_a_resumed_run_is_the_uninterrupted_one(folder, tmp_path):
    settings = {
        "threads": 1,
        "data": {"train": "whole.jsonl", "inputs": ["x"], "target": [*KINDS], "missing": {"target": "skip"}},
        "model": {"layers": [4]},
        "train": {"epochs": 2, "schedule": "constant"},
    }
    lstm_cli.train(config_from_mapping(settings, folder), run=tmp_path / "whole", verbosity=-1)
    lstm_cli.train(config_from_mapping(settings, folder, ["train.epochs=1"]), run=tmp_path / "parts", verbosity=-1)
    lstm_cli.train(config_from_mapping(settings, folder), run=tmp_path / "parts", resume=True, verbosity=-1)
    weights = [(tmp_path / name / "last" / "model.safetensors").read_bytes() for name in ("whole", "parts")]
    assert weights[0] == weights[1]
