"""Figures of labels, against scikit-learn."""

import numpy as np
import pytest
from sklearn import metrics

from lstm_cli.scores.calibration import BINS, calibration
from lstm_cli.scores.labels import classes, confused, confusion
from tests.support.positions import drawn, positions, target

RANDOM = np.random.default_rng


def columns(found, names=("precision", "recall", "f1", "support")):
    return [[one[name] for one in found.values()] for name in names]


def test_classes_of_categories_equal_scikit_learn():
    given = drawn("category", 200, RANDOM(1), size=5)
    expected = metrics.precision_recall_fscore_support(
        given.truth, given.predicted, labels=range(5), zero_division=0
    )  # a truth of -1 counts against precisions only
    found = classes(given)
    assert list(found) == list("abcde")
    np.testing.assert_allclose(columns(found), expected, rtol=1e-12)


def test_classes_of_sets_equal_scikit_learn():
    given = drawn("set", 90, RANDOM(2), size=5)
    expected = metrics.precision_recall_fscore_support(given.truth, given.predicted, zero_division=0)
    np.testing.assert_allclose(columns(classes(given)), expected, rtol=1e-12)


def test_a_label_that_is_never_predicted_and_one_that_does_not_occur():
    given = positions(target("category", 4), [0, 0, 1], [0, 1, 1], [0, 0, 0])
    assert classes(given) == {
        "a": {"precision": 1 / 3, "recall": 1.0, "f1": 0.5, "support": 1},
        "b": {"precision": 0, "recall": 0, "f1": 0, "support": 2},
    }


def test_confusion_equals_scikit_learn():
    given = drawn("category", 300, RANDOM(4), size=6)
    known = given.truth >= 0
    matrix = confusion(given)
    assert matrix["labels"] == list("abcdef")
    assert matrix["counts"] == metrics.confusion_matrix(given.truth[known], given.predicted[known]).tolist()
    unknown = np.bincount(given.predicted[~known], minlength=6)
    assert matrix["unknown"] == unknown.tolist()
    assert "unknown" not in confusion(given.taken(known))


def test_confusion_has_the_labels_that_occur():
    given = positions(target("category", 5), [0, 0, 0], [1, 3, 3], [1, 1, 3])
    assert confusion(given) == {"labels": ["b", "d"], "counts": [[1, 0], [1, 1]]}
    assert confusion(given, most=1) == {}


def test_the_most_frequent_confusions_come_first():
    given = positions(target("category", 3), [0] * 8, [0, 0, 1, 1, 2, -1, -1, -1], [1, 2, 0, 0, 2, 1, 1, 1])
    assert confused(given) == [
        {"truth": None, "predicted": "b", "count": 3},
        {"truth": "b", "predicted": "a", "count": 2},
        {"truth": "a", "predicted": "b", "count": 1},
        {"truth": "a", "predicted": "c", "count": 1},
    ]
    assert len(confused(given, most=2)) == 2


@pytest.mark.parametrize("kind", ["number", "symbols"])
def test_other_tasks_have_no_classes(kind):
    given = drawn(
        *(("number",) if kind == "number" else ("category",)),
        9,
        RANDOM(1),
        **({} if kind == "number" else {"is_next": True}),
    )
    assert (classes(given), confusion(given), confused(given)) == ({}, {}, [])


def test_calibration_equals_a_sum_over_bins():
    given = drawn("category", 400, RANDOM(5))
    right, sure = given.truth == given.predicted, given.confidence
    ece = 0.0
    for k in range(BINS):
        own = (sure > k / BINS) & (sure <= (k + 1) / BINS)
        if own.any():
            ece += own.mean() * abs(right[own].mean() - sure[own].mean())
    found = calibration(given)
    assert found["ece"] == pytest.approx(ece, rel=1e-12)
    assert sum(one["count"] for one in found["bins"]) == 400


def test_a_sure_and_right_model_is_calibrated():
    given = positions(target("category", 2), [0, 0], [0, 1], [0, 1], confidence=np.ones(2), nats=np.zeros(2))
    bins = [{"low": 14 / 15, "high": 1.0, "count": 2, "confidence": 1.0, "accuracy": 1.0}]
    assert calibration(given) == {"ece": 0.0, "bins": bins}


def test_a_set_is_right_as_a_whole():
    truth, predicted = np.array([[1, 0], [1, 1], [1, 0]], bool), np.array([[1, 0], [1, 0], [1, 0]], bool)
    given = positions(target("set", 2), [0, 0, 0], truth, predicted, confidence=np.full(3, 0.5),
                      unseen=np.array([0, 0, 1]))  # fmt: skip
    (found,) = calibration(given)["bins"]
    assert found["accuracy"] == pytest.approx(1 / 3)
    assert calibration(drawn("number", 9, RANDOM(1))) == {}
