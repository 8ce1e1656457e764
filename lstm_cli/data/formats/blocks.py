"""The bytes of a text table in blocks of whole lines, in UTF-8 with plain line ends."""

import codecs
from collections.abc import Generator, Iterator
from itertools import chain

from lstm_cli.data import memory
from lstm_cli.data.formats import source as sources
from lstm_cli.data.formats.source import Source
from lstm_cli.errors import DataError

#: Bytes that are read at a time, and memory needed per byte of an unfinished line.
_BLOCK, _PER_BYTE = 1 << 20, 3
#: How much of the file tells whether it is UTF-16 without a byte order mark.
_SAMPLE = 512


def blocks(source: Source, encoding: str = "utf-8") -> Generator[tuple[int, bytes], None, None]:
    """Yield the number of the first line, and the lines, of each block; every line has an end.

    A byte order mark is dropped; where carriage returns alone end the lines, they become line feeds. Other encodings
    become UTF-8; bytes that are not UTF-8 in a file that should be are left as they are.
    """
    watch, line = memory.Watch(), 1
    unfinished: list[bytes] = []
    with source.open() as stream, source.reading():
        for piece in _pieces(source, iter(lambda: stream.read(min(_BLOCK, sources.PIECE)), b""), encoding):
            place = f"{source.name}:{line}"
            cut = piece.rfind(b"\n") + 1
            if cut:
                watch.check(place)
                block = b"".join([*unfinished, piece[:cut]])
                unfinished = [piece[cut:]]
                yield line, block
                line += block.count(b"\n")
                continue
            unfinished.append(piece)
            size = sum(map(len, unfinished))
            if size >= sources.PIECE and b"\0" in piece:
                raise sources.zero_bytes(place)
            watch.check(place, more=_PER_BYTE * size if size >= sources.PIECE else 0)
    rest = b"".join(unfinished)
    if rest:
        yield line, rest + b"\n"
    elif line == 1:
        raise source.empty()


def _pieces(source: Source, pieces: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    """Yield pieces in UTF-8 with plain line ends."""
    first = next(pieces, b"")
    if is_utf8(encoding):
        _refuse_utf16(source, first)
    else:
        pieces = recoded(source, chain([first], pieces), encoding)
        first = next(pieces, b"")
    while first.endswith(b"\r") and (more := next(pieces, b"")):  # what it ends, the next byte tells
        first += more
    first = first.removeprefix(codecs.BOM_UTF8)
    returns_alone = b"\r" in first and b"\n" not in first
    for piece in chain([first] if first else [], pieces):
        yield piece.replace(b"\r", b"\n") if returns_alone else piece


def is_utf8(encoding: str) -> bool:
    """Return whether text in an encoding is UTF-8 as it stands."""
    return codecs.lookup(encoding).name in ("utf-8", "utf-8-sig", "ascii")


def _refuse_utf16(source: Source, start: bytes) -> None:
    """Refuse what is UTF-16, with or without a byte order mark."""
    encoding = None
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    elif len(start) > 1:
        even, odd = (bytes(start[k:_SAMPLE:2]) for k in (0, 1))
        if odd.count(0) > 0.7 * len(odd) and not even.count(0):
            encoding = "utf-16-le"
        elif even.count(0) > 0.7 * len(even) and not odd.count(0):
            encoding = "utf-16-be"
    if encoding is not None:
        raise DataError(f"{source.name}:1: the file is UTF-16: set data.table.encoding: {encoding}")


def recoded(source: Source, pieces: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    """Yield pieces in UTF-8 of pieces in another encoding."""
    decoder, line = codecs.getincrementaldecoder(encoding)(), 1
    for piece in chain(pieces, [b""]):
        try:
            text = decoder.decode(piece, not piece)
        except UnicodeDecodeError as error:
            line += error.object[: error.start].decode(encoding, "replace").count("\n")
            what = f"not {encoding}: {error.reason} (byte 0x{error.object[error.start]:02x})"
            raise DataError(f"{source.name}:{line}: {what}: correct data.table.encoding") from None
        line += text.count("\n")
        if text:
            yield text.encode("utf-8", "surrogatepass")


def undecodable(name: str, line: int, error: UnicodeDecodeError) -> DataError:
    """Return the error for a line of a table that is not UTF-8."""
    byte = error.object[error.start : error.start + 1]
    letter = byte.decode("cp1252", "replace")
    what = f"not UTF-8: byte 0x{byte[0]:02x}"
    if letter.isprintable() and letter != "\ufffd":
        return DataError(f"{name}:{line}: {what} ({letter}) looks like cp1252: set data.table.encoding: cp1252")
    return DataError(f"{name}:{line}: {what}: set data.table.encoding to the file's")
