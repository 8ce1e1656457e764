"""Format csv: tables of text, whose first row names the columns; what a row is, `rows` knows.

A block of lines is read by Arrow where it is certain that Arrow reads it as written; any other block is read line by
line, which finds the line of every error. Each row is one line: if cells could span lines, a single stray quote would
turn everything after it into the text of one cell.

Legend: N rows.
"""

import codecs
import csv
import re
from collections.abc import Generator, Iterator
from contextlib import closing
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_cli.data.formats.blocks import blocks, undecodable
from lstm_cli.data.formats.cells import TextColumn
from lstm_cli.data.formats.head import BLANKS, Head, Quotes, mismatched, read_head, split, unclosed
from lstm_cli.data.formats.notation import resolved
from lstm_cli.data.formats.raw import Options, RawSequence
from lstm_cli.data.formats.rows import sequences
from lstm_cli.data.formats.source import Source
from lstm_cli.data.formats.table import Table, joined
from lstm_cli.errors import DataError, counted

#: The first line of a block, its lines, and what the first lines of the file say.
_Block = tuple[int, bytes, Head]
#: The needed columns, and the line of every row (N).
_Rows = tuple[list[Any], range | NDArray[np.int64]]


def read(source: Source, options: Options) -> Iterator[RawSequence | DataError]:
    """Yield an error for each line that cannot be read, and then the sequences of the others."""
    parts: list[_Rows] = []
    head, errors = None, 0
    with closing(_blocks(source, options)) as content:
        for line, block, head in content:
            rows = _by_arrow(line, block, head, options)
            if rows is None:
                rows, found = _by_line(source.name, line, block, head, options)
                yield from found
                errors += len(found)
            parts.append(rows)
    if head is not None and any(len(lines) for _, lines in parts):
        table = _table(source.name, head, parts, options)
        parts.clear()  # the table drops text that is not needed any longer
        yield from sequences(table, options)
    elif not errors:
        raise DataError(f"{source.name}: there are no rows: give at least one")


def read_rows(source: Source, options: Options) -> Iterator[RawSequence | DataError]:
    """Yield the sequence of each row, or what is wrong with it, as soon as its line is there: for a stream.

    A row that is a sequence of its own and has no id is named by its number.
    """
    first: list[tuple[int, bytes]] = []
    head, count = None, 0
    for number, text, error in source.lines():
        line = text.encode()
        if head is None:
            first.append((number, line))
            head = read_head(source.name, first, options)
            if head is None or number < head.first:
                continue
        if error is not None:
            yield error
            continue
        rows, errors = _by_line(source.name, number, line + b"\n", head, options)
        yield from errors
        if len(rows[1]):
            count += 1
            for item in sequences(_table(source.name, head, [rows], options), options):
                if isinstance(item, RawSequence) and not item.rows and not set(options.id) & set(item.names):
                    item.id = count
                yield item


def _blocks(source: Source, options: Options) -> Generator[_Block, None, None]:
    """Yield the blocks of rows."""
    head = None
    with closing(blocks(source, options.table.encoding)) as content:
        for line, block in content:
            if head is not None:
                yield line, block, head
                continue
            head = _head(source.name, line, block, options)
            if head is not None:
                yield head.first, _after(block, head.first - line), head


#: Lines among which the head of a table mostly is.
_FEW = 1000


def _head(name: str, line: int, block: bytes, options: Options) -> Head | None:
    """Return what the first lines say; None if nothing but blank lines, comments and skipped lines is in the block."""
    for most in (_FEW, -1):
        lines = block.split(b"\n", most)[:-1]
        head = read_head(name, list(enumerate(lines, start=line)), options)
        if head is not None:
            return head
    return None


def _after(block: bytes, count: int) -> bytes:
    """Return a block without its first lines."""
    start = 0
    for _ in range(count):
        start = block.index(b"\n", start) + 1
    return block[start:]


def _needed(head: Head, options: Options) -> list[int]:
    return [place for place, name in enumerate(head.names) if name and options.needs(name)]


def _table(name: str, head: Head, parts: list[_Rows], options: Options) -> Table:
    import pyarrow as pa

    needed = _needed(head, options)
    texts = [pa.chunked_array([columns[k] for columns, _ in parts], pa.string()) for k in range(len(needed))]
    table, notation = resolved(options, texts)
    columns = {head.names[place]: TextColumn(cells, notation) for place, cells in zip(needed, texts, strict=True)}
    names = tuple(name for name in head.names if name)
    return Table(name, names, columns, joined([lines for _, lines in parts]), textual=True, options=table)


def _by_arrow(line: int, block: bytes, head: Head, options: Options) -> _Rows | None:
    """Return the rows of a block as Arrow reads them; None if there is anything that it may read otherwise."""
    import pyarrow as pa
    from pyarrow import csv as arrow

    comment, quoted = options.table.comment, b'"' in block
    if (comment and comment.encode() in block) or (quoted and head.delimiter == BLANKS) or not _is_plain(block):
        return None
    delimiter = head.delimiter.encode()
    if len(delimiter) != 1 or (quoted and not _are_sound(block, delimiter)):
        return None
    if head.delimiter == BLANKS:
        block = re.sub(rb"(?m)^ | (?=\r?$)", b"", re.sub(rb"[ \t]+", b" ", block))
    names = [str(place) for place in range(len(head.names))]
    needed = [str(place) for place in _needed(head, options)]
    include = needed or names[:1]  # for Arrow, none would be all
    try:
        table = arrow.read_csv(
            pa.BufferReader(block),
            read_options=arrow.ReadOptions(column_names=names, block_size=len(block) + 1, use_threads=False),
            parse_options=arrow.ParseOptions(delimiter=head.delimiter, quote_char='"' if quoted else False),
            convert_options=arrow.ConvertOptions(
                include_columns=include, column_types=dict.fromkeys(names, pa.string()), check_utf8=False,
                strings_can_be_null=False,
            ),
        )  # fmt: skip
    except pa.ArrowInvalid:  # rows with another number of cells
        return None
    trim = _has_blanks_at_ends(block, delimiter)
    return [_chunk(table.column(name), trim=trim) for name in needed], _lines(line, block, table.num_rows)


