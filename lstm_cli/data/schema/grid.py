"""The grid of a series: its usual step, where steps are missing, how it continues, and its calendar.

Legend: T steps.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from lstm_cli.config.data import Calendar
from lstm_cli.data.schema.times import Times

Unit = Literal["number", "ns", "weekdays", "months"]

_DAY = 86_400_000_000_000
_ONE_DAY, _ONE_MONTH = np.timedelta64(1, "D"), np.timedelta64(1, "M")
#: Below this share of equal steps a series has no grid.
_REGULAR = 0.5
_SPANS = (("day", _DAY), ("hour", _DAY // 24), ("min", _DAY // 1440), ("s", 1_000_000_000), ("ms", 1_000_000))


@dataclass(frozen=True)
class Grid:
    """The steps between the times of a series.

    Attributes
    ----------
    unit
        What steps are counted in.
    steps
        Every step (T - 1,), in that unit.
    step
        The usual one; of an irregular series, the median.
    regular
        Most steps are the usual one.
    """

    unit: Unit
    steps: NDArray[Any]
    step: float
    regular: bool

    @property
    def gaps(self) -> NDArray[np.intp]:
        """Positions of the times after which steps are missing."""
        return np.flatnonzero(self.steps > 1.01 * self.step)

    @property
    def text(self) -> str:
        """The usual step as text."""
        return self.span(self.step)

    def span(self, step: float) -> str:
        """Return the length of a step, in the grid's unit, as text."""
        return _span(step, self.unit)


def grid_of(times: Times) -> Grid | None:
    """Return the grid of times (T,) in order; None for fewer than two."""
    if len(times) < 2:
        return None
    if times.dtype.kind != "M":
        return _grid("number", np.diff(times))
    if (months := _months(times)) is not None:
        return _grid("months", np.diff(months))
    nanoseconds = _grid("ns", np.diff(times).astype(np.int64))
    days = times.astype("datetime64[D]")
    weekly = nanoseconds.step == _DAY and 3 * _DAY in nanoseconds.steps
    if weekly and np.is_busday(days).all() and not (nanoseconds.steps % _DAY).any():
        return _grid("weekdays", np.busday_count(days[:-1], days[1:]))
    return nanoseconds


def following(times: Times, count: int) -> Times:
    """Return the `count` times after the last one: the regular continuation of a series (count,)."""
    grid = grid_of(times)
    if grid is None:
        raise ValueError("a series of one step has no next time")
    ahead = np.arange(1, count + 1)
    if grid.unit == "number":
        return np.asarray(times[-1] + grid.step * ahead)
    if grid.unit == "ns":
        return np.asarray(times[-1] + (int(grid.step) * ahead).astype("timedelta64[ns]"))
    last = times[-1].astype("datetime64[D]")
    of_day = times[-1] - last
    if grid.unit == "weekdays":
        return np.asarray(np.busday_offset(last, int(grid.step) * ahead).astype("datetime64[ns]") + of_day)
    month = last.astype("datetime64[M]") + (int(grid.step) * ahead).astype("timedelta64[M]")
    if _at_month_end(times):
        days = (month + _ONE_MONTH).astype("datetime64[D]") - _ONE_DAY
    else:
        days = month.astype("datetime64[D]") + (last - last.astype("datetime64[M]").astype("datetime64[D]"))
    return np.asarray(days.astype("datetime64[ns]") + of_day)


def calendar_features(times: Times, part: Calendar) -> NDArray[np.float64]:
    """Return a part of the calendar of times (T,) as sine and cosine (T, 2).

    The angle is ``2 pi`` times hour / 24, with minutes and seconds; weekday / 7, where Monday is 0; day / days of the
    month; month / 12; or, for ``year``, day of the year / 365.25.
    """
    days, months, years = (times.astype(f"datetime64[{unit}]") for unit in "DMY")
    number = days.astype(np.int64)
    match part:
        case "hour":
            turns = (times - days).astype(np.int64) / _DAY
        case "weekday":
            turns = (number + 3) % 7 / 7  # 1970-01-01 was a Thursday
        case "day":
            starts = months.astype("datetime64[D]").astype(np.int64)
            lengths = (months + _ONE_MONTH).astype("datetime64[D]").astype(np.int64) - starts
            turns = (number - starts + 1) / lengths
        case "month":
            turns = (months.astype(np.int64) % 12 + 1) / 12
        case "year":
            turns = (number - years.astype("datetime64[D]").astype(np.int64) + 1) / 365.25
    return np.stack([np.sin(2 * np.pi * turns), np.cos(2 * np.pi * turns)], axis=1)


def _grid(unit: Unit, steps: NDArray[Any]) -> Grid:
    typical = float(np.median(steps)) or 1.0
    kinds, counts = np.unique(np.round(steps / typical, 6), return_counts=True)
    usual = int(counts.argmax())
    regular = bool(counts[usual] >= _REGULAR * len(steps))
    return Grid(unit, steps, float(kinds[usual]) * typical if regular else typical, regular)


def _months(times: Times) -> NDArray[np.int64] | None:
    """Return the months of times that are all on the same day of the month, or all on its last; else None."""
    months = times.astype("datetime64[M]")
    within = times - months.astype("datetime64[D]")
    numbers = months.astype(np.int64)
    if np.diff(numbers).min() < 1 or not ((within == within[0]).all() or _at_month_end(times)):
        return None
    return numbers


def _at_month_end(times: Times) -> bool:
    days = times.astype("datetime64[D]")
    ends = (days + _ONE_DAY).astype("datetime64[M]") != days.astype("datetime64[M]")
    return bool(ends.all() and (times - days == times[0] - days[0]).all())


def _span(step: float, unit: Unit) -> str:
    """Return the length of a step as text."""
    if unit == "number":
        return f"{step:g}"
    if unit == "months":
        return f"{step:.0f} month{'s' * (step != 1)}"
    if unit == "weekdays":
        return f"{step:.0f} weekday{'s' * (step != 1)}"
    name, size = next(((name, size) for name, size in _SPANS if step >= size), _SPANS[-1])
    count = f"{step / size:.4g}"
    return f"{count} {name}{'s' * (name in ('day', 'hour') and count != '1')}"
