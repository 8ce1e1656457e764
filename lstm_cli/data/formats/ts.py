"""Format ts: the time-series archive's files (timeseriesclassification.com).

A header of ``@key value`` lines, then one case per line: dimensions separated by colons, values by commas, and at the
end the class label where the header says ``@classLabel true``. The values are column ``x`` (step, dimension), the
label is column ``label``; so is the number of a regression file (``@targetLabel true``). ``?`` is a missing value.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lstm_cli.data.formats.raw import Options, RawSequence
from lstm_cli.data.formats.source import Source
from lstm_cli.errors import DataError, listed


@dataclass
class _Header:
    """The lines before @data."""

    labelled: bool = False
    labels: list[str] = field(default_factory=list)
    dimensions: int | None = None


def read(source: Source, options: Options) -> Iterator[RawSequence | DataError]:
    """Yield one sequence per case."""
    header: _Header | None = None
    fields: dict[str, list[str]] = {}
    count = 0
    for number, line, error in source.lines():
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        where = f"{source.name}:{number}"
        if header is not None:
            count += 1
            yield error or _sequence(where, count, line, header)
        elif not line.startswith("@"):
            raise DataError(f"{where}: a case before @data: put the header, then a line @data, then the cases")
        elif line.lower() == "@data":
            header = _header(where, fields)
        else:
            key, _, values = line[1:].partition(" ")
            fields[key.lower()] = values.split()
    if header is None:
        raise DataError(f"{source.name}: there is no line @data: is this a .ts file of the time-series archive?")
    if not count:
        raise DataError(f"{source.name}: there are no cases below @data: give at least one")


def _header(where: str, fields: dict[str, list[str]]) -> _Header:
    def says(key: str) -> bool:
        return fields.get(key, [])[:1] in (["true"], ["True"], ["TRUE"])

    if says("timestamps"):
        raise DataError(f"{where}: @timeStamps true cannot be read: write plain values and @timeStamps false")
    dimensions = " ".join(fields.get("dimensions") or fields.get("dimension") or (["1"] if says("univariate") else []))
    if dimensions and not dimensions.isdecimal():
        raise DataError(f"{where}: @dimensions: expected a whole number, got {dimensions!r:.40}: correct it")
    labels = fields.get("classlabel", [])[1:] if says("classlabel") else []
    return _Header(says("classlabel") or says("targetlabel"), labels, int(dimensions) if dimensions else None)


def _sequence(where: str, count: int, line: str, header: _Header) -> RawSequence | DataError:
    parts = line.split(":")
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
        if "_" in line or not line.isascii():  # accepted in a number by Python only
            _refuse_lenient(parts)
        dimensions = [np.array(part.replace("?", "nan").split(","), np.float64) for part in parts]
    except ValueError as error:
        cell = str(error).removeprefix("could not convert string to float: ")
        return DataError(f"{where}: x: {cell:.40} is not a number: write numbers separated by commas")
    steps = sorted({len(values) for values in dimensions})
    if len(steps) > 1:
        fix = "give every dimension as many values"
        return DataError(f"{where}: x: the dimensions have {steps[0]} to {steps[-1]} values: {fix}")
    columns["x"] = np.stack(dimensions, axis=1)
    return RawSequence(where, count, columns, tuple(columns), True)


def _refuse_lenient(parts: list[str]) -> None:
    for cell in ",".join(parts).split(","):
        if "_" in cell or not cell.isascii():
            raise ValueError(repr(cell))
