"""Format npz: named arrays.

Arrays are padded, ``x`` (sequence, step, …) with ``lengths`` (sequence,), or stacked, ``x`` (steps of all sequences, …)
with ``offsets`` (sequence + 1,). An array without an axis of steps holds one value per sequence. Without ``lengths``
and ``offsets`` all sequences are as long as the second axis.
"""

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_cli.data.formats.raw import Options, RawSequence
from lstm_cli.data.formats.source import Source
from lstm_cli.errors import DataError, listed

_EXTENTS = ("lengths", "offsets")


@dataclass(frozen=True)
class _Layout:
    """Which steps belong to which sequence: `offsets` in stacked arrays, or `lengths` in arrays padded to `width`."""

    count: int
    lengths: NDArray[np.int64]
    width: int | None = None
    offsets: NDArray[np.int64] | None = None

    def has_steps(self, array: np.ndarray) -> bool:
        """Return whether an array has an axis of steps."""
        if self.offsets is not None:
            return len(array) == int(self.offsets[-1])
        return array.ndim > 1 and array.shape[1] == self.width

    def steps(self, array: np.ndarray, index: int) -> np.ndarray:
        """Return the steps of one sequence."""
        if self.offsets is not None:
            return array[self.offsets[index] : self.offsets[index + 1]]
        return array[index, : self.lengths[index]]


def read(source: Source, options: Options) -> Iterator[RawSequence | DataError]:
    """Yield the sequences."""
    arrays, present = _load(source, options)
    layout = _layout(source, arrays, present, options.input)
    if not layout.count:
        raise DataError(f"{source.name}: there are no sequences: give at least one")
    for name, array in arrays.items():
        if not layout.has_steps(array) and len(array) != layout.count:
            what = f"expected {layout.count} sequences" + (" or all their steps" if layout.offsets is not None else "")
            raise DataError(f"{source.name}: {name}: {what}, got shape {array.shape}: make the arrays equally long")
    names = arrays.get(options.id[0])
    if names is None and options.id_required:
        raise DataError(f"{source.name}: {options.id[0]}: no such array: correct data.id, or leave it out")
    for index in range(layout.count):
        where = f"{source.name}: sequence {index + 1}"
        if layout.width is not None and not 0 <= layout.lengths[index] <= layout.width:
            what = f"lengths: {layout.lengths[index]} steps of {layout.width} in the arrays"
            yield DataError(f"{where}: {what}: correct the length")
            continue
        columns = {name: _value(array, layout, index) for name, array in arrays.items() if options.wants(name)}
        yield RawSequence(where, index + 1 if names is None else _plain(names[index]), columns, present)


def _value(array: np.ndarray, layout: _Layout, index: int) -> Any:
    return _plain(layout.steps(array, index) if layout.has_steps(array) else array[index])


def _plain(value: Any) -> Any:
    """Return single values and strings as Python objects."""
    return value if isinstance(value, np.ndarray) and value.ndim and value.dtype.kind != "U" else value.tolist()


def _load(source: Source, options: Options) -> tuple[dict[str, np.ndarray], tuple[str, ...]]:
    """Return the arrays that are needed, and the names of all."""
    stream = source.seekable()
    try:
        file = np.load(stream, allow_pickle=False)
        if not isinstance(file, np.lib.npyio.NpzFile):
            raise DataError(f"{source.name}: a single array, not .npz: write numpy.savez(file, x=…, lengths=…)")
        with file:
            present = tuple(file.files)
            wanted = [name for name in present if options.wants(name) or name in (*_EXTENTS, options.id[0])]
            arrays = {name: file[name] for name in wanted}
    except (DataError, MemoryError):
        raise
    except Exception as error:  # zipfile, zlib and numpy raise many types of exceptions on damaged bytes
        if "pickle" in str(error) and zipfile.is_zipfile(stream):
            fix = "save numbers or strings, padded with lengths or stacked with offsets"
            raise DataError(f"{source.name}: contains Python objects, which are not loaded: {fix}") from None
        raise DataError(f"{source.name}: not a complete .npz file: write it again with numpy.savez") from None
    for name, array in arrays.items():
        if array.dtype.kind not in "iufbU" or not array.ndim:
            what = f"expected numbers or strings per sequence or step, got {array.dtype} {array.shape}"
            raise DataError(f"{source.name}: {name}: {what}: convert the array")
    return arrays, present


def _layout(source: Source, arrays: dict[str, np.ndarray], present: tuple[str, ...], first: str) -> _Layout:
    """Take `lengths` and `offsets` out of the arrays and return the layout that they describe."""
    lengths, offsets = (_whole(source, name, arrays.pop(name, None)) for name in _EXTENTS)
    if offsets is not None:
        if len(offsets) < 2 or offsets[0] != 0 or (np.diff(offsets) < 0).any():
            raise DataError(f"{source.name}: offsets: expected 0 and then every sequence's end: correct them")
        return _Layout(len(offsets) - 1, np.diff(offsets), offsets=offsets)
    candidates = [array for name, array in sorted(arrays.items(), key=lambda item: item[0] != first) if array.ndim > 1]
    if not candidates and first not in arrays:
        raise DataError(f"{source.name}: {first}: no such array (there are {listed(present)}): add it")
    if not candidates:
        what = "no array with an axis of sequences and one of steps"
        raise DataError(f"{source.name}: {what}: save x (sequence, step, …), or stack the steps and give offsets")
    count, width = candidates[0].shape[:2]
    if lengths is None:
        lengths = np.full(count, width, np.int64)
    if len(lengths) != count:
        what = f"expected {count}, one per sequence, got {len(lengths)}"
        raise DataError(f"{source.name}: lengths: {what}: correct it")
    return _Layout(count, lengths, width=width)


def _whole(source: Source, name: str, array: np.ndarray | None) -> NDArray[np.int64] | None:
    if array is None:
        return None
    if array.dtype.kind not in "iu" or array.ndim != 1:
        what = f"expected whole numbers in one axis, got {array.dtype} {array.shape}"
        raise DataError(f"{source.name}: {name}: {what}: correct it")
    return array.astype(np.int64)
