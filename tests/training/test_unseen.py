"""Labels and symbols that training never saw: errors in the score, reported, and never the end of a run."""

import re

import pytest

import lstm_cli
from tests.support.data import write, write_jsonl
from tests.support.runs import metrics, small


def train_two_epochs(folder, **sections):
    lstm_cli.train(small(**{"train": {"epochs": 2, "batch_size": 3}, **sections}), run=folder / "run")
    scores = metrics(folder / "run")
    return {score["split"]: score for score in scores}, (folder / "run" / "train.log").read_text()


def test_labels_and_tokens_that_training_never_saw(tmp_path):
    """Two of five test sequences are wrong whatever the model says; the loss is the mean of the other three."""
    words = [{"w": list("ab" * (1 + k % 3)), "y": "up" if k % 2 else "down"} for k in range(12)]
    unseen = [{"w": ["a", "z"], "y": "sideways"}, {"w": ["z"], "y": "back"}]
    for name, rows in (("train", words), ("test", words[:3] + unseen), ("known", words[:3])):
        write_jsonl(tmp_path / f"{name}.jsonl", rows)
    data = {"train": str(tmp_path / "train.jsonl"), "inputs": ["w"], "target": "y", "valid": 0.25}
    scores, log = train_two_epochs(tmp_path, data={**data, "test": str(tmp_path / "test.jsonl")})
    known = lstm_cli.load(tmp_path / "run").evaluate(tmp_path / "known.jsonl")
    assert scores["test"]["accuracy"] == pytest.approx(known["accuracy"] * 3 / 5)
    assert scores["test"]["loss"] == pytest.approx(known["loss"], rel=1e-5)
    assert scores["test"]["unknown_labels"] == 2
    assert "test: unknown tokens in w: 2 of 15 (13.33%), such as 'z'" in log
    assert "test: targets that training never saw, each an error: 2 of 5 (40.00%), such as 'sideways', 'back'" in log


@pytest.mark.parametrize("monitor", ["valid.loss", "valid.perplexity"])
def test_a_text_of_nothing_but_unknown_symbols(tmp_path, monitor):
    write(tmp_path / "a.txt", "abcab" * 30)
    write(tmp_path / "b.txt", "xyz" * 10)
    data = {"train": str(tmp_path / "a.txt"), "valid": str(tmp_path / "b.txt"), "window": 10}
    scores, log = train_two_epochs(tmp_path, data=data, train={"epochs": 2, "batch_size": 3, "monitor": monitor})
    assert {scores["valid"][name] for name in ("loss", "perplexity", "bits")} == {None}
    assert scores["valid"]["unknown_labels"] == 29  # the first symbol follows none
    assert "valid: targets that training never saw, each an error: 29 of 29 (100.00%)" in log
    assert (tmp_path / "run" / "best" / "manifest.json").is_file()


def test_without_a_known_label_no_score_is_shown_as_a_number(tmp_path):
    write(tmp_path / "a.txt", "abcab" * 30)
    write(tmp_path / "b.txt", "xyz" * 10)
    data = {"train": str(tmp_path / "a.txt"), "valid": str(tmp_path / "b.txt"), "window": 10}
    _, log = train_two_epochs(tmp_path, data=data)
    assert "valid: training saw none of its labels, so that it has no loss: hold out other data" in log
    assert "valid: loss none, perplexity none, bits per step none, unknown labels 29\n" in log
    assert "best: epoch 1, valid has no perplexity, as training saw none of its labels\n" in log
    page = (tmp_path / "run" / "report.html").read_text()
    assert "No loss on the validation data, as training saw none of its labels" in page
    assert not re.search(r"\bnan\b", log)
