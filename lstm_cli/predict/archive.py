"""Npz files whose arrays are written as they come, so that none of them is held."""

import io
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np

from lstm_cli.run.files import CHUNK, WholeFile, disk_errors

_TEXTS = 10_000  # written at a time


@contextmanager
def unnamed(path: Path) -> Iterator[BinaryIO]:
    """Give a file that nothing can leave behind, in the folder of a path, or where that is no file, elsewhere."""
    folder = path.parent if path.is_file() or not path.exists() else None
    with disk_errors(path):
        file = cast(BinaryIO, tempfile.TemporaryFile(dir=folder))
    with file:
        yield file


def add_array(
    archive: zipfile.ZipFile, name: str, dtype: np.dtype[Any], shape: tuple[int, ...], pieces: Iterable[bytes]
) -> None:
    """Write an array of an npz file piece by piece."""
    with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
        head = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(cast(Any, file), head)
        for piece in pieces:
            file.write(piece)


def add_texts(archive: zipfile.ZipFile, name: str, texts: Sequence[str]) -> None:
    """Write an array of texts (N,) of an npz file."""
    dtype = np.dtype(f"<U{max(map(len, texts), default=1)}")
    pieces = (np.array(texts[start : start + _TEXTS], dtype).tobytes() for start in range(0, len(texts), _TEXTS))
    add_array(archive, name, dtype, (len(texts),), pieces)


def read_again(file: BinaryIO) -> Iterator[bytes]:
    """Yield what was written to a file."""
    file.seek(0)
    return iter(lambda: file.read(CHUNK), b"")


class Appended(io.RawIOBase):
    """A whole file that an archive is written to from its beginning to its end."""

    def __init__(self, file: WholeFile) -> None:
        super().__init__()
        self._file = file

    def writable(self) -> bool:
        """Return True."""
        return True

    def write(self, data: Any) -> int:
        """Append bytes."""
        self._file.write(bytes(data))
        return len(data)
