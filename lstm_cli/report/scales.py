"""Scales and ticks of charts: from values to positions, and round values to label."""

import math
from dataclasses import dataclass

LOGARITHMIC_RANGE = 50.0  # ratio of largest to smallest value above which a scale is logarithmic
LARGEST = 1e300  # of what is drawn: the range of larger values overflows


@dataclass(frozen=True)
class Scale:
    """Maps values from `low` to `high` to positions from 0 to 1; a range without extent to the middle."""

    low: float
    high: float
    logarithmic: bool = False

    def __call__(self, value: float) -> float:
        """Return the position of a value, within 0 and 1."""
        low, high = self.low, self.high
        if self.logarithmic:
            value, low, high = math.log(max(value, low)), math.log(low), math.log(high)
        return min(max((value - low) / (high - low), 0.0), 1.0) if high > low else 0.5

    def ticks(self, count: int) -> list[float]:
        """Return round values within the range, about `count` of them."""
        if self.logarithmic:
            return _decades(self.low, self.high)
        return linear_ticks(self.low, self.high, count)


def scale_of(low: float, high: float, *, zero: bool = False) -> Scale:
    """Return the scale of an axis for values in a range: logarithmic over decades, else with some room at both ends.

    Parameters
    ----------
    zero
        Whether the scale begins at 0, or includes it where values are negative; it is not logarithmic then.
    """
    if zero:
        low, high = min(low, 0.0), max(high, 0.0)
    elif low > 0 and high / low > LOGARITHMIC_RANGE:
        return Scale(low, high, logarithmic=True)
    room = (high - low) * 0.06
    if room <= abs(high) * 1e-9:
        room = abs(high) * 0.1 or 1.0
    return Scale(max(low - room, 0.0) if low >= 0 else low - room, high + room)


def linear_ticks(low: float, high: float, count: int) -> list[float]:
    """Return multiples of 1, 2 or 5 times a power of ten within a range, about `count` of them."""
    if high - low <= abs(high) * 1e-12:
        return [low]
    rough = (high - low) / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [_rounded(index * step, step) for index in range(first, math.floor(high / step + 1e-9) + 1)]


def _rounded(value: float, step: float) -> float:
    """Return a multiple of a step without the last bits' error."""
    return round(value, max(0, 2 - math.floor(math.log10(step))))


def _decades(low: float, high: float) -> list[float]:
    """Return 1, 2 and 5 of every decade within the range; only some of the ones if those are too many."""
    exponents = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for factors in ((1, 2, 5), (1,)):
        ticks = [factor * 10.0**exponent for exponent in exponents for factor in factors]
        ticks = [tick for tick in ticks if low <= tick <= high]
        if len(ticks) <= 6:
            return ticks
    return ticks[:: math.ceil(len(ticks) / 6)]


def label(value: float) -> str:
    """Return a tick's value in few characters: 0.25, 1,500, 20k, 3M, 1e-5."""
    size = abs(value)
    if value and not 1e-4 <= size < 1e9:
        return f"{value:.2g}".replace("e-0", "e-").replace("e+0", "e").replace("e+", "e")
    for least, divisor, suffix in ((1e6, 1e6, "M"), (1e4, 1e3, "k")):
        if size >= least:
            return f"{value / divisor:,.6g}{suffix}"
    return f"{value:,.6g}"
