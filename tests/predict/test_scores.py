"""A score is the score of the predictions: what training, `evaluate` and a file of predictions say is one number."""

from itertools import product

import numpy as np
import pytest
from sklearn import metrics

import lstm_cli
from lstm_cli.data.batching import whole
from tests.support.data import read_jsonl, write_jsonl
from tests.support.scoring import (
    BACKWARD,
    CASES,
    FORMATS,
    TASKS,
    WINDOWS,
    Task,
    check_scores,
    labelled,
    of_labels,
    of_numbers,
    predict_file,
    seasonal_series,
    sequences,
    train_task,
    walks,
    write_series,
)


def thinned(cases):
    """The cases, of which half are in the default run, with each of two windows in turn; the rest is slow."""
    slow = [(number + number // 2) % 2 for number in range(len(cases))]
    return [pytest.param(*case, marks=pytest.mark.slow if late else ()) for case, late in zip(cases, slow, strict=True)]


WHOLE = [case for case in CASES if case[1] == "no window"]
IN_WINDOWS = [case for case in CASES if case[1] != "no window"]


@pytest.mark.parametrize(("name", "window"), WHOLE + thinned(IN_WINDOWS))
def test_a_score_is_that_of_the_predictions(tmp_path, name, window):
    task = TASKS[name]
    check_scores(task, *train_task(task, tmp_path, **WINDOWS[window]))


BACKWARDS = [(name, window) for name, window in CASES if name in BACKWARD and "carried" not in window]
FILES = list(product(FORMATS, WINDOWS))


@pytest.mark.parametrize(("name", "window"), thinned(BACKWARDS))
def test_a_score_in_both_directions_is_that_of_the_predictions(tmp_path, name, window):
    task = TASKS[name]
    check_scores(task, *train_task(task, tmp_path, {"bidirectional": True}, **WINDOWS[window]))


@pytest.mark.parametrize(("form", "window"), thinned(FILES))
def test_a_score_is_that_of_the_predictions_in_every_format(tmp_path, form, window):
    writer, inputs = FORMATS[form]
    task = Task(
        writer, of_numbers, sequences("sum"), suffix=form, probabilities=False, inputs=inputs,
        target={"column": "sum", "kind": "number", "per": "step"},
    )  # fmt: skip
    check_scores(task, *train_task(task, tmp_path, **WINDOWS[window]))


@pytest.mark.parametrize("max_length", [{"on_long": "cut"}, {"on_long": "split"}])
@pytest.mark.parametrize("name", ["a label", "a number per step"])
def test_what_is_too_long_to_train_on_is_scored_whole(tmp_path, name, max_length):
    task = TASKS[name]
    check_scores(task, *train_task(task, tmp_path, max_length=20, **max_length))


@pytest.mark.parametrize("name", ["a label", "labels"])
def test_a_loss_averaged_over_sequences_counts_each_once(tmp_path, name):
    """However many pieces a sequence is run in."""
    task = TASKS[name]
    result, test, given = train_task(task, tmp_path)
    rows, truth = predict_file(result, test, task), task.truth(given)
    losses = [of_labels([one], [row])["loss"] for one, row in zip(truth, rows, strict=True)]
    if name == "labels":
        losses = [loss * len(one) for loss, one in zip(losses, truth, strict=True)]
    run = lstm_cli.load(result.folder)
    run.config = run.config.model_copy(update={"loss": run.config.loss.model_copy(update={"normalize": "sequence"})})
    assert run.evaluate(test)["loss"] == pytest.approx(np.mean(losses), rel=1e-5)


def test_weights_say_which_steps_count(tmp_path):
    """Steps of weight 0 are run through and do not count; for the loss the others count as much as they weigh."""
    rng = np.random.default_rng(3)

    def weighed(rows):
        return [row | {"w": rng.choice([0.0, 1.0, 2.5], len(row["x"])).tolist()} for row in rows]

    task = labelled("sign")
    for name in ("train", "test"):
        write_jsonl(tmp_path / f"{name}.jsonl", weighed(walks(12, rng)))
    given = read_jsonl(tmp_path / "test.jsonl")
    config = {
        "threads": 1,
        "data": {"train": tmp_path / "train.jsonl", "valid": None, "test": tmp_path / "test.jsonl", "inputs": ["x"],
                 "target": "sign", "window": 5},
        "model": {"layers": [5]},
        "loss": {"weight": "w"},
        "train": {"epochs": 1},
    }  # fmt: skip
    result = lstm_cli.train(config, run=tmp_path / "run", verbosity=-1)
    rows = predict_file(result, tmp_path / "test.jsonl", task)
    counted = [
        (true, label, share[true], weight)
        for row, found in zip(given, rows, strict=True)
        for true, label, share, weight in zip(
            row["sign"], found["prediction"], found["probabilities"], row["w"], strict=True
        )
        if weight
    ]
    true, labels, shares, weights = (np.array(column) for column in zip(*counted, strict=True))
    scores = result.scores["test"]
    assert scores["accuracy"] == pytest.approx(metrics.accuracy_score(true, labels))
    assert scores["loss"] == pytest.approx(-(np.log(shares) * weights).sum() / weights.sum(), rel=1e-5)


@pytest.mark.parametrize("share", [0.2, 260])
def test_the_end_of_a_series_is_scored_as_it_is_predicted(tmp_path, share):
    """Held out of one series: the window before it is run through, and its steps are scored."""
    values, window, held = seasonal_series(np.random.default_rng(1), 1300), 30, 260
    config = {
        "threads": 1,
        "data": {"train": write_series(tmp_path / "a.csv", values), "valid": None, "test": share,
                 "inputs": ["height"], "target": "next", "window": window, "carry_state": True},
        "model": {"layers": [6]},
        "train": {"epochs": 1, "batch_size": 3},
    }  # fmt: skip
    result = lstm_cli.train(config, run=tmp_path / "run", verbosity=-1)
    end = write_series(tmp_path / "end.csv", values[-held - window :])
    (row,) = predict_file(result, end, TASKS["a series"])
    expected = of_numbers([values[-held:]], [{"prediction": row["prediction"][window - 1 : -1]}])
    assert {name: result.scores["test"][name] for name in expected} == pytest.approx(expected, rel=1e-6)


def test_training_and_prediction_run_the_same_batches(tmp_path, monkeypatch):
    """To the last bit: what is scored are the very outputs, whatever fits into a batch or is held at a time."""
    task = TASKS["labels"]
    for name, value in (("SEQUENCES_HELD", 7), ("BATCH_STEPS", 100), ("PIECE_STEPS", 16)):
        monkeypatch.setattr(whole, name, value)
    check_scores(task, *train_task(task, tmp_path, window=9))
