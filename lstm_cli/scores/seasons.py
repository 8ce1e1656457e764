"""Finds the seasons of series: after how many steps their values come again.

Legend: T steps, D numbers per step, r how many steps after the last known one a value is forecast, N steps of a season.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_cli.data import Dataset
from lstm_cli.data.schema.grid import grid_of

Numbers = NDArray[np.float64]

#: At most as many periods are used, found in at most as many of the longest series and of their last steps.
MOST_PERIODS = 2
_SERIES, _STEPS = 100, 100_000
#: Of many columns fewer steps, and the autocorrelation of some of them.
_NUMBERS, _COLUMNS = 2_000_000, 10
#: A series has to show a season as often as this, the longest one that is looked for without times.
_SEASONS, _LONGEST = 3, 2100
#: An autocorrelation below is noise, and only its highest peaks are tried.
_LEAST, _PEAKS = 0.1, 12
#: How many of the steps of a horizon are tried.
_REACHES = 8
#: The share of the squared error of the last value, or of a shorter season, that a season may have at most.
_BETTER = 0.95

_HOUR = 3_600_000_000_000  # in nanoseconds
_WEEK = 7 * 24 * _HOUR
_SPANS = (_HOUR, 24 * _HOUR, _WEEK, 365 * 24 * _HOUR)  # hour, day, week, year


def seasons_of(dataset: Dataset, turns: int = 1) -> tuple[int, ...]:
    """Return the periods of a training set whose target is a later value of its inputs; none for other targets.

    `turns` is how many steps a closed loop runs without observing the series.
    """
    target = dataset.schema.target
    if not (target.ahead and dataset.schema.predicted_numbers):
        return ()
    longest = np.argsort(-dataset.lengths, kind="stable")[:_SERIES].tolist()
    reaches = range(target.ahead, target.ahead + max(target.horizon, turns))
    calendar = calendar_periods(dataset[longest[0]].times) if longest else ()
    return find_periods(_pieces(dataset, longest), reaches, calendar)


def _pieces(dataset: Dataset, indices: Iterable[int]) -> Iterator[Numbers]:
    """Yield the last values (T, D) of series, until there are enough steps."""
    left = min(_STEPS, _NUMBERS // len(dataset.schema.predicted_numbers))
    for index in indices:
        length = int(dataset.lengths[index])
        taken = min(left, length)
        if taken:
            steps = np.arange(length - taken, length)
            yield dataset.values_at(np.full(taken, index), steps)
        left -= taken


def calendar_periods(times: NDArray[np.generic] | None) -> tuple[int, ...]:
    """Return how many steps of a series (T,) an hour, a day, a week and a year have, as far as they are whole ones."""
    grid = None if times is None else grid_of(times)
    if grid is None or not grid.regular:
        return ()
    if grid.unit == "weekdays":
        return (5, 261) if grid.step == 1 else ()
    if grid.unit == "months":
        return (int(12 // grid.step),) if 12 % grid.step == 0 and grid.step <= 6 else ()
    if grid.unit != "ns":
        return ()
    if grid.step == _WEEK:
        return (52,)
    spans = [span / grid.step for span in _SPANS]
    return tuple(int(span) for span in spans if span >= 2 and span == int(span))


def find_periods(
    pieces: Iterable[Numbers], reaches: Sequence[int] = (1,), calendar: Sequence[int] = ()
) -> tuple[int, ...]:
    """Return the periods of series, ascending: none, one or two.

    A season of N steps counts if the value one season ago (or as many whole seasons as are needed to be known) is a
    better forecast than the last value and than that of every shorter season, and if the autocorrelation at its lag is
    beyond what noise has. Of those that count, the shortest and the best are taken. The seasons of the calendar are
    tried; where none of them counts, the peaks of the autocorrelation of the series without their linear trends.

    Parameters
    ----------
    pieces
        Values (T, D), of which NaN are left out.
    reaches
        How many steps ahead is forecast.
    calendar
        The seasons that the times of the series suggest.
    """
    series = [piece for piece in pieces if len(piece) >= 2 * _SEASONS]
    if not series:
        return ()
    most = max(map(len, series)) // _SEASONS
    tried = (
        reaches if len(reaches) <= _REACHES else sorted({*np.linspace(reaches[0], reaches[-1], _REACHES, dtype=int)})
    )
    correlation = autocorrelation(series, most + 1)
    deviation = 1 / np.sqrt(sum(map(len, series)))  # of the autocorrelation of noise
    peaks = _peaks(correlation[: _LONGEST + 2])
    for candidates, deviations in ((calendar, 2.0), (peaks, 3.5)):  # of many peaks, some are high by chance
        least = max(_LEAST, deviations * deviation)
        likely = [period for period in sorted(candidates) if 2 <= period <= most and correlation[period] > least]
        found = _better(likely, series, tried)
        if found:
            return found
    return ()


def _better(periods: Sequence[int], series: Sequence[Numbers], reaches: Sequence[int]) -> tuple[int, ...]:
    """Return, of ascending periods, the shortest and the best of those that count."""
    kept: list[int] = []
    least = 1.0
    for period in periods:
        share = _share(period, series, reaches)
        if share < _BETTER * least:
            kept.append(period)
            least = share
    return tuple(kept[:1] + kept[1:][-1:])[:MOST_PERIODS]


def _share(period: int, series: Sequence[Numbers], reaches: Sequence[int]) -> float:
    """Return the squared error of the value a season ago as a share of that of the last value, the mean over columns.

    Both are taken over the same steps.
    """
    width = series[0].shape[1]
    seasonal, last = np.zeros(width), np.zeros(width)
    for reach in reaches:
        back = whole_seasons(period, reach)
        for values in series:
            if len(values) > back:
                seasonal += np.nansum(np.square(values[back:] - values[:-back]), axis=0)
                last += np.nansum(np.square(values[back:] - values[back - reach : len(values) - reach]), axis=0)
    moving = last > 0
    return float(np.mean(seasonal[moving] / last[moving])) if moving.any() else 1.0


def seasonal_steps(
    origins: NDArray[np.int64], reach: NDArray[np.int64], periods: Iterable[int], first: NDArray[np.int64] | int = 0
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the steps whose values are the naive forecasts of a season, and which of them are of that season.

    Where the known steps do not reach back a season, the next shorter one is taken, and at last the last step.

    Parameters
    ----------
    origins
        The last known steps (N, 1).
    reach
        How many steps after them the predicted ones are (N, H).
    periods
        The season and the shorter ones, the shortest first; none: the last step.
    first
        The first known step, or those (N, 1) of each forecast.
    """
    steps, known = np.broadcast_to(origins, reach.shape), np.ones(reach.shape, np.bool_)
    for period in periods:
        earlier = origins + reach - whole_seasons(period, reach)
        known = earlier >= first
        steps = np.where(known, earlier, steps)
    return steps, known


