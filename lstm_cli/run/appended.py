"""The files of a run that grow, written again where another program removes them."""

import os
import secrets
from contextlib import suppress
from pathlib import Path

from lstm_cli.errors import DiskError
from lstm_cli.run.files import CHUNK, disk_errors, open_own, replace_file, write_all


class AppendedFile:
    """A file to which this process appends, unbuffered; created if it is missing.

    Parameters
    ----------
    path
        The file. A symbolic link is refused.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = open_own(path, os.O_RDWR | os.O_CREAT | os.O_APPEND)
        self._size = os.fstat(self._descriptor).st_size

    def append(self, data: bytes, *, synced: bool = False) -> None:
        """Append all of `data`, or after a `DiskError` nothing; `synced`: it survives a power cut."""
        size = os.fstat(self._descriptor).st_size
        try:
            with disk_errors(self._path, len(data)):
                write_all(self._descriptor, data)
                if synced:
                    os.fsync(self._descriptor)
        except DiskError:
            with suppress(OSError):
                os.ftruncate(self._descriptor, size)
            raise
        self._size = size + len(data)

    def check(self) -> str:
        """Write the file again if it was removed, renamed or replaced; return a warning, empty if nothing was changed.

        The open file still has its content then. What lies in its place is kept under another name.
        """
        with disk_errors(self._path):
            there = self._path.lstat() if os.path.lexists(self._path) else None
            own = os.fstat(self._descriptor)
        if there is not None and os.path.samestat(there, own):
            lost, self._size = self._size - own.st_size, own.st_size
            return f"{self._path}: {lost:,} bytes were cut off by another program: they are lost" if lost > 0 else ""
        if there is None:
            self._write_again()
            return f"{self._path}: removed or renamed by another program: written again"
        aside = self._path.with_name(f"{self._path.name}.other-{secrets.token_hex(4)}")
        with disk_errors(self._path):
            self._path.rename(aside)
        self._write_again()
        return f"{self._path}: replaced by another program: written again; what lay there is now {aside}"

    def _write_again(self) -> None:
        pieces, offset = [], 0
        with disk_errors(self._path):
            while piece := os.pread(self._descriptor, CHUNK, offset):
                pieces.append(piece)
                offset += len(piece)
        replace_file(self._path, b"".join(pieces))
        former, self._descriptor = self._descriptor, open_own(self._path, os.O_RDWR | os.O_APPEND)
        os.close(former)
        self._size = offset

    def close(self) -> None:
        """Close the file, if it is open."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
