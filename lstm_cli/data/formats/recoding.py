"""Text files in another encoding, read as UTF-8."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from lstm_cli.data.formats import compressed
from lstm_cli.data.formats.blocks import recoded
from lstm_cli.data.formats.source import PIECE, Source


class RecodedSource(Source):
    """A file or stream whose content is read as UTF-8, whatever its encoding.

    Parameters
    ----------
    source
        The file or stream.
    encoding
        Its encoding.
    """

    def __init__(self, source: Source, encoding: str) -> None:
        self.name, self.path = source.name, source.path
        self._source, self._encoding = source, encoding

    @property
    def plain(self) -> None:
        """The content is not what the file holds."""
        return

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """Open it for reading UTF-8."""
        with self._source.open() as stream:
            pieces = recoded(self._source, iter(lambda: stream.read(PIECE), b""), self._encoding)
            yield compressed.buffered(self.name, _Pieces(pieces))


class _Pieces:
    """Pieces of bytes as a stream."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces, self._rest = pieces, b""

    def read(self, count: int) -> bytes:
        """Return at most `count` bytes; none at the end."""
        self._rest = self._rest or next(self._pieces, b"")
        piece, self._rest = self._rest[:count], self._rest[count:]
        return piece
