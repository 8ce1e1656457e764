"""Periods of synthetic series, and the autocorrelation against its definition."""

import numpy as np
import pytest

from lstm_cli.scores.seasons import autocorrelation, calendar_periods, find_periods, whole_seasons

HOURS = np.arange(24 * 7 * 12)
DAILY, WEEKLY = np.sin(2 * np.pi * HOURS / 24), np.where(HOURS // 24 % 7 < 5, 1.0, -1.0)


def column(values):
    return np.asarray(values, np.float64)[:, np.newaxis]


def noise(count, seed=0):
    return np.random.default_rng(seed).normal(size=count)


def every(unit, count, start="2020-01-01"):
    return (np.datetime64(start) + np.arange(count) * np.timedelta64(*unit)).astype("datetime64[ns]")


def test_a_day_and_a_week_are_found_with_and_without_times():
    series = column(3 * DAILY + 1.5 * WEEKLY + 0.2 * noise(len(HOURS)) + HOURS / 500)
    assert find_periods([series], range(1, 25), calendar_periods(every((1, "h"), 100))) == (24, 168)
    assert find_periods([series], range(1, 25)) == (24, 168)


def test_a_day_alone_is_found_once_and_not_its_multiples():
    series = column(3 * DAILY + 0.5 * noise(len(HOURS)))
    assert find_periods([series], range(1, 13)) == (24,)


def test_no_season_is_seen_in_noise_a_random_walk_and_a_trend():
    for values in (noise(900), np.cumsum(noise(900)), np.arange(900.0), np.ones(900)):
        assert find_periods([column(values)], (1,), (7,)) == ()
    assert [find_periods([column(noise(300, seed))], range(1, 13)) for seed in range(8)] == [()] * 8


def test_a_season_that_the_last_value_beats_one_step_ahead_counts_further_ahead():
    slow = column(np.sin(2 * np.pi * np.arange(2000) / 100) + 0.01 * noise(2000))
    assert find_periods([slow], (1,)) == find_periods([slow * 1e6 - 5], (1,))
    assert find_periods([slow], range(1, 51))[:1] == (100,)


def test_columns_of_other_units_count_alike():
    series = np.stack([1000 * DAILY, noise(len(HOURS)) * 1e-3 + DAILY], axis=1)
    assert find_periods([series], range(1, 13)) == (24,)


def test_short_series_and_gaps_are_no_obstacle():
    values = column(np.tile([1.0, 5.0, 9.0, 3.0], 8) + 0.1 * noise(32))
    values[5] = np.nan
    assert find_periods([values[:3], values, values[:9]], (1,)) == (4,)
    assert find_periods([values[:5]], (1,), (4,)) == ()
    assert find_periods([], (1,)) == ()
    assert find_periods([np.full((60, 1), np.nan)], (1,), (7,)) == ()


def test_the_autocorrelation_is_that_of_its_definition():
    values = np.cumsum(noise(50, seed=3)) + 0.3 * np.arange(50)
    line = np.polynomial.Polynomial.fit(np.arange(50), values, 1)
    rest = values - line(np.arange(50))
    expected = [np.mean(rest[: 50 - lag] * rest[lag:]) / np.mean(rest * rest) for lag in range(11)]
    np.testing.assert_allclose(autocorrelation([column(values)], 10), expected, rtol=1e-9)


@pytest.mark.parametrize(
    "times, expected",
    [
        (every((1, "h"), 50), (24, 168, 8760)),
        (every((15, "m"), 50), (4, 96, 672, 35040)),
        (every((1, "D"), 50), (7, 365)),
        (every((7, "D"), 50), (52,)),
        (np.arange("2020-01", "2023-01", dtype="datetime64[M]").astype("datetime64[ns]"), (12,)),
        (np.arange("2020-01", "2023-01", 3, dtype="datetime64[M]").astype("datetime64[ns]"), (4,)),
        (np.arange(50.0), ()),
        (None, ()),
    ],
)
def test_the_times_of_a_series_suggest_seasons(times, expected):
    assert calendar_periods(times) == expected


def test_working_days_have_a_week_of_five():
    days = every((1, "D"), 60, "2024-01-01")
    assert calendar_periods(days[np.is_busday(days.astype("datetime64[D]"))]) == (5, 261)


def test_as_many_whole_seasons_are_gone_back_as_are_needed():
    assert whole_seasons(4, np.array([1, 4, 5, 8, 9])).tolist() == [4, 4, 8, 8, 12]
