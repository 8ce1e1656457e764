"""The first lines of a text table: what separates its cells, what its columns are named, where its rows begin."""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from lstm_cli.data.formats.blocks import undecodable
from lstm_cli.data.formats.naming import columns_listed
from lstm_cli.data.formats.raw import Options, repeated
from lstm_cli.errors import DataError, counted, did_you_mean, listed, nearest

#: In the order of preference.
DELIMITERS = ",;\t|"
BLANKS = " "
_NAMED = {"tab": "\t", "space": BLANKS}
_SAMPLE = 20
_NUMBER = re.compile(r"[-+]?[.,]*\d[\d.,]*(e[-+]?\d+)?", re.IGNORECASE)
_DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([ T]\d.*)?")
_SEPARATOR = re.compile(r'"?sep=(.)"?', re.IGNORECASE)
_TOKEN = re.compile(r'\s*("(?:[^"]|"")*+"(?=\s|$)|[^\s"]\S*)')

#: Lines with their numbers and their bytes.
Lines = Sequence[tuple[int, bytes]]


@dataclass(frozen=True)
class Head:
    """What the first lines say.

    Attributes
    ----------
    delimiter
        What separates cells; a blank stands for runs of blanks.
    names
        The name of every column, in order; empty for those without one.
    line
        The line with the names, or the first row.
    first
        The line of the first row.
    """

    delimiter: str
    names: tuple[str, ...]
    line: int
    first: int


class Quotes(Exception):
    """A quoted cell of a line does not end on it."""


class Unnamed(DataError):
    """The first line of a table has values where names are expected; `cells` are the values."""

    def __init__(self, message: str, cells: Sequence[str]) -> None:
        super().__init__(message)
        self.cells = cells


def split(line: str, delimiter: str) -> list[str]:
    """Return the trimmed cells of a line.

    Raises
    ------
    Quotes
        A cell does not end.
    csv.Error
        Quotes do not match.
    """
    if delimiter == BLANKS:
        return _split_blanks(line)
    if '"' not in line and "\r" not in line:
        return [cell.strip() for cell in line.split(delimiter)]
    try:
        cells = next(csv.reader(_Once(line), delimiter=delimiter, strict=True))
    except IndexError:  # the reader asked for another line
        raise Quotes from None
    return [cell.strip() for cell in cells]


class _Once:
    """One line; where a quoted cell continues after it, an IndexError."""

    def __init__(self, line: str) -> None:
        self._lines = [line]

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        return self._lines.pop()


def _split_blanks(line: str) -> list[str]:
    if '"' not in line:
        return line.split()
    line = line.rstrip()
    cells, at = [], 0
    while at < len(line):
        found = _TOKEN.match(line, at)
        if found is None:
            if line.count('"') % 2:
                raise Quotes
            raise csv.Error("a quote within a cell")
        cells.append(found[1])
        at = found.end()
    return [cell[1:-1].replace('""', '"').strip() if cell.startswith('"') else cell for cell in cells]


def read_head(name: str, lines: Lines, options: Options) -> Head | None:
    """Return what the first lines of a table say; None if there are only blank ones, comments and skipped ones.

    Parameters
    ----------
    name
        The file's, for messages.
    lines
        The first lines of the file, more than a few.
    options
        How to read.
    """
    table = options.table
    comment = table.comment.encode() if table.comment else None
    kept = (
        (number, line)
        for number, line in lines
        if number > table.skip and line.strip() and not (comment and line.startswith(comment))
    )
    first = list(islice(kept, _SAMPLE + 2))
    texts = [(number, line.decode(errors="replace").rstrip("\r\n")) for number, line in first]
    delimiter = _NAMED.get(table.delimiter, table.delimiter)
    if texts and (given := _SEPARATOR.fullmatch(texts[0][1])):
        texts, delimiter = texts[1:], given[1] if delimiter == "auto" else delimiter
    if not texts:
        return None
    _check_encoding(name, first[-len(texts)])
    sample = [text for _, text in texts]
    if delimiter == "auto":
        delimiter = _delimiter(sample)
    head = _headed(name, texts, delimiter, options)
    _check_names(name, head, options)
    return head


def _check_encoding(name: str, numbered: tuple[int, bytes]) -> None:
    """Raise if the line of the names is not UTF-8; rows that are not are left to their reader."""
    number, line = numbered
    try:
        line.decode()
    except UnicodeDecodeError as error:
        raise undecodable(name, number, error) from None


