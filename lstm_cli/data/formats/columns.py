"""Format columns: one token a line with its columns, a blank line after every sentence, as in CoNLL-2003.

Columns are separated by tabs where the first line has one, else by blanks. The first is ``form``, the last ``tag``,
those between them ``c2``, ``c3``, …, unless `data.table.columns` names them. Lines ``-DOCSTART-`` are skipped.
"""

import re
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass

from lstm_cli.data.formats.conllu import Line, blocks
from lstm_cli.data.formats.raw import Options, RawSequence, StepLines, TableOptions, repeated
from lstm_cli.data.formats.source import Source
from lstm_cli.errors import DataError, counted, listed

_DOCUMENT = "-DOCSTART-"
_BLANKS = re.compile(r"[ \t]+")


@dataclass(frozen=True)
class _Columns:
    """The columns of a file: where each stands, under all its names, and the line that says so."""

    width: int
    places: dict[str, int]
    names: tuple[str, ...]
    line: int


def read(source: Source, options: Options) -> Iterator[RawSequence | DataError]:
    """Yield one sequence per sentence."""
    with closing(_lines(source, options.table)) as lines:
        yield from _sentences(source, options, lines)


def _sentences(source: Source, options: Options, lines: Iterable[Line]) -> Iterator[RawSequence | DataError]:
    table, count = options.table, 0
    split = columns = None
    for sentence in blocks(lines):
        split = split or _splitter(sentence[0][1], table)
        rows = [(number, split(line), error) for number, line, error in sentence]
        if columns is None:
            columns, rows = _columns(source, rows, table)
        rows = [row for row in rows if row[1][0] != _DOCUMENT]
        if rows:
            count += 1
            yield _sequence(source, options, count, rows, columns)
    if not count:
        raise source.empty()


def _lines(source: Source, table: TableOptions) -> Generator[Line, None, None]:
    for number, line, error in source.lines():
        if number > table.skip and not (table.comment and line.startswith(table.comment)):
            yield number, line, error


def _splitter(line: str, table: TableOptions) -> Callable[[str], list[str]]:
    """Return the function that splits a line into its cells."""
    delimiter = table.delimiter
    if delimiter == "auto":
        delimiter = "tab" if "\t" in line else "space"
    if delimiter == "space":
        return lambda line: _BLANKS.split(line.strip(" \t"))
    mark = "\t" if delimiter == "tab" else delimiter
    return lambda line: [cell.strip() for cell in line.split(mark)]


_Row = tuple[int, list[str], DataError | None]


def _columns(source: Source, rows: list[_Row], table: TableOptions) -> tuple[_Columns, list[_Row]]:
    """Return the columns of a file whose first sentence is given, and the rows that are not its header."""
    line, cells, error = rows[0]
    if error is not None:
        raise error
    width = len(cells)
    names = tuple(cells) if table.header is True else table.columns
    if names is None:
        inner = tuple(f"c{place}" for place in range(2, width))
        names = ("form", *inner, "tag")[: max(1, width)] if width > 1 else ("form",)
        aliases = {f"c{place + 1}": place for place in range(width)}
    else:
        aliases = {}
    twice = repeated(names)
    if twice:
        raise DataError(f"{source.name}:{line}: two columns are named {twice[0]!r}: rename one of them")
    if len(names) != width:
        what = f"expected the {counted(len(names), 'column')} of data.table.columns ({listed(names)}), got {width}"
        raise DataError(f"{source.name}:{line}: {what}: name every column")
    places = aliases | {name: place for place, name in enumerate(names)}
    return _Columns(width, places, names, line), rows[1:] if table.header is True else rows


def _sequence(
    source: Source, options: Options, count: int, rows: Iterable[_Row], columns: _Columns
) -> RawSequence | DataError:
    numbers, tokens = [], []
    for number, cells, error in rows:
        if error is not None:
            return error
        if len(cells) != columns.width:
            what = f"expected {counted(columns.width, 'column')} as in line {columns.line}, got {len(cells)}"
            fix = (
                "complete the line, or set data.table.comment to skip comments" if _hash(cells) else "complete the line"
            )
            return DataError(f"{source.name}:{number}: {what}: {fix}")
        numbers.append(number)
        tokens.append(cells)
    values = list(zip(*tokens, strict=True))
    wanted = columns.names if options.columns is None else [name for name in columns.places if options.wants(name)]
    kept = {name: list(values[columns.places[name]]) for name in wanted}
    where = f"{source.name}:{numbers[0]}"
    return RawSequence(where, count, kept, columns.names, True, StepLines(source.name, numbers))


def _hash(cells: list[str]) -> bool:
    return cells[0].startswith("#")
