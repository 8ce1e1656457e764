"""Records on disk: a list of them in all that the splits and the fitting ask of one, but none is held.

Each record is a header in JSON, with its arrays behind it; a list of texts is an array of their numbers.
"""

import json
import mmap
from array import array
from collections.abc import Callable, Iterator, MutableSequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_cli.data.formats.raw import Places
from lstm_cli.data.schema.record import Record, Truth

_ALIGNED, _BUFFER = 16, 1 << 20
_FIELDS = [field.name for field in fields(Record) if field.name not in ("bunch", "written")]


class Spool(MutableSequence[Record]):
    """Records in a file, in their order; each is made anew when it is asked for, with read-only arrays.

    Parameters
    ----------
    path
        A new file. What is appended are single sequences, not bunches.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("wb", buffering=_BUFFER)
        self._starts = array("q")
        self._size = 0
        self._map: mmap.mmap | None = None
        self._numbers: dict[str, int] = {}
        self._texts: list[str] = []

    def __len__(self) -> int:
        return len(self._starts)

    def __iter__(self) -> Iterator[Record]:
        return (self._read(start) for start in self._starts)

    def __getitem__(self, index: Any) -> Any:
        return self._read(self._starts[index])

    def append(self, value: Record) -> None:
        """Write a record behind those before it."""
        arrays: list[NDArray[Any]] = []
        content = {name: self._packed(getattr(value, name), arrays) for name in _FIELDS}
        header = json.dumps(content, separators=(",", ":")).encode()
        self._starts.append(self._size)
        self._write(len(header).to_bytes(8, "little") + header)
        for part in arrays:
            self._write(part.reshape(-1).view(np.uint8).data if part.size else b"")
        self._map = None

    def clear(self) -> None:
        """Remove the records and their file; arrays of records that are still held stay."""
        self._starts, self._map = array("q"), None
        self._file.close()
        self._path.unlink(missing_ok=True)

    def insert(self, index: int, value: Record) -> None:
        """Append a record: it cannot stand elsewhere."""
        if index != len(self):
            raise IndexError("records are appended only")
        self.append(value)

    def __setitem__(self, index: Any, value: Any) -> None:
        raise TypeError("records on disk do not change")

    def __delitem__(self, index: Any) -> None:
        raise TypeError("records on disk do not change")

    def _write(self, data: bytes | memoryview) -> None:
        count = memoryview(data).nbytes
        gap = -count % _ALIGNED
        self._file.write(data)
        self._file.write(b"\0" * gap)
        self._size += count + gap

    def _packed(self, value: Any, arrays: list[NDArray[Any]]) -> Any:
        """Return a value as JSON; its arrays are appended to others, by whose numbers it names them."""
        match value:
            case None | bool() | int() | float() | str():
                return value
            case np.ndarray():
                across = value.ndim == 2 and value.flags.f_contiguous and not value.flags.c_contiguous
                own = np.ascontiguousarray(value.T if across else value)
                arrays.append(own)
                return {"a": [value.dtype.str, own.shape, across]}
            case np.generic():
                return value.item()
            case Places():
                return {"p": [self._packed(value.numbers, arrays), value.count]}
            case Truth():
                return {"r": [self._packed(part, arrays) for part in value]}
            case tuple():
                return {"t": [self._packed(part, arrays) for part in value]}
            case list() if all(isinstance(one, str) for one in value):
                return {"s": self._packed(self._coded(value), arrays)}
            case list():
                lengths = np.fromiter(map(len, value), np.int64, len(value))
                flat = [one for part in value for one in part]
                return {"l": [self._packed(flat, arrays), self._packed(lengths, arrays)]}
            case _:
                return {"d": {name: self._packed(part, arrays) for name, part in dict(value).items()}}

    def _coded(self, texts: list[str]) -> NDArray[np.int32]:
        numbers = self._numbers
        for text in texts:
            if text not in numbers:
                numbers[text] = len(numbers)
                self._texts.append(text)
        return np.fromiter(map(numbers.__getitem__, texts), np.int32, len(texts))

    def _read(self, start: int) -> Record:
        if self._map is None:
            self._file.flush()
            with self._path.open("rb") as file:
                self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        count = int.from_bytes(self._map[start : start + 8], "little")
        content = json.loads(self._map[start + 8 : start + 8 + count])
        arrays = _Arrays(self._map, start + 8 + count + -(8 + count) % _ALIGNED, self._texts)
        return Record(**{name: arrays.unpacked(value) for name, value in content.items()})


class _Arrays:
    """The arrays of a record, one after the other."""

    def __init__(self, content: mmap.mmap, place: int, texts: list[str]) -> None:
        self._content, self._place, self._texts = content, place, texts

    def unpacked(self, value: Any) -> Any:
        """Return the value of JSON, whose arrays are the next ones."""
        if not isinstance(value, dict):
            return value
        ((kind, given),) = value.items()
        return _UNPACKED[kind](self, given)

    def array(self, given: list[Any]) -> NDArray[Any]:
        dtype, shape, across = given
        kind, count = np.dtype(dtype), int(np.prod(shape))
        found = np.frombuffer(self._content, kind, count, self._place) if count else np.zeros(0, kind)
        self._place += count * kind.itemsize + -(count * kind.itemsize) % _ALIGNED
        found = found.reshape(shape)
        return found.T if across else found  # sums are rounded by the order in memory

    def texts(self, given: Any) -> list[str]:
        return [self._texts[number] for number in self.unpacked(given).tolist()]

    def lists(self, given: Any) -> list[list[str]]:
        flat, lengths = self.unpacked(given[0]), self.unpacked(given[1]).tolist()
        return [flat[end - length : end] for end, length in zip(np.cumsum(lengths).tolist(), lengths, strict=True)]


_UNPACKED: dict[str, Callable[[_Arrays, Any], Any]] = {
    "a": _Arrays.array,
    "p": lambda arrays, given: Places(arrays.unpacked(given[0]), given[1]),
    "r": lambda arrays, given: Truth(*map(arrays.unpacked, given)),
    "t": lambda arrays, given: tuple(map(arrays.unpacked, given)),
    "s": _Arrays.texts,
    "l": _Arrays.lists,
    "d": lambda arrays, given: {name: arrays.unpacked(part) for name, part in given.items()},
}
