"""Format ts: the time-series archive's files (timeseriesclassification.com).

A header of ``@key value`` lines, then one case per line: dimensions separated by colons, values by commas, and at the
end the class label where the header says ``@classLabel true``. The values are column ``x`` (step, dimension), ``?`` is
a missing one; the label is column ``label``; so is the number of a regression file (``@targetLabel true``). With
``@timeStamps true`` a value is written ``(time,value)``, and the times are column ``time``.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_cli.data.formats.archive import HeaderLine, read_archive
from lstm_cli.data.formats.raw import Options, RawSequence
from lstm_cli.data.formats.source import Source
from lstm_cli.errors import DataError, listed

_COMMENTS = ("#", "%")
_STAMP_OR_COLON = re.compile(r"\([^()]*\)|:")
_STAMPED = re.compile(r"\(([^()]*),([^(),]*)\)")


@dataclass
class _Header:
    """The lines before @data."""

    labelled: bool = False
    classes: bool = False
    labels: list[str] = field(default_factory=list)
    dimensions: int | None = None
    stamped: bool = False


class _Problem(Exception):
    """What is wrong with a case and what to do."""


def read(source: Source, options: Options) -> Iterator[RawSequence | DataError]:
    """Yield one sequence per case."""
    return read_archive(source, ".ts", comments=_COMMENTS, header=_header, sequence=partial(_sequence, options))


def _header(where: str, lines: Sequence[HeaderLine]) -> _Header:
    fields = {line.key: line.values for line in lines}

    def says(key: str) -> bool:
        return [value.lower() for value in fields.get(key, [])[:1]] == ["true"]

    dimensions = " ".join(fields.get("dimensions") or fields.get("dimension") or (["1"] if says("univariate") else []))
    if dimensions and not dimensions.isdecimal():
        raise DataError(f"{where}: @dimensions: expected a whole number, got {dimensions!r:.40}: correct it")
    classes = says("classlabel")
    labels = fields["classlabel"][1:] if classes else []
    labelled = classes or says("targetlabel")
    return _Header(labelled, classes, labels, int(dimensions) if dimensions else None, says("timestamps"))


def _sequence(options: Options, where: str, count: int, line: str, header: _Header) -> RawSequence | DataError:
    parts = _parts(line) if header.stamped else line.split(":")
    columns: dict[str, Any] = {"label": parts.pop().strip()} if header.labelled else {}
    if header.labels and columns["label"] not in (*header.labels, "?"):
        what = f"{columns['label']!r:.40} is not a label of the header ({listed(header.labels)})"
        return DataError(f"{where}: {what}: complete the line or correct the header")
    if header.dimensions is not None and len(parts) != header.dimensions:
        fix = "complete the line or correct the header"
        return DataError(f"{where}: expected {header.dimensions} dimensions, got {len(parts)}: {fix}")
    if not parts:
        return DataError(f"{where}: x: no values before the label: complete the line or remove it")
    try:
        if header.stamped:
            columns["time"], parts = _unstamped(parts)
        columns["x"] = _stacked([numbers(part) for part in parts])
    except _Problem as problem:
        return DataError(f"{where}: x: {problem}")
    except ValueError as error:
        return DataError(f"{where}: x: {error}: write numbers separated by commas")
    if "time" in columns and not options.wants("time"):
        del columns["time"]
    labels = frozenset(["label"] if header.classes else [])
    return RawSequence(where, count, columns, tuple(columns), True, labels=labels)


def _parts(line: str) -> list[str]:
    """Return what colons separate that are not those of a time stamp."""
    colons = [found.start() for found in _STAMP_OR_COLON.finditer(line) if found[0] == ":"]
    return [line[start + 1 : stop] for start, stop in pairwise([-1, *colons, len(line)])]


def _unstamped(parts: list[str]) -> tuple[list[str], list[str]]:
    """Return the times of the steps, and the dimensions without time stamps."""
    pairs = []
    for part in parts:
        pairs.append(_STAMPED.findall(part))
        if _STAMPED.sub("", part).replace(",", "").strip() or not pairs[-1]:
            raise _Problem("expected values with time stamps as in the header: write (time,value),(time,value)")
    times = [[time.strip() for time, _ in pair] for pair in pairs]
    if any(own != times[0] for own in times):
        raise _Problem("the dimensions have different time stamps: give every dimension a value at each time")
    return times[0], [",".join(value for _, value in pair) for pair in pairs]


def _stacked(dimensions: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Return dimensions as steps (T, D)."""
    steps = sorted({len(values) for values in dimensions})
    if len(steps) > 1:
        fix = "give every dimension as many values"
        raise _Problem(f"the dimensions have {steps[0]} to {steps[-1]} values: {fix}")
    return np.stack(dimensions, axis=1)


def numbers(text: str) -> NDArray[np.float64]:
    """Return the numbers (T,) of a text in which commas separate them; ``?`` is NaN.

    Raises
    ------
    ValueError
        Names the first cell that is not a number.
    """
    try:
        if "_" in text or not text.isascii():  # accepted in a number by Python only
            _refuse_lenient(text)
        return np.array(text.replace("?", "nan").split(","), np.float64)
    except ValueError as error:
        cell = str(error).removeprefix("could not convert string to float: ")
        raise ValueError(f"{cell:.40} is not a number") from None


def _refuse_lenient(text: str) -> None:
    for cell in text.split(","):
        if "_" in cell or not cell.isascii():
            raise ValueError(repr(cell))
