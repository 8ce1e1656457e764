import re
from types import SimpleNamespace

import numpy as np
import pytest

from lstm_cli.api import train_run
from lstm_cli.training.baselines import Constant, persistence
from lstm_cli.training.sinks.wording import number
from tests.support.runs import small_config


def task(kind, size, is_next=False):
    return SimpleNamespace(kind=kind, size=size, is_next=is_next, output_columns=("x",) * size)


def test_majority_label():
    constant = Constant(task("category", 3), [np.array([2, 2, 0]), np.array([2, -1])])
    baseline = constant.score("test", [np.array([2, 0, 2, 1])])
    assert (baseline.name, baseline.split) == ("the most frequent label", "test")
    assert baseline.metrics["accuracy"] == 0.5


def test_symbol_frequencies_give_the_entropy():
    symbols = np.repeat([0, 1, 2], [500, 250, 250])
    baseline = Constant(task("category", 3, is_next=True), [symbols]).score("valid", [symbols])
    assert baseline.metrics["bits"] == pytest.approx(1.5, abs=1e-4)


def test_a_symbol_missing_in_training_is_not_impossible():
    baseline = Constant(task("category", 2, is_next=True), [np.zeros(8, int)]).score("valid", [np.array([1])])
    assert baseline.metrics["perplexity"] == pytest.approx(10)


def test_mean_of_training_numbers():
    constant = Constant(task("number", 2), [np.array([[1.0, 10]]), np.array([[3.0, 30]])])
    assert constant.score("valid", [np.array([[2.0, 20], [4, 22]])]).metrics["mae"] == 1.0


def test_label_frequencies_of_sets():
    truth = np.array([[1, 0], [1, 0], [1, 1], [0, 0]])
    metrics = Constant(task("set", 2, is_next=True), [truth]).score("test", [truth]).metrics
    assert metrics["frame_accuracy"] == 0.6  # the first label everywhere: 3 hits, 1 false, 1 missed


def test_persistence():
    last, truth = np.array([[1.0], [2.0]]), np.array([[2.0], [4.0]])
    baseline = persistence(task("number", 1, is_next=True), "test", [(last, truth)])
    assert baseline.metrics["mae"] == 1.5


@pytest.mark.parametrize("transform", [{}, {"a": ["log", "difference"]}])
@pytest.mark.parametrize("window", [None, 5])
def test_the_report_of_a_forecaster_compares_with_the_last_value(tmp_path, transform, window):
    values = np.exp(np.cumsum(np.random.default_rng(4).normal(size=60)) / 4).round(4)
    (tmp_path / "series.csv").write_text("\n".join(["a", *map(str, values)]) + "\n")
    data = {"train": "series.csv", "inputs": ["a"], "target": "next", "valid": 12, "test": 10}
    changes = {"data": data | {"transform": transform, "window": window}, "train": {"epochs": 1}}
    train_run(small_config(tmp_path, **changes), tmp_path / "run")
    report = (tmp_path / "run" / "report.html").read_text()
    scores = re.search(r"<h2>Scores</h2>(.*?)</section>", report, re.S)[1]
    rows = [re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row) for row in scores.split("<tr>")[1:]]
    shown = {(name, split): dict(zip(rows[0][2:], cells, strict=True)) for name, split, *cells in rows[1:]}
    changes = np.diff(values)
    for split, changed in (("test", changes[-10:]), ("validation", changes[-22:-10])):
        found = shown["baseline: the last value", split]
        assert found["MAE"] == number(np.abs(changed).mean())
        assert found["RMSE"] == number(np.sqrt((changed**2).mean()))
    names = {name for name, _ in shown}
    assert names == {"this model, best checkpoint", "baseline: the mean", "baseline: the last value"}


@pytest.mark.parametrize("scale", ["standard", "series", "window"])
def test_the_last_value_stands_for_every_step_of_a_horizon(tmp_path, scale):
    values = np.cumsum(np.random.default_rng(4).normal(size=60)).round(4)
    (tmp_path / "series.csv").write_text("\n".join(["a", *map(str, values)]) + "\n")
    data = {"train": "series.csv", "inputs": ["a"], "target": {"column": "a", "horizon": 3}, "valid": 12}
    data |= {"scale": scale} | ({"window": 6} if scale == "window" else {})
    train_run(small_config(tmp_path, data=data, train={"epochs": 1}), tmp_path / "run")
    report = (tmp_path / "run" / "report.html").read_text()
    later = np.lib.stride_tricks.sliding_window_view(values[48:], 3)  # 10 origins, from step 47 on
    errors = later - values[47:57, np.newaxis]
    row = re.search(r"<tr>(?:<t[dh][^>]*>)baseline: the last value.*?</tr>", report, re.S)[0]
    cells = re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row)
    assert number(np.abs(errors).mean()) in cells
    assert number(np.sqrt((errors**2).mean())) in cells
