"""Files and streams: how they are opened, decoded and named in messages."""

import io
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import BinaryIO

from lstm_cli.data import memory
from lstm_cli.data.formats import compressed
from lstm_cli.errors import DataError, did_you_mean, nearest_beside, shown_path

#: A path, ``-`` for standard input, or an open binary stream.
Origin = str | Path | BinaryIO

_BUFFER = 1 << 16
_BOM = b"\xef\xbb\xbf"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")

#: Bytes read between two memory checks, and the allowance per line for the objects made from its values.
PIECE, _PER_LINE = 1 << 22, 64
#: Memory needed per byte of an unfinished line: joined, decoded, and as values.
_PER_BYTE = 3


class Source:
    """A file, or a binary stream such as standard input.

    Parameters
    ----------
    origin
        A path, ``-`` for standard input, or an open binary stream.
    base
        What a relative path is relative to, for the message about a missing file.
    """

    def __init__(self, origin: Origin, *, base: str = "the current folder") -> None:
        self._base = base
        self.path: Path | None = None
        self._stream: BinaryIO | None = None
        if isinstance(origin, str | Path):
            if str(origin) == "-":
                self.name, self._stream = "<stdin>", sys.stdin.buffer
            else:
                self.path = Path(origin)
                self.name = shown_path(self.path)
        else:
            self.name, self._stream = getattr(origin, "name", "<stream>"), origin

    @property
    def plain(self) -> Path | None:
        """The path of an uncompressed file, which libraries can open themselves; None for all else."""
        if self.path is None or not self.path.is_file():
            return None
        with self._opened() as stream:
            return None if compressed.is_compressed(self.path, stream) else self.path

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """Open it for reading decompressed bytes; a file is closed at the end, a stream stays open for its owner."""
        with self._opened() as stream, compressed.opened(self.name, self.path, stream) as content:
            yield content

    def start(self) -> bytes:
        """Return the first bytes, which a stream still gives afterwards; none where it cannot be looked into."""
        if self._stream is None:
            with self._opened() as stream:
                return stream.read(_BUFFER)
        peek = getattr(self._stream, "peek", None)
        return b"" if peek is None else bytes(peek(_BUFFER))

    @contextmanager
    def _opened(self) -> Iterator[BinaryIO]:
        """Open it for reading the bytes as they are stored."""
        if self._stream is not None:
            yield self._stream
            return
        path = self.path or Path()  # there is a path if there is no stream
        try:
            stream = path.open("rb", _BUFFER)
        except FileNotFoundError:
            raise self.absent() from None
        except OSError as error:
            raise DataError(f"{self.name}: cannot be read ({error.strerror}): give a readable file") from None
        with stream:
            if stat.S_ISCHR(os.fstat(stream.fileno()).st_mode) and not stream.isatty():
                raise DataError(f"{self.name}: a device, which may have no end: give a file, or a pipe")
            yield stream

    def absent(self) -> DataError:
        """Return the error for a file that is not there."""
        meant = nearest_beside(self.path, Path.is_file) if self.path else None
        hint = did_you_mean(meant.name if meant else None)
        return DataError(f"{self.name}: no such file: check the path, which is relative to {self._base}{hint}")

    def seekable(self) -> BinaryIO:
        """Return everything as a stream that can be read in any order, refusing an empty file."""
        return io.BytesIO(self._everything(is_text=False))

    def lines(self) -> Iterator[tuple[int, str, DataError | None]]:
        """Yield each line's number, its text without the line end, and the error of its encoding if it has one.

        A byte order mark is dropped, and Windows line ends are accepted. In a line that is not UTF-8 the invalid bytes
        become U+FFFD.
        """
        number, line, since = 0, b"", PIECE
        watch = memory.Watch()
        with self.open() as stream, self.reading():
            for number, line in enumerate(iter(partial(stream.readline, PIECE), b""), start=1):
                since += len(line) + _PER_LINE
                if since >= PIECE:  # true at the first line, and at every line longer than that
                    line, since = self._completed(stream, number, line, watch), 0
                    if not line:
                        break
                line = line.rstrip(b"\r\n")
                try:
                    yield number, line.decode(), None
                except UnicodeDecodeError as error:
                    yield number, line.decode(errors="replace"), self.undecodable(number, error)
        if number == 0 or (number == 1 and not line):
            raise self.empty()

    def _completed(self, stream: BinaryIO, number: int, line: bytes, watch: memory.Watch) -> bytes:
        """Return a complete line, without a byte order mark, if there is memory for it and the lines before."""
        pieces = [line]
        while len(pieces[-1]) == PIECE and not pieces[-1].endswith(b"\n"):
            if b"\0" in pieces[-1]:
                raise zero_bytes(f"{self.name}:{number}")
            watch.check(f"{self.name}:{number}", more=_PER_BYTE * PIECE * len(pieces))
            pieces.append(stream.readline(PIECE))
        watch.check(f"{self.name}:{number}")
        line = b"".join(pieces) if len(pieces) > 1 else line
        return self._without_mark(line) if number == 1 else line

    def _everything(self, *, is_text: bool) -> bytes:
        """Return all bytes, if there is memory for them; the size of a pipe is not known in advance."""
        watch, pieces = memory.Watch(), []
        with self.open() as stream, self.reading():
            if self.path is not None:
                watch.check(self.name, more=self.path.stat().st_size)
            while piece := stream.read(PIECE):
                if is_text and len(piece) == PIECE and b"\0" in piece and b"\n" not in piece:
                    raise zero_bytes(self.name)
                pieces.append(piece)
                watch.check(self.name, more=sum(map(len, pieces)))
        if not pieces:
            raise self.empty()
        return b"".join(pieces)

    def text(self) -> str:
        """Return everything as text; Windows line ends become plain ones."""
        content = self._without_mark(self._everything(is_text=True))
        if not content:
            raise self.empty()
        try:
            return content.decode().replace("\r\n", "\n")
        except UnicodeDecodeError as error:
            raise self.undecodable(content.count(b"\n", 0, error.start) + 1, error) from None

    def undecodable(self, line: int, error: UnicodeDecodeError) -> DataError:
        """Return the error for a line that is not UTF-8."""
        byte = error.object[error.start]
        return DataError(
            f"{self.name}:{line}: not UTF-8 (byte 0x{byte:02x}): "
            f"convert the file, for example with iconv -f cp1252 -t utf-8, or set data.table.encoding"
        )

    def empty(self) -> DataError:
        """Return the error for a source without content."""
        return DataError(f"{self.name}: the file is empty: give a file with at least one sequence")

    def _without_mark(self, start: bytes) -> bytes:
        if start.startswith(_UTF16):
            fix = "convert it, for example with iconv -f utf-16 -t utf-8, or set data.table.encoding: utf-16"
            raise DataError(f"{self.name}:1: the file is UTF-16: {fix}")
        return start.removeprefix(_BOM)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Turn errors of the disk or of a pipe into errors of the data."""
        try:
            yield
        except OSError as error:
            raise DataError(f"{self.name}: reading failed ({error.strerror}): check the disk or the pipe") from None


def zero_bytes(place: str) -> DataError:
    """Return the error for what has the bytes of a binary or empty file in place of text."""
    return DataError(f"{place}: zero bytes in a line of megabytes: give a text file, or set data.format")
