"""Scores of parts: by length and by the values of a column."""

import numpy as np
import pytest

from lstm_cli.scores.groups import MISSING, by_length, by_range_of_lengths, by_value, grouped
from lstm_cli.scores.metrics import metrics_of
from tests.support.positions import drawn, positions, target


def test_lengths_are_divided_into_ranges_of_as_many_sequences():
    lengths = [1, 1, 2, 3, 5, 5, 8, 9, 20, 40] * 3
    own = np.repeat(np.arange(30), lengths)
    given = drawn("category", len(own), np.random.default_rng(2))
    given = positions(given.task, own, given.truth, given.predicted)
    found = by_length(given)
    assert [(one["low"], one["high"], one["sequences"]) for one in found] == [
        (1, 1, 6), (2, 3, 6), (5, 5, 6), (8, 9, 6), (20, 40, 6)
    ]  # fmt: skip
    part = np.isin(own % 10, [8, 9])
    assert found[-1]["positions"] == part.sum() == 180
    assert found[-1]["metrics"] == metrics_of(given.taken(part))


def test_few_sequences_are_divided_into_few_ranges():
    own = np.repeat(np.arange(6), [1, 2, 3, 4, 5, 6])
    given = positions(target("category", 2), own, own % 2, own % 2)
    assert [(one["low"], one["high"]) for one in by_length(given)] == [(1, 3), (4, 6)]
    assert list(by_range_of_lengths(given)) == ["1 to 3", "4 to 6"]


def test_sequences_of_one_length_are_not_divided():
    (one,) = by_length(positions(target("category", 2), [0, 0, 1, 1], [0, 1, 0, 1], [0, 1, 1, 1]))
    assert one == {"low": 2, "high": 2, "sequences": 2, "positions": 4, "metrics": one["metrics"]}


GROUPS = {
    "names": (["x", "y", "y", None, "z"], ["y", "x", "z", MISSING], [1, 0, 0, 3, 2]),
    "numbers": ([10, 2, 2, None], ["2", "10", MISSING], [1, 0, 0, 2]),
    "numbers in text": (["10", "2", "02"], ["2", "02", "10"], [2, 0, 1]),
    "booleans": ([True, False, True], ["True", "False"], [0, 1, 0]),
    "many numbers": ([*range(25), None], ["0 to 4", "5 to 9", "10 to 14", "15 to 19", "20 to 24", MISSING],
                     [*np.repeat(range(5), 5), 5]),
    "nothing": ([None, None], [MISSING], [0, 0]),
}  # fmt: skip


@pytest.mark.parametrize(("values", "names", "places"), GROUPS.values(), ids=GROUPS)
def test_values_are_grouped(values, names, places):
    found, own = grouped(values)
    assert found == names
    assert own.tolist() == list(places)


def test_each_group_has_its_scores():
    given = drawn("number", 30, np.random.default_rng(2))
    values = ["ab"[k % 2] for k in range(30)]
    found = by_value(given, values)
    assert list(found) == ["a", "b"]
    assert found["b"]["metrics"] == metrics_of(given.taken(np.arange(30) % 2 == 1))
    assert found["b"]["positions"] == 15
