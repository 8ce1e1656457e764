"""Confidence intervals, against resamples whose metrics are computed anew from their positions."""

import math

import numpy as np
import pytest

from lstm_cli.scores import bootstrap
from lstm_cli.scores.bootstrap import block_length, drawable, intervals
from lstm_cli.scores.metrics import metrics_of
from lstm_cli.scores.sums import sums_of
from tests.support.positions import drawn, positions, target

KINDS = {
    "categories": ("category", {}),
    "symbols": ("category", {"is_next": True}),
    "sets": ("set", {}),
    "numbers": ("number", {}),
    "numbers of two columns": ("number", {"columns": ("y", "y", "z", "z")}),
}


def rescored(given, draws):
    """The 2.5 % and 97.5 % quantiles of each metric over resamples, each a list of the positions drawn."""
    scores = [metrics_of(given.taken(np.concatenate(draw))) for draw in draws]
    names = [name for name in scores[0] if name != "unknown_labels"]
    return {name: np.quantile([score[name] for score in scores], [0.025, 0.975]) for name in names}


@pytest.mark.parametrize(("kind", "options"), KINDS.values(), ids=KINDS)
def test_intervals_equal_those_of_positions_scored_again(kind, options):
    given = drawn(kind, 60, np.random.default_rng(3), **options)
    sequences = [np.flatnonzero(given.sequences == k) for k in range(given.sequences.max() + 1)]
    count = len(sequences)
    times = np.random.default_rng(bootstrap.SEED).multinomial(count, [1 / count] * count, size=200)
    expected = rescored(given, [[sequences[k] for k in range(count) for _ in range(row[k])] for row in times])
    found = intervals(given, resamples=200)
    assert set(found) == set(expected)
    for name, (low, high) in found.items():
        assert (low, high) == pytest.approx(tuple(expected[name]), rel=1e-9, abs=1e-12), name
        assert low <= metrics_of(given)[name] <= high


def test_a_single_sequence_is_drawn_in_blocks():
    given = drawn("number", 100, np.random.default_rng(3), sequences=1)
    length = block_length(given)
    assert length == 5
    blocks = [np.arange(start, start + length) for start in range(100 - length + 1)]
    times = np.random.default_rng(bootstrap.SEED).multinomial(20, [1 / len(blocks)] * len(blocks), size=100)
    expected = rescored(given, [[blocks[k] for k in np.repeat(np.arange(len(blocks)), row)] for row in times])
    found = intervals(given, resamples=100)
    assert set(found) == set(expected)
    for name, bounds in found.items():
        assert bounds == pytest.approx(tuple(expected[name]), rel=1e-9)


def test_few_sequences_are_drawn_in_blocks_within_them():
    own = np.repeat([0, 1, 2], [30, 4, 30])
    given = drawn("category", 64, np.random.default_rng(3), sequences=1)
    given = positions(given.task, own, given.truth, given.predicted)
    assert block_length(given) == 4
    blocks = [np.arange(start, start + 4) for start in range(61) if own[start] == own[start + 3]]
    assert len(blocks) == 27 + 1 + 27
    times = np.random.default_rng(bootstrap.SEED).multinomial(16, [1 / len(blocks)] * len(blocks), size=100)
    expected = rescored(given, [[blocks[k] for k in np.repeat(np.arange(len(blocks)), row)] for row in times])
    found = intervals(given, resamples=100)
    assert set(found) == set(expected)
    for name, bounds in found.items():
        assert bounds == pytest.approx(tuple(expected[name]), rel=1e-9)


def test_blocks_hold_the_steps_that_are_predicted_at_once():
    assert block_length(drawn("number", 64, np.random.default_rng(3), sequences=1, size=24, horizon=12)) == 12


def test_what_is_alike_within_a_sequence_makes_the_interval_wider():
    wrong = np.repeat(np.arange(40) % 4 == 0, 25)  # whole sequences are wrong
    truth = np.zeros(1000, np.int64)
    together = positions(target("category", 2), np.repeat(np.arange(40), 25), truth, wrong.astype(np.int64))
    apart = positions(target("category", 2), np.arange(1000), truth, wrong.astype(np.int64))
    low, high = intervals(together)["accuracy"]
    narrow = intervals(apart)["accuracy"]
    assert high - low > 3 * (narrow[1] - narrow[0])
    assert narrow[1] - narrow[0] == pytest.approx(2 * 1.96 * math.sqrt(0.75 * 0.25 / 1000), rel=0.15)


def test_many_sequences_are_joined_into_groups(monkeypatch):
    given = drawn("category", 4000, np.random.default_rng(3), sequences=3000)
    units, count = drawable(given, sums_of(given))
    assert count == len(units) == 2000
    full = intervals(given)["accuracy"]
    monkeypatch.setattr(bootstrap, "MOST_UNITS", 500)
    grouped = intervals(given)["accuracy"]
    assert grouped[1] - grouped[0] == pytest.approx(full[1] - full[0], rel=0.15)
    assert sums_of(given).metrics(units.sum(axis=0)[np.newaxis])["accuracy"][0] == metrics_of(given)["accuracy"]


def test_long_sequences_are_cut_into_cells(monkeypatch):
    given = drawn("number", 5000, np.random.default_rng(3), sequences=1)
    units, count = drawable(given, sums_of(given))
    assert len(units) == 1667 - 6 + 1  # cells of 3 positions, and blocks of 6 cells
    assert count == 278
    assert intervals(given) == intervals(given)


def test_one_sequence_that_is_too_short_has_no_interval():
    assert intervals(drawn("number", 3, np.random.default_rng(3), sequences=1)) == {}
    assert intervals(drawn("category", 3, np.random.default_rng(3)).taken(np.zeros(0, np.int64))) == {}


def test_a_constant_truth_has_the_same_r2_as_in_the_metrics():
    given = positions(target("number", 1), [0, 1, 2], np.full((3, 1), 7.3), np.array([[7.3], [7.3], [7.3]]))
    assert intervals(given)["r2"] == (1, 1)
    given = positions(target("number", 1), [0, 1, 2], np.full((3, 1), 7.3), np.array([[7.3], [7.0], [7.3]]))
    assert intervals(given)["r2"] == (0, 1)
