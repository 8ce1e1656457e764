from types import SimpleNamespace

import numpy as np
import pytest

from lstm_cli.training.baselines import Constant, persistence


def task(kind, size, is_next=False):
    return SimpleNamespace(kind=kind, size=size, is_next=is_next)


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
