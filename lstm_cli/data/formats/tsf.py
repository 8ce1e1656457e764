"""Format tsf: the Monash forecasting archive's files.

A header of ``@key value`` lines, in which ``@attribute name type`` names what stands before each series; then one
series per line: its attributes and its values, separated by colons, the values by commas, ``?`` for a missing one. The
values are column ``x``, the attributes are columns with one value per series, and the times that follow from a date
attribute and ``@frequency`` are column ``time``.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from lstm_cli.data.formats.naming import sequence_id
from lstm_cli.data.formats.raw import Options, RawSequence
from lstm_cli.data.formats.source import Source
from lstm_cli.data.formats.ts import numbers
from lstm_cli.errors import DataError, listed

#: The steps of frequencies that are not a count and a unit, such as 4_seconds: how many, and numpy's unit.
_FREQUENCIES = {
    "minutely": (1, "m"), "half_hourly": (30, "m"), "hourly": (1, "h"), "daily": (1, "D"), "weekly": (7, "D"),
    "monthly": (1, "M"), "quarterly": (3, "M"), "yearly": (12, "M"),
}  # fmt: skip
_COUNTED = re.compile(r"(\d+)_(second|minute|hour|day|week|month|year)s?")
_UNITS = {"second": (1, "s"), "minute": (1, "m"), "hour": (1, "h"), "day": (1, "D"), "week": (7, "D")}
_UNITS |= {"month": (1, "M"), "year": (12, "M")}
_DATE = "%Y-%m-%d %H-%M-%S"


@dataclass(frozen=True)
class _Header:
    """The attributes in order, the one that is a date, and what a step of time is."""

    attributes: list[str]
    start: str | None
    step: tuple[int, str] | None

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns of a series."""
        timed = self.start is not None and self.step is not None
        return (*self.attributes, *(["time"] if timed else []), "x")


def read(source: Source, options: Options) -> Iterator[RawSequence | DataError]:
    """Yield one sequence per series; ``series_name`` is its id where no attribute is named like the id column."""
    header: _Header | None = None
    fields: list[list[str]] = []
    count = 0
    for number, line, error in source.lines():
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        where = f"{source.name}:{number}"
        if header is not None:
            count += 1
            yield error or _sequence(where, count, line, header, options)
        elif not line.startswith("@"):
            raise DataError(f"{where}: a series before @data: put the header, then a line @data, then the series")
        elif line.lower() == "@data":
            header = _header(source, fields, options)
        else:
            fields.append(_field(where, line))
    if header is None:
        raise DataError(f"{source.name}: there is no line @data: is this a .tsf file of the forecasting archive?")
    if not count:
        raise DataError(f"{source.name}: there are no series below @data: give at least one")


def _field(where: str, line: str) -> list[str]:
    """Return the words of a line of the header."""
    words = line[1:].split()
    if not words:
        raise DataError(f"{where}: a line of @ alone: complete it, as in @frequency hourly, or delete it")
    if words[0].lower() == "attribute" and len(words) != 3:
        raise DataError(f"{where}: expected @attribute NAME TYPE, got {line!r:.60}: correct the line")
    return words


def _header(source: Source, fields: list[list[str]], options: Options) -> _Header:
    attributes = {field[1]: field[2].lower() for field in fields if field[0].lower() == "attribute"}
    dates = [name for name, kind in attributes.items() if kind == "date"]
    frequency = next((field[1].lower() for field in fields if field[0].lower() == "frequency" and len(field) > 1), "")
    unknown = [name for name in options.id if name not in attributes]
    if options.id_required and unknown:
        what = f"no such attribute (there are {listed(list(attributes))})"
        raise DataError(f"{source.name}: {unknown[0]}: {what}: correct data.id, or leave it out")
    return _Header(list(attributes), dates[0] if dates else None, _step(frequency))


def _step(frequency: str) -> tuple[int, str] | None:
    found = _COUNTED.fullmatch(frequency)
    if found is None:
        return _FREQUENCIES.get(frequency)
    count, unit = _UNITS[found[2]]
    return int(found[1]) * count, unit


def _sequence(where: str, count: int, line: str, header: _Header, options: Options) -> RawSequence | DataError:
    *given, values = line.split(":")
    if len(given) != len(header.attributes):
        what = f"expected {len(header.attributes)} attributes and the values, got {len(given) + 1} parts"
        return DataError(f"{where}: {what}: separate them by colons, as the header says")
    columns: dict[str, Any] = dict(zip(header.attributes, map(str.strip, given), strict=True))
    name = sequence_id(where, columns.get, columns.get("series_name", count), options)
    if isinstance(name, DataError):
        return name
    try:
        columns["x"] = numbers(values)
    except ValueError as error:
        return DataError(f"{where}: x: {error}: write numbers separated by commas")
    if options.wants("time") and header.start is not None and header.step is not None:
        try:
            columns["time"] = _times(columns[header.start], len(columns["x"]), *header.step)
        except ValueError:
            what = f"expected a date such as 2001-12-31 00-00-00, got {columns[header.start]!r:.40}"
            return DataError(f"{where}: {header.start}: {what}: correct it")
    kept = {column: value for column, value in columns.items() if options.wants(column)}
    return RawSequence(where, name, kept, header.columns, True)


def _times(start: str, count: int, every: int, unit: str) -> list[str]:
    """Return the times of `count` steps; steps of months end on the last day of shorter months."""
    first = np.datetime64(datetime.strptime(start, _DATE), "s")
    steps = every * np.arange(count)
    if unit != "M":
        times = first + steps.astype(f"timedelta64[{unit}]")
    else:
        month = first.astype("datetime64[M]")
        months = month + steps.astype("timedelta64[M]")
        day = first.astype("datetime64[D]")
        last = (months + np.timedelta64(1, "M")).astype("datetime64[D]") - np.timedelta64(1, "D")
        days = np.minimum(months.astype("datetime64[D]") + (day - month.astype("datetime64[D]")), last)
        times = days.astype("datetime64[s]") + (first - day)
    return [str(time) for time in np.datetime_as_string(times, unit="s")]