def _is_plain(block: bytes) -> bool:
    """Return whether a block is UTF-8, with carriage returns at line ends only, and without a mark that Arrow drops."""
    if block.startswith(codecs.BOM_UTF8):
        return False
    if b"\r" in block and block.count(b"\r") != block.count(b"\r\n"):
        return False
    try:
        return block.isascii() or bool(block.decode())
    except UnicodeDecodeError:
        return False


def _are_sound(block: bytes, delimiter: bytes) -> bool:
    """Return whether all quotes enclose whole cells, each on one line, and those inside are doubled."""
    content = np.frombuffer(block, np.uint8)
    quotes = np.flatnonzero(content == ord('"'))
    if len(quotes) % 2:
        return False
    starts, ends = quotes[::2], quotes[1::2]
    doubled = starts[1:] == ends[:-1] + 1
    before = content[starts - 1]  # of the first byte of all it is the last, the end of a line
    after = content[ends + 1]  # there is one: the block ends with the end of a line
    begins = (before == delimiter[0]) | (before == ord("\n"))
    closes = (after == delimiter[0]) | (after == ord("\n")) | (after == ord("\r"))
    begins[1:] |= doubled
    closes[:-1] |= doubled
    if not (begins.all() and closes.all()):
        return False
    breaks = np.flatnonzero(content == ord("\n"))
    return bool((np.searchsorted(breaks, starts) == np.searchsorted(breaks, ends)).all())


#: What Python takes for blanks within a line of ASCII.
_ASCII_BLANKS = (b" ", b"\t", b"\v", b"\f", b"\x1c", b"\x1d", b"\x1e", b"\x1f")


def _has_blanks_at_ends(block: bytes, delimiter: bytes) -> bool:
    """Return whether some cell may begin or end with a blank."""
    if not block.isascii():
        return True
    if b'"' in block and any(b'"' + blank in block or blank + b'"' in block for blank in _ASCII_BLANKS):
        return True
    blanks = [blank for blank in _ASCII_BLANKS if blank in block and blank != delimiter]
    ends = (delimiter, b"\n", b"\r")
    return block[:1] in blanks or any(blank + end in block or end + blank in block for blank in blanks for end in ends)


def _chunk(column: Any, *, trim: bool) -> Any:
    """Return a column of a block as one array of trimmed text."""
    import pyarrow as pa
    import pyarrow.compute as pc

    cells = column.chunk(0) if column.num_chunks == 1 else pa.array([], pa.string())
    return pc.utf8_trim_whitespace(cells) if trim else cells


def _lines(first: int, block: bytes, count: int) -> range | NDArray[np.int64]:
    """Return the line of every row of a block, in which only empty lines are none."""
    if block.count(b"\n") == count:
        return range(first, first + count)
    ends = np.flatnonzero(np.frombuffer(block, np.uint8) == ord("\n"))
    starts = np.concatenate([[0], ends[:-1] + 1])
    content = np.frombuffer(block, np.uint8)
    empty = (starts == ends) | ((starts + 1 == ends) & (content[starts] == ord("\r")))
    return first + np.flatnonzero(~empty)


def _by_line(name: str, first: int, block: bytes, head: Head, options: Options) -> tuple[_Rows, list[DataError]]:
    """Return the rows of a block, read line by line, and an error for each line that is none."""
    import pyarrow as pa

    comment, width, needed = options.table.comment, len(head.names), _needed(head, options)
    rows: list[list[str]] = []
    lines: list[int] = []
    errors: list[DataError] = []
    for line, content in enumerate(block.split(b"\n")[:-1], start=first):
        content = content.removesuffix(b"\r")
        blank = not content or (head.delimiter == BLANKS and not content.strip())
        if blank or (comment and content.startswith(comment.encode())):
            continue
        try:
            cells = split(content.decode(), head.delimiter)
        except UnicodeDecodeError as error:
            errors.append(undecodable(name, line, error))
        except Quotes:
            raise unclosed(name, line) from None
        except csv.Error as reason:
            errors.append(mismatched(name, line, reason))
        else:
            if len(cells) == width:
                rows.append([cells[place] for place in needed])
                lines.append(line)
            else:
                errors.append(_miscounted(name, line, len(cells), width))
    columns = [pa.array([row[k] for row in rows], pa.string()) for k in range(len(needed))]
    return (columns, np.array(lines, np.int64)), errors


def _miscounted(name: str, line: int, count: int, width: int) -> DataError:
    fix = "quote cells that hold the delimiter" if count > width else "complete or delete the row"
    return DataError(f"{name}:{line}: expected {counted(width, 'cell')} as in the header, got {count}: {fix}")
