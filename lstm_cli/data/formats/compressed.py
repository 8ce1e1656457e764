"""Compressed files, decompressed as they are read: gz and zst, known by their first bytes, and zip, by its suffix."""

import gzip
import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePath
from typing import Any, BinaryIO, cast

from lstm_cli.errors import DataError, listed

_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_BUFFER = 1 << 16
#: What programs for folders leave in archives.
_BESIDE = ("__MACOSX", ".DS_Store", "Thumbs.db")


def first_bytes(stream: BinaryIO, count: int) -> bytes:
    """Return the next bytes of a stream, which stay unread; fewer where a pipe has no more yet."""
    if isinstance(stream, io.BufferedReader):
        return stream.peek(count)[:count]
    if not stream.seekable():
        return b""
    place = stream.tell()
    start = stream.read(count)
    stream.seek(place)
    return start


def is_compressed(path: Path | None, stream: BinaryIO) -> bool:
    """Return whether an open file or stream is read through `opened`."""
    return _is_zip(path) or first_bytes(stream, 4).startswith((_GZIP, _ZSTD))


@contextmanager
def opened(name: str, path: Path | None, stream: BinaryIO) -> Iterator[BinaryIO]:
    """Give the decompressed content of an open file or stream; one that is not compressed, as it is."""
    start = first_bytes(stream, 4)
    if _is_zip(path):
        with _archive(name, stream) as archive, _member(name, archive, _content(name, archive)) as member:
            yield buffered(name, member)
    elif start.startswith(_GZIP):
        yield buffered(name, gzip.GzipFile(fileobj=stream))
    elif start.startswith(_ZSTD):
        import pyarrow

        kept_open = pyarrow.PythonFile(_Unowned(stream), mode="r")
        yield buffered(name, pyarrow.CompressedInputStream(kept_open, "zstd"))
    else:
        yield stream


def content_name(name: str, path: Path, stream: BinaryIO) -> PurePath:
    """Return the name of the file in a zip archive."""
    with _archive(name, stream) as archive:
        return PurePath(_content(name, archive))


def _is_zip(path: Path | None) -> bool:
    return path is not None and path.suffix.lower() == ".zip"


def _archive(name: str, stream: BinaryIO) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(stream)
    except zipfile.BadZipFile as error:
        raise _damaged(name, error) from None


def _content(name: str, archive: zipfile.ZipFile) -> str:
    """Return the name of the only file of an archive, or of the one that is named like the archive."""
    files = [entry.filename for entry in archive.infolist() if not entry.is_dir()]
    files = [file for file in files if not set(PurePath(file).parts) & set(_BESIDE)]
    own = PurePath(name).stem
    named = [file for file in files if own in (PurePath(file).name, PurePath(file).stem)]
    for chosen in (files, named):
        if len(chosen) == 1:
            return chosen[0]
    what = f"holds several files ({listed(files)})" if files else "holds no file"
    raise DataError(f"{name}: the archive {what}: unpack it, or give an archive of one file")


def _member(name: str, archive: zipfile.ZipFile, content: str) -> Any:
    try:
        return archive.open(content)
    except (RuntimeError, NotImplementedError, zipfile.BadZipFile) as error:  # a password, an unknown method, damage
        raise DataError(f"{name}: the archive cannot be unpacked here ({error}): unpack it yourself") from None


class _Unowned:
    """A stream for pyarrow, which would close it, without the right to do so."""

    closed = False

    def __init__(self, stream: BinaryIO) -> None:
        self.read = stream.read

    def close(self) -> None:
        """Leave the stream open for its owner."""


class _Decompressed(io.RawIOBase):
    """The content of a compressed file; damage is a `DataError`, whatever the library raises."""

    def __init__(self, name: str, file: Any) -> None:
        super().__init__()
        self._name, self._file = name, file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            piece = self._file.read(len(buffer))
        except (DataError, MemoryError):
            raise
        except Exception as error:  # each library raises several types of exceptions on damaged bytes
            raise _damaged(self._name, error) from None
        buffer[: len(piece)] = piece
        return len(piece)


def buffered(name: str, file: Any) -> BinaryIO:
    """Return a stream of what is read from an object with a method `read`, whose exceptions become a `DataError`."""
    return cast(BinaryIO, io.BufferedReader(_Decompressed(name, file), _BUFFER))


def _damaged(name: str, error: Exception) -> DataError:
    reason = str(error).partition("\n")[0].rstrip(".")
    return DataError(f"{name}: damaged or cut off ({reason:.120}): copy or download the compressed file again")
