"""What the formats of the time-series archives share: lines ``@key value …``, a line ``@data``, a series per line."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, TypeVar

from lstm_cli.data.formats.raw import RawSequence
from lstm_cli.data.formats.source import Source
from lstm_cli.errors import DataError

Header = TypeVar("Header")


class HeaderLine(NamedTuple):
    """A line of the header: its place, its key in lower case, and its further words."""

    where: str
    key: str
    values: list[str]


def read_archive(
    source: Source,
    suffix: str,
    *,
    comments: tuple[str, ...],
    header: Callable[[str, Sequence[HeaderLine]], Header],
    sequence: Callable[[str, int, str, Header], RawSequence | DataError],
) -> Iterator[RawSequence | DataError]:
    """Yield one sequence per line after ``@data``.

    Parameters
    ----------
    source
    suffix
        Of the format, for messages.
    comments
        What lines to be skipped begin with.
    header
        Makes a header of the place of ``@data`` and the lines before it.
    sequence
        Makes a sequence of a line: its place, its number from 1, its text, and the header.
    """
    made: Header | None = None
    lines: list[HeaderLine] = []
    count = 0
    for number, line, error in source.lines():
        line = line.strip()
        if not line or line.startswith(comments):
            continue
        where = f"{source.name}:{number}"
        if made is not None:
            count += 1
            yield error or sequence(where, count, line, made)
        elif not line.startswith("@"):
            raise DataError(f"{where}: a series before @data: put the header, then a line @data, then the series")
        elif line.lower() == "@data":
            made = header(where, lines)
        else:
            lines.append(_header_line(where, line))
    if made is None:
        raise DataError(f"{source.name}: there is no line @data: is this a {suffix} file of a time-series archive?")
    if not count:
        raise DataError(f"{source.name}: there are no series below @data: give at least one")


def _header_line(where: str, line: str) -> HeaderLine:
    key, *values = line[1:].split() or [""]
    if not key:
        raise DataError(f"{where}: a line of @ alone: complete it, as in @key value, or delete it")
    return HeaderLine(where, key.lower(), values)