def _delimiter(sample: Sequence[str]) -> str:
    """Return what separates the cells of lines: what all have alike, most often; else runs of blanks; else a comma."""
    bare = [re.sub(r'"[^"]*"', '""', line) for line in sample]
    counts = {mark: [line.count(mark) for line in bare] for mark in DELIMITERS}
    found = [mark for mark in DELIMITERS if counts[mark][0]]
    if not found:
        blanks = [len(line.split()) - 1 for line in bare]
        return BLANKS if blanks[0] and _alike(blanks) else DELIMITERS[0]
    decimal = "," in found and len(found) > 1 and all(map(_NUMBER.fullmatch, _cells_at(bare[0], ";\t|")))
    if decimal:  # a first row of numbers with decimal commas
        found.remove(",")
    return max(found, key=lambda mark: (_alike(counts[mark]), counts[mark][0]))


def _cells_at(line: str, marks: str) -> list[str]:
    return [cell.strip() for cell in re.split(f"[{re.escape(marks)}]", line)]


def _alike(counts: Sequence[int]) -> bool:
    """Return whether all lines have as many delimiters as the second, the first perhaps one fewer (row names)."""
    first, *others = counts
    return not others or (len(set(others)) == 1 and first in (others[0], others[0] - 1))


def _headed(name: str, texts: Sequence[tuple[int, str]], delimiter: str, options: Options) -> Head:
    """Return the names of the columns and where the rows begin."""
    table, (line, text) = options.table, texts[0]
    try:
        cells = split(text, delimiter)
    except Quotes:
        raise unclosed(name, line) from None
    except csv.Error as reason:
        raise mismatched(name, line, reason) from None
    place = f"{name}:{line}"
    if table.columns is not None:
        given = tuple(table.columns)
        if table.header == "auto" and tuple(cells) == given:
            return Head(delimiter, given, line, line + 1)
        if len(given) != len(cells):
            what = (
                f"data.table.columns names {counted(len(given), 'column')}, but a row has {counted(len(cells), 'cell')}"
            )
            raise DataError(f"{place}: {what}: name all columns, or correct data.table.delimiter")
        return Head(delimiter, given, line, line)
    if table.header == "auto" and _is_row(cells, options):
        fix = "add names: data.table.columns, or set data.table.header: true if these are the names"
        what = listed(cells) if all(map(_NUMBER.fullmatch, cells)) else "values"
        raise Unnamed(f"{place}: expected the names of the columns, got {what}: {fix}", cells)
    if _names_rows(cells, texts[1:], delimiter):
        cells = ["", *cells]
    return Head(delimiter, tuple(cells), line, line + 1)


def _is_row(cells: Sequence[str], options: Options) -> bool:
    """Return whether a first line has values rather than names: numbers, or none of the names that are needed."""
    numbers = [cell for cell in cells if _NUMBER.fullmatch(cell)]
    if numbers and all(_NUMBER.fullmatch(cell) or cell in options.missing for cell in cells):
        return True
    values = numbers or [cell for cell in cells if _DATE.fullmatch(cell)]
    return bool(values) and options.columns is not None and not any(options.needs(cell) for cell in cells)


def _names_rows(header: Sequence[str], rows: Sequence[tuple[int, str]], delimiter: str) -> bool:
    """Return whether each row begins with its name, which the header has no cell for, as R writes tables."""
    found = []
    for _, text in rows:
        try:
            found.append(split(text, delimiter))
        except (Quotes, csv.Error):
            return False
    if not found or any(len(cells) != len(header) + 1 for cells in found):
        return False
    distinct = len({cells[0] for cells in found}) == len(found) and any(cells[-1] for cells in found)
    return distinct and (len(found) > 1 or rows[0][1].startswith('"'))


def _check_names(name: str, head: Head, options: Options) -> None:
    place = f"{name}:{head.line}"
    names = [given for given in head.names if given]
    twice = repeated(names)
    if twice:
        raise DataError(f"{place}: two columns are named {twice[0]!r}: rename one of them")
    check_id(place, names, options)


def check_id(place: str, names: Sequence[str], options: Options) -> None:
    """Raise unless there are all columns of the id, or there need not be any."""
    missing = [column for column in options.id if column not in names]
    if not missing or (not options.id_required and len(missing) == len(options.id)):
        return
    trained = options.split is None  # and the columns are those of a run
    fix = "add it, as in the training data" if trained else "correct data.id, or leave it out if it is one long series"
    hint = did_you_mean(nearest(missing[0], names))
    raise DataError(f"{place}: {missing[0]}: no such column (there are {columns_listed(names)}){hint}: {fix}")


def unclosed(name: str, line: int) -> DataError:
    """Return the error for a cell that does not end on its line; never skipped, as the rows after it may be misread."""
    fix = "close the quote, or take the line break out of the cell"
    return DataError(f"{name}:{line}: a quoted cell does not end on its line: {fix}")


def mismatched(name: str, line: int, reason: csv.Error) -> DataError:
    """Return the error for a line with a quote in the wrong place."""
    fix = "close every quote, and double those inside a quoted cell"
    return DataError(f"{name}:{line}: the quotes do not match ({reason}): {fix}")
