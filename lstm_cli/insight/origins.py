"""From where in a series forecasts are tried: where a run was not trained, with enough steps before and after.

Legend: T steps of a series. An origin is the number of steps that a forecast has seen.
"""

from collections.abc import Sequence
from dataclasses import dataclass

_SHIFTS = 50  # beginnings that are tried so that origins fall on all parts of a season


@dataclass(frozen=True)
class Room:
    """The origins that a series has room for.

    Attributes
    ----------
    first, last
        The first and the last origin; no room where the last is before the first.
    earliest
        The first origin before these from which forecasts end before the first: for intervals. None: there is none.
    """

    first: int
    last: int
    earliest: int | None = None

    def origins(self, count: int, periods: Sequence[int]) -> list[int]:
        """Return at most `count` origins, ascending."""
        return spaced(self.first, self.last, count, periods)

    def earlier(self, count: int, reach: int, periods: Sequence[int]) -> list[int]:
        """Return at most `count` origins of forecasts of `reach` steps that end before the first origin."""
        if self.earliest is None:
            return []
        return spaced(self.earliest, self.first - reach, count, periods)


def room(steps: int, reach: int, count: int, *, least: int, history: int, seen: tuple[int, int] | None) -> Room:
    """Return where in a series origins may lie.

    They lie in its second half, or before where it has no room for as many as wanted; of a series that the run was
    trained on, in the part that was held out for the test, or else for validation.

    Parameters
    ----------
    steps
        T.
    reach
        How many steps after an origin the last forecast one is.
    count
        How many origins are wanted.
    least
        How many steps a forecast needs at least to have seen.
    history
        How many it should have seen, if the series has room for that.
    seen
        How many steps the run was trained on, and how many until the test begins; None: it has seen none of them.
    """
    last = steps - reach
    if seen is None:
        first = max(min(steps // 2, last - count + 1), least)
        first = max(first, history) if history <= last else first
        return Room(first, last, earliest=min(max(history, least), first))
    trained, tested = seen
    if least <= tested <= last:
        return Room(tested, last, earliest=max(trained, least))
    return Room(max(trained, least), last)


def spaced(first: int, last: int, count: int, periods: Sequence[int]) -> list[int]:
    """Return at most `count` steps from `first` to `last`, about equally far apart, ending there.

    They begin up to a tenth of the way later where they would else fall on few parts of a season, such as on the same
    hour of every day.
    """
    count = min(count, last - first + 1)
    if count < 2:
        return [last][: max(count, 0)]
    most = min((last - first) // 10, last - first + 1 - count, _SHIFTS)
    tried = (_even(first + shift, last, count) for shift in range(most + 1))
    return next((steps for steps in tried if _varied(steps, periods)), _even(first, last, count))


def _even(first: int, last: int, count: int) -> list[int]:
    """Return `count` steps from first to last."""
    return [first + round(place * (last - first) / (count - 1)) for place in range(count)]


def _varied(steps: Sequence[int], periods: Sequence[int]) -> bool:
    """Return whether steps fall on at least half as many parts of every season as they could."""
    return all(2 * len({step % period for step in steps}) >= min(period, len(steps)) for period in periods)
