"""Format tsf: the Monash forecasting archive's files.

A header of ``@key value`` lines, in which ``@attribute name type`` names what stands before each series; then one
series per line: its attributes and its values, separated by colons, the values by commas, ``?`` for a missing one. The
values are column ``x``, the attributes are columns with one value per series, and the times that follow from a date
attribute and ``@frequency`` are column ``time``.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import numpy as np

from lstm_cli.data.formats.archive import HeaderLine, read_archive
from lstm_cli.data.formats.naming import sequence_id
from lstm_cli.data.formats.raw import Options, RawSequence
from lstm_cli.data.formats.source import Source
from lstm_cli.data.formats.ts import numbers
from lstm_cli.errors import DataError, counted, listed

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
    header, sequence = partial(_header, source.name, options), partial(_sequence, options)
    return read_archive(source, ".tsf", comments=("#",), header=header, sequence=sequence)


def _header(file: str, options: Options, where: str, lines: Sequence[HeaderLine]) -> _Header:
    attributes = dict(_attribute(line) for line in lines if line.key == "attribute")
    dates = [name for name, kind in attributes.items() if kind == "date"]
    frequency = next((line.values[0].lower() for line in lines if line.key == "frequency" and line.values), "")
    unknown = [name for name in options.id if name not in attributes]
    if options.id_required and unknown:
        what = f"no such attribute (there are {listed(list(attributes))})"
        raise DataError(f"{file}: {unknown[0]}: {what}: correct data.id, or leave it out")
    return _Header(list(attributes), dates[0] if dates else None, _step(frequency))


def _attribute(line: HeaderLine) -> tuple[str, str]:
    """Return the name and the type of an attribute."""
    if len(line.values) != 2:
        given = " ".join(["@attribute", *line.values])
        raise DataError(f"{line.where}: expected @attribute NAME TYPE, got {given!r:.60}: correct the line")
    name, kind = line.values
    return name, kind.lower()


def _step(frequency: str) -> tuple[int, str] | None:
    found = _COUNTED.fullmatch(frequency)
    if found is None:
        return _FREQUENCIES.get(frequency)
    count, unit = _UNITS[found[2]]
    return int(found[1]) * count, unit


def _sequence(options: Options, where: str, count: int, line: str, header: _Header) -> RawSequence | DataError:
    *given, values = line.split(":")
    if len(given) != len(header.attributes):
        expected = f"expected {counted(len(header.attributes), 'attribute')} and the values"
        what = f"{expected}, got {counted(len(given) + 1, 'part')}"
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
