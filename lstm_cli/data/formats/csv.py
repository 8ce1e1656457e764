"""Format csv: one step per row, the first row names the columns.

Adjacent rows with the same id form one sequence; a file without an id column is one long series. The delimiter is
comma, semicolon or tab, whichever is most frequent in the first row.
"""

import csv
import re
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field

from lstm_cli.data.formats import cells as view
from lstm_cli.data.formats.cells import Notation
from lstm_cli.data.formats.missing import MissingValues
from lstm_cli.data.formats.raw import Options, RawSequence, StepLines
from lstm_cli.data.formats.source import Source
from lstm_cli.errors import DataError, listed

DELIMITERS = ",;\t"
_NUMBER = re.compile(r"[-+]?[\d.]+(e[-+]?\d+)?", re.IGNORECASE)

#: The line where a row begins, its cells, and its error if it has one.
Cells = tuple[int, list[str], DataError | None]


@dataclass
class _Group:
    """The rows of one sequence while they are collected, and their first error."""

    id: str
    line: int
    cells: list[list[str]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    error: DataError | None = None

    def sequence(
        self, file: str, number: int, names: dict[str, int], present: tuple[str, ...], options: Options
    ) -> RawSequence | DataError:
        """Return the finished sequence. A series without an id gets its number as id."""
        if self.error is not None:
            return self.error
        notation = Notation(missing=MissingValues(options.missing))
        columns = {
            name: view.Cells.of([row[place].strip() for row in self.cells], notation)
            for name, place in names.items()
            if options.wants(name)
        }
        lines = StepLines(file, self.lines)
        return RawSequence(f"{file}:{self.line}", self.id or number, columns, present, True, lines, rows=True)


def read(source: Source, options: Options) -> Iterator[RawSequence | DataError]:
    """Yield one sequence per group of adjacent rows with the same id."""
    with closing(_cells(source)) as cells:
        line, header, error = next(cells, (1, [], None))
        if error is not None:
            raise error
        names, width = _names(source, line, header, options), len(header)
        counted = (row if len(row[1]) == width else _miscounted(source, row, width) for row in cells)
        yield from grouped(source.name, counted, names, tuple(names), options)


def grouped(
    file: str, cells: Iterable[Cells], names: dict[str, int], present: tuple[str, ...], options: Options
) -> Iterator[RawSequence | DataError]:
    """Yield one sequence per group of adjacent rows with the same id.

    Parameters
    ----------
    file
        Its name in messages.
    cells
        The steps.
    names
        The position of each column among the cells of a step.
    present
        All columns of the file.
    options
        How to read.
    """
    place = names.get(options.id[0])
    number = 0
    group: _Group | None = None
    seen: set[str] = set()
    for line, values, error in cells:
        name = _id(values, place, group)
        if group is None or name != group.id:
            if group is not None:
                yield group.sequence(file, number, names, present, options)
            number += 1
            group = _Group(name, line)
            error = error or _bad_id(file, line, name, place, seen if options.unique_ids else set())
        group.error = group.error or error
        if group.error is None:
            group.lines.append(line)
            group.cells.append(values)
    if group is None:
        raise DataError(f"{file}: there are no rows: give at least one")
    yield group.sequence(file, number, names, present, options)


def _cells(source: Source) -> Generator[Cells, None, None]:
    """Yield every row that is not blank, the header first. Each is one line: no cell may contain a line break.

    If cells could span lines, a single stray quote would turn everything after it into the text of one cell.
    """
    pending: list[str] = []
    delimiter = rows = None
    for number, line, error in source.lines():
        if not line or (rows is None and not line.strip()):
            continue
        if rows is None:
            delimiter = _delimiter(line)
            rows = csv.reader(iter(pending.pop, None), delimiter=delimiter, strict=True)
        if '"' not in line and "\r" not in line:  # most lines: same result, faster
            yield number, line.split(delimiter), error
            continue
        pending.append(line)
        try:
            cells = next(rows)
        except csv.Error as reason:
            fix = "close every quote, and double those inside a quoted cell"
            yield number, [], error or DataError(f"{source.name}:{number}: the quotes do not match ({reason}): {fix}")
        except IndexError:  # the reader asked for another line
            raise _unclosed(source, number) from None
        else:
            yield number, cells, error


def _unclosed(source: Source, line: int) -> DataError:
    """Return the error for a cell that does not end on its line; never skipped, as the rows after it may be misread."""
    fix = "close the quote, or take the line break out of the cell"
    return DataError(f"{source.name}:{line}: a quoted cell does not end on its line: {fix}")


def _delimiter(line: str) -> str:
    bare = re.sub(r'"[^"]*"', "", line)
    return max(DELIMITERS, key=bare.count)


def _names(source: Source, line: int, header: list[str], options: Options) -> dict[str, int]:
    """Return the position of every column."""
    names = [name.strip() for name in header]
    place = f"{source.name}:{line}"
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        raise DataError(f"{place}: two columns are named {twice[0]!r}: rename one of them")
    if all(_NUMBER.fullmatch(name) for name in names):
        raise DataError(f"{place}: expected the names of the columns, got {listed(names)}: add a first row with names")
    if options.id_required and options.id[0] not in names:
        raise DataError(
            f"{place}: {options.id[0]}: no such column (there are {listed(names)}): "
            f"correct data.id, or leave it out if the file is one long series"
        )
    return {name: position for position, name in enumerate(names) if name}


def _miscounted(source: Source, row: Cells, width: int) -> Cells:
    line, values, error = row
    fix = "quote cells that hold the delimiter" if len(values) > width else "complete or delete the row"
    what = f"expected {width} cells as in the header, got {len(values)}"
    return line, values, error or DataError(f"{source.name}:{line}: {what}: {fix}")


def _id(values: list[str], place: int | None, group: _Group | None) -> str:
    """Return the id of a row; a row too short to have one belongs to the current group."""
    if place is None:
        return ""
    if place < len(values):
        return values[place].strip()
    return group.id if group is not None else ""


def _bad_id(file: str, line: int, name: str, place: int | None, seen: set[str]) -> DataError | None:
    if place is None:
        return None
    if not name:
        return DataError(f"{file}:{line}: the id is empty: give every row the id of its sequence")
    if name in seen:
        fix = "sort the rows by id, or give the second sequence another id"
        return DataError(f"{file}:{line}: id {name!r} again, after rows of other ids: {fix}")
    seen.add(name)
    return None
