"""Format npz: named arrays.

Arrays are padded, ``x`` (sequence, step, …) with ``lengths`` (sequence,), or stacked, ``x`` (steps of all sequences, …)
with ``offsets`` (sequence + 1,). An array without an axis of steps holds one value per sequence. Without ``lengths``
and ``offsets`` all sequences are as long as the second axis.

A file may hold several splits: of ``X_train``, ``y_train``, ``X_test``, ``y_test`` the split's are read, as x and y.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_cli.data import memory
from lstm_cli.data.formats.raw import Id, Options, RawSequence, label_key
from lstm_cli.data.formats.source import Source
from lstm_cli.data.formats.split_names import arrays_of_split
from lstm_cli.errors import DataError, counted, listed

EXTENTS = ("lengths", "offsets")


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
    return sequences(source, arrays, present, options)


def sequences(
    source: Source, arrays: dict[str, np.ndarray], present: tuple[str, ...], options: Options
) -> Iterator[RawSequence | DataError]:
    """Yield the sequences of arrays by column; `present` are the names of all columns."""
    layout = _layout(source, arrays, present, options.input)
    if not layout.count:
        raise DataError(f"{source.name}: there are no sequences: give at least one")
    for name, array in arrays.items():
        if not layout.has_steps(array) and len(array) != layout.count:
            what = f"expected {counted(layout.count, 'sequence')}" + (
                " or all their steps" if layout.offsets is not None else ""
            )
            raise DataError(f"{source.name}: {name}: {what}, got shape {array.shape}: make the arrays equally long")
    names = {name: arrays[name] for name in options.id if name in arrays}
    if options.id_required and len(names) < len(options.id):
        unknown = next(name for name in options.id if name not in arrays)
        raise DataError(f"{source.name}: {unknown}: no such array: correct data.id, or leave it out")
    for index in range(layout.count):
        where = f"{source.name}: sequence {index + 1}"
        if layout.width is not None and not 0 <= layout.lengths[index] <= layout.width:
            what = f"lengths: {layout.lengths[index]} steps of {layout.width} in the arrays"
            yield DataError(f"{where}: {what}: correct the length")
            continue
        columns = {name: _value(array, layout, index) for name, array in arrays.items() if options.wants(name)}
        yield RawSequence(where, _id(names, index, options), columns, present)


def _id(arrays: dict[str, np.ndarray], index: int, options: Options) -> Id:
    found = [_plain(arrays[name][index]) for name in options.id if name in arrays]
    if len(found) < len(options.id):
        return index + 1
    name: Id = found[0] if len(found) == 1 else tuple(map(label_key, found))
    return name


def _value(array: np.ndarray, layout: _Layout, index: int) -> Any:
    """Return the steps of a sequence, or its one value; an array (sequence, 1) holds single values."""
    if layout.has_steps(array):
        return _plain(layout.steps(array, index))
    return _plain(array[index, 0] if array.ndim == 2 and array.shape[1] == 1 else array[index])


def _plain(value: Any) -> Any:
    """Return single values and strings as Python objects."""
    return value if isinstance(value, np.ndarray) and value.ndim and value.dtype.kind != "U" else value.tolist()


def _load(source: Source, options: Options) -> tuple[dict[str, np.ndarray], tuple[str, ...]]:
    """Return the arrays that are needed by column, and the names of all columns."""
    with _loading(source, "npz") as file:
        if not isinstance(file, np.lib.npyio.NpzFile):
            raise DataError(f"{source.name}: a single array, not .npz: write numpy.savez(file, x=…, lengths=…)")
        with file:
            stored = arrays_of_split(file.files, options)
            if stored is None:
                what = f"no arrays of {options.split or 'test'} (there are {listed(file.files)})"
                raise DataError(f"{source.name}: {what}: add them, or give another file")
            wanted = [name for name in stored if options.wants(name) or name in (*EXTENTS, *options.id)]
            _check_size(source, file, [stored[name] for name in wanted])
            arrays = {name: _checked(source, stored[name], file[stored[name]]) for name in wanted}
    return arrays, tuple(stored)


def _check_size(source: Source, file: Any, names: list[str]) -> None:
    """Raise a `DataError` if there is no memory for arrays, which may be a thousand times as large as the file."""
    sizes = {entry.filename.removesuffix(".npy"): entry.file_size for entry in file.zip.infolist()}
    memory.Watch().check(source.name, more=sum(sizes.get(name, 0) for name in names))


def loaded(source: Source, name: str) -> np.ndarray:
    """Return the array of a file of one array; `name` is that of its column."""
    if source.plain is not None:
        memory.Watch().check(source.name, more=source.plain.stat().st_size)
    with _loading(source, "npy") as array:
        if not isinstance(array, np.ndarray):
            raise DataError(f"{source.name}: several arrays, not .npy: set data.format: npz, or name the file ….npz")
        return _checked(source, name, array)


@contextmanager
def _loading(source: Source, form: str) -> Iterator[Any]:
    """Give what numpy loads; damage is a `DataError`."""
    try:
        with source.open() if source.plain is not None else source.seekable() as stream:
            if not stream.read(1):
                raise source.empty()
            stream.seek(0)
            yield np.load(stream, allow_pickle=False)
    except (DataError, MemoryError):
        raise
    except Exception as error:  # zipfile, zlib and numpy raise many types of exceptions on damaged bytes
        if "Object arrays" in str(error):
            fix = "save numbers or strings, padded with lengths or stacked with offsets"
            raise DataError(f"{source.name}: contains Python objects, which are not loaded: {fix}") from None
        writer = {"npz": "numpy.savez", "npy": "numpy.save"}[form]
        raise DataError(f"{source.name}: not a complete .{form} file: write it again with {writer}") from None


def _checked(source: Source, name: str, array: np.ndarray) -> np.ndarray:
    if array.dtype.kind not in "iufbU" or not array.ndim:
        what = f"expected numbers or strings per sequence or step, got {array.dtype} {array.shape}"
        raise DataError(f"{source.name}: {name}: {what}: convert the array")
    return array


def _layout(source: Source, arrays: dict[str, np.ndarray], present: tuple[str, ...], first: str) -> _Layout:
    """Take `lengths` and `offsets` out of the arrays and return the layout that they describe."""
    lengths, offsets = (_whole(source, name, arrays.pop(name, None)) for name in EXTENTS)
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
