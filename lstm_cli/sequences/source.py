"""Files and streams of rows: how they are opened, decoded and named in messages."""

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from lstm_cli.errors import DataError

#: A path, ``-`` for standard input, or an open binary stream.
Origin = str | Path | BinaryIO

_BOM = b"\xef\xbb\xbf"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


class Source:
    """A file, or a binary stream such as standard input.

    Parameters
    ----------
    origin
        A path, ``-`` for standard input, or an open binary stream.
    """

    def __init__(self, origin: Origin) -> None:
        self.path: Path | None = None
        self._stream: BinaryIO | None = None
        if isinstance(origin, str | Path):
            if str(origin) == "-":
                self.name, self._stream = "<stdin>", sys.stdin.buffer
            else:
                self.path = Path(origin)
                self.name = shown(self.path)
        else:
            self.name, self._stream = getattr(origin, "name", "<stream>"), origin

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """Open it for reading bytes; a file is closed at the end, a stream is left to its owner."""
        if self._stream is not None:
            yield self._stream
            return
        try:
            stream = self.path.open("rb")  # ty: ignore
        except FileNotFoundError:
            raise DataError(f"{self.name}: no such file: check the path; it counts from the config's folder") from None
        except OSError as error:
            raise DataError(f"{self.name}: cannot be read ({error.strerror}): give a readable file") from None
        with stream:
            yield stream

    def read(self) -> bytes:
        """Return everything, refusing an empty file."""
        with self.open() as stream, self._reading():
            content = stream.read()
        if not content:
            raise self.empty()
        return content

    def seekable(self) -> BinaryIO:
        """Return everything as a stream that can be read in any order."""
        return io.BytesIO(self.read())

    def lines(self) -> Iterator[tuple[int, str, DataError | None]]:
        """Yield each line's number, its text without the line end, and what is wrong with its encoding.

        A byte order mark is left out, Windows line ends are as good as others. In a line that is not UTF-8 the bytes
        that are wrong stand as U+FFFD.
        """
        number, line = 0, b""
        with self.open() as stream, self._reading():
            for number, line in enumerate(stream, start=1):
                if number == 1:
                    line = self._without_mark(line)
                    if not line:
                        break
                line = line.removesuffix(b"\n").removesuffix(b"\r")
                try:
                    yield number, line.decode(), None
                except UnicodeDecodeError as error:
                    yield number, line.decode(errors="replace"), self.undecodable(number, error)
        if number == 0 or (number == 1 and not line):
            raise self.empty()

    def text(self) -> str:
        """Return everything as text; Windows line ends become plain ones."""
        content = self._without_mark(self.read())
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
            f"convert the file, for example with iconv -f latin1 -t utf-8"
        )

    def empty(self) -> DataError:
        """Return the error for a source without content."""
        return DataError(f"{self.name}: the file is empty: give a file with at least one sequence")

    def _without_mark(self, start: bytes) -> bytes:
        if start.startswith(_UTF16):
            raise DataError(
                f"{self.name}:1: the file is UTF-16: convert it, for example with iconv -f utf-16 -t utf-8"
            )
        return start.removeprefix(_BOM)

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise DataError(f"{self.name}: reading failed ({error.strerror}): check the disk or the pipe") from None


def shown(path: Path) -> str:
    """Return a path as messages show it: relative where it lies below the current folder."""
    try:
        return str(path.relative_to(Path.cwd())) if path.is_absolute() else str(path)
    except ValueError:
        return str(path)
