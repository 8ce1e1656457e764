"""What the shape of a series of numbers suggests: transforms, a season, windows.

Legend: T steps.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Series = NDArray[np.float64]

#: Seasons that a series must have to be trusted in it.
_SEASONS = 4
#: How strongly steps a season apart must be correlated.
_CORRELATED = 0.4
#: The change from step to step below which a series is smooth, relative to its deviation.
_SMOOTH = 0.3


@dataclass(frozen=True)
class Shape:
    """What a series looks like.

    Attributes
    ----------
    season
        The number of steps after which it repeats itself; None if it does not.
    trend
        Whether its level leaves the range of its beginning.
    grows
        Whether its swings grow with its level.
    seasonal
        Whether the change from season to season is smaller than that from step to step.
    smooth
        Whether it changes little from step to step.
    """

    season: int | None = None
    trend: bool = False
    grows: bool = False
    seasonal: bool = False
    smooth: bool = False


def shape_of(series: Series) -> Shape:
    """Return what a series (T,) looks like; NaN where a value is missing."""
    series = _filled(series)
    if len(series) < 12 or series.std() == 0:
        return Shape()
    step = np.diff(series)
    season = _season(step)
    quarter = len(series) // 4
    moved = abs(series[-quarter:].mean() - series[:quarter].mean())
    trend = bool(moved > 1.5 * _around(series, season or quarter).std())
    grows = bool(series.min() > 0) and _swings_grow(series, season or max(4, quarter // 2))
    seasonal = False
    if season is not None:
        over = series[season:] - series[:-season]
        seasonal = bool(np.diff(over).std() < 0.7 * step.std()) if trend else bool(over.std() < 0.7 * step.std())
    return Shape(season, trend, grows and trend, seasonal, bool(step.std() < _SMOOTH * series.std()))


def _filled(series: Series) -> Series:
    """Return a series with the last value in place of missing ones."""
    good = np.flatnonzero(np.isfinite(series))
    if not len(good):
        return np.zeros(0)
    places = np.maximum.accumulate(np.where(np.isfinite(series), np.arange(len(series)), good[0]))
    return series[places]


def _season(step: Series) -> int | None:
    """Return the lag at which the changes of a series are most correlated; None if no later one is.

    The autocorrelation is that of the periodogram (Wiener and Khinchin), of the changes since a trend hides a season.
    """
    count = len(step)
    most = min(count // _SEASONS, 2000)
    if most < 3:
        return None
    spectrum = np.abs(np.fft.rfft(step - step.mean(), 2 * count)) ** 2
    correlation = np.fft.irfft(spectrum)[: most + 1]
    if correlation[0] <= 0:
        return None
    correlation = correlation / correlation[0] * count / (count - np.arange(most + 1))
    inner = correlation[1:-1]
    peaks = 1 + np.flatnonzero((inner > correlation[:-2]) & (inner >= correlation[2:]))
    peaks = peaks[(peaks > 1) & (correlation[peaks] > _CORRELATED)]
    if not len(peaks):
        return None
    best = correlation[peaks].max()
    return int(peaks[np.flatnonzero(correlation[peaks] > 0.9 * best)[0]])


def _around(series: Series, length: int) -> Series:
    """Return what is left of a series after its moving mean over a number of steps."""
    length = max(2, min(length, len(series) // 2))
    kernel = np.ones(length) / length
    mean = np.convolve(series, kernel, mode="valid")
    start = (len(series) - len(mean)) // 2
    return series[start : start + len(mean)] - mean


def _swings_grow(series: Series, length: int) -> bool:
    """Return whether pieces of a series deviate more where their mean is larger."""
    pieces = [series[start : start + length] for start in range(0, len(series) - length + 1, length)]
    if len(pieces) < 4:
        return False
    means, swings = np.array([piece.mean() for piece in pieces]), np.array([piece.std() for piece in pieces])
    if means.std() == 0 or swings.std() == 0:
        return False
    return bool(np.corrcoef(means, swings)[0, 1] > 0.7 and means.max() > 1.5 * means.min())