def whole_seasons(period: int, reach: Any) -> Any:
    """Return how many steps before a forecast one the value of the same season is that is known `reach` steps ahead.

    For one reach, or for an array of them.
    """
    return -(-reach // period) * period


def _peaks(correlation: Numbers) -> list[int]:
    """Return the lags at which an autocorrelation has its highest peaks."""
    inner = correlation[1:-1]
    lags = np.flatnonzero((inner > correlation[:-2]) & (inner >= correlation[2:])) + 1
    highest = lags[np.argsort(-correlation[lags], kind="stable")[:_PEAKS]]
    return [int(lag) for lag in highest]


def autocorrelation(series: Sequence[Numbers], most: int) -> Numbers:
    """Return the autocorrelation (most + 1,) of series at lags 0 … most, the mean over columns, of many over some.

    ``r(l) = c(l) / c(0)`` with ``c(l) = mean of x(t) x(t + l)`` over all steps of all series, where x is the series
    without its linear trend, divided by its deviation (Box, Jenkins, Reinsel and Ljung 2015, section 2.1). By fast
    Fourier transform; missing values are those of the trend.
    """
    total, count = np.zeros(most + 1), np.zeros(most + 1)
    for values in series:
        for column in values.T[:: -(-values.shape[1] // _COLUMNS)]:
            rest = _without_trend(column)
            if rest is None:
                continue
            size = 1 << (2 * len(rest) - 1).bit_length()
            products = np.fft.irfft(np.abs(np.fft.rfft(rest, size)) ** 2, size)[: min(most + 1, len(rest))]
            total[: len(products)] += products
            count[: len(products)] += len(rest) - np.arange(len(products))
    mean = total / np.maximum(count, 1)
    return mean / mean[0] if mean[0] > 0 else mean


def _without_trend(values: Numbers) -> Numbers | None:
    """Return values (T,) without their linear trend, of deviation 1; None where nothing is left."""
    known = np.isfinite(values)
    steps = np.arange(len(values), dtype=np.float64)
    if known.sum() < 3:
        return None
    centered = steps - steps[known].mean()
    mean = values[known].mean()
    slope = (centered[known] * (values[known] - mean)).sum() / np.square(centered[known]).sum()
    rest = np.where(known, values - mean - slope * centered, 0.0)
    deviation = np.sqrt(np.square(rest).mean())
    return rest / deviation if deviation > 1e-12 * max(1e-300, abs(mean)) else None
