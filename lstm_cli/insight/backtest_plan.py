"""Which forecasts a backtest makes: how many steps, from which origins, beside which naive ones."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lstm_cli.data import Schema
from lstm_cli.data.schema.layout import Layout
from lstm_cli.errors import DataError, are, counted, listed
from lstm_cli.insight.observed import Observed
from lstm_cli.insight.origins import Room, room
from lstm_cli.insight.rolling import feeds_back, needed_later
from lstm_cli.run.seen import Seen
from lstm_cli.scores.seasons import calendar_periods, find_periods

#: Steps of a forecast by default, of a model that feeds back: a season of at most `LONGEST_SEASON`, else:
LONGEST_SEASON, STEPS = 48, 12
#: How many forecasts that end before the origins are made for intervals: in all series, and in one of them, at most.
EARLIER, EARLIER_EACH = 1000, 100
_SERIES = 100  # seasons are looked for in at most as many

Note = Callable[[str], None]
Ends = tuple[int, int] | None  # how many steps of a series trained the run, and how many there are before its test


@dataclass(frozen=True)
class Plan:
    """The forecasts of a backtest.

    Attributes
    ----------
    ahead
        How many steps after the last one seen the first one of a forecast is.
    steps
        H.
    periods
        The seasons, in steps, ascending.
    origins
        Of each series, ascending.
    earlier
        Origins of forecasts that end before those, for intervals.
    """

    ahead: int
    steps: int
    periods: tuple[int, ...]
    origins: list[list[int]]
    earlier: list[list[int]]


def planned(
    schema: Schema, series: Sequence[Observed], seen: Seen | None, *, count: int, horizon: int | None, note: Note
) -> Plan:
    """Return the forecasts of a backtest; see `lstm_cli.insight.backtest.backtest`.

    Raises
    ------
    DataError
        No series has room for one.
    """
    ends, ahead = _ends(series, seen, schema.layout.lag + 2, note), schema.target.ahead

    def rooms(steps: int, periods: Sequence[int]) -> list[Room]:
        least, history = schema.layout.lag + 1, max(1, schema.layout.window or 1, *periods)
        return [
            room(own.steps, _reach(schema, steps), count, least=least, history=history, seen=end)
            for own, end in zip(series, ends, strict=True)
        ]

    def seasons(steps: int) -> tuple[int, ...]:
        """Return the seasons of the steps before the first origins, which is all that is known there."""
        found = list(zip(series, rooms(steps, ()), strict=True))[:_SERIES]
        calendar = calendar_periods(series[0].record.times)
        return find_periods([own.values[: one.first] for own, one in found], range(ahead, ahead + steps), calendar)

    steps = horizon or schema.target.horizon
    if horizon is None and feeds_back(schema):
        shortest = min(seasons(STEPS), default=0)
        steps = shortest if 2 <= shortest <= LONGEST_SEASON else STEPS
    periods, reach = seasons(steps), _reach(schema, steps)
    found = rooms(steps, periods)
    _check(series, ends, found, schema.layout, steps, reach, note)
    origins = [one.origins(count, periods) for one in found]
    most = max(map(len, origins))
    if most < count:
        note(f"only {counted(most, 'origin')} of the {count} wanted: there are no more steps to forecast from")
    each = min(EARLIER_EACH, max(1, EARLIER // len(series)))
    return Plan(ahead, steps, periods, origins, [one.earlier(each, reach, periods) for one in found])


def _reach(schema: Schema, steps: int) -> int:
    """Return how many steps after an origin a forecast of some steps needs: to compare with, or as known inputs."""
    known = needed_later(schema, steps) if schema.layout.known else 0
    return max(schema.target.ahead + steps - 1, known)


def _ends(series: Sequence[Observed], seen: Seen | None, least: int, note: Note) -> list[Ends]:
    """Return what the run has seen of each series; None for all where it has seen none, or where that is not known."""
    unknown: list[Ends] = [None] * len(series)
    if seen is None:
        return unknown
    ends = [seen.ends(own.steps, alone=len(series) == 1, least=least) for own in series]
    if seen.chosen or all(trained == own.steps for own, (trained, _) in zip(series, ends, strict=True)):
        note("the run was trained on this file, or on parts of it: on data that it has not seen, errors are larger")
        return unknown
    return list(ends)


def _check(
    series: Sequence[Observed],
    ends: Sequence[Ends],
    rooms: Sequence[Room],
    layout: Layout,
    steps: int,
    reach: int,
    note: Note,
) -> None:
    """Say which series are too short, or raise the `DataError` if all are."""
    short = [own for own, one in zip(series, rooms, strict=True) if one.first > one.last]
    if len(short) == len(series):
        longest = max(range(len(series)), key=lambda index: series[index].steps)
        own, end = series[longest], ends[longest]
        given = own.steps if end is None else own.steps - end[0]
        which = "" if end is None else "at its end, which did not train the run, "
        needed = f"it needs {layout.lag + 1} before it and {reach} after" if end is None else f"it needs {reach}"
        what = f"{counted(given, 'step')} {which}{are(given)} too few for a forecast of {steps}"
        fix = "give a longer series" + (", or a smaller --horizon" if steps > 1 and layout.target.horizon == 1 else "")
        raise DataError(f"{own.record.where}: {what}: {needed}: {fix}")
    if short:
        names = listed([own.record.id for own in short], 5)
        note(f"{len(short)} of {len(series)} series {are(len(short))} too short and left out: {names}")
