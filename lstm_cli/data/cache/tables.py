"""A dataset as an Arrow IPC file: a row for each sequence, whose columns are lists, flat values and offsets.

Opened memory-mapped, its arrays are views of the file.

Legend: n sequences, S steps of all of them.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_cli.data.arrays import ends
from lstm_cli.data.cache.flat import Flat
from lstm_cli.data.cache.pieces import Nothing, Ragged, Scalings, Some, Texts
from lstm_cli.data.dataset import Dataset
from lstm_cli.data.schema.encoded import Encoded
from lstm_cli.data.schema.schema import Schema

_META = b"lstm-cli"
#: What is 1 or 0 for all where no sequence says otherwise.
_DEFAULTS = {"weight": np.float32(1), "unseen": np.int32(0)}
_TEXTS = ("id", "where")


class _Columns:
    """The columns of a dataset while it is written, each a file; `lists` has how many values of it a sequence has."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.flats: dict[str, Flat] = {}
        self.lists: dict[str, Flat] = {}

    def close(self) -> None:
        """Close the files."""
        for flat in (*self.flats.values(), *self.lists.values()):
            flat.close()

    def add(self, name: str, values: NDArray[Any] | None, *, before: int = 0, count: int = 0) -> None:
        """Append a sequence's values of a column; of one with a default, all until now have it while it is None."""
        if name in _DEFAULTS and (values is not None or name in self.flats):
            own = self._flat(name, self.flats)
            own.fill(before - own.count, _DEFAULTS[name])
            own.append(np.full(count, _DEFAULTS[name]) if values is None else values)
        elif values is not None:
            self._flat(name, self.flats).append(values)
        if name not in _DEFAULTS:
            size = -1 if values is None else len(values)
            self._flat(name, self.lists, ".lists").append(np.array([size], np.int64))

    def _flat(self, name: str, group: dict[str, Flat], suffix: str = "") -> Flat:
        if name not in group:
            group[name] = Flat(self._folder / f"{len(group)}{suffix}.flat")
        return group[name]


def write_table(path: Path, scratch: Path, sequences: Iterable[Encoded], schema: Schema) -> None:
    """Write sequences, single ones, as an Arrow IPC file; nothing of them is held.

    Parameters
    ----------
    path
        The new file.
    scratch
        An empty folder for the columns until they are complete.
    sequences
        As for `Dataset`.
    schema
        The schema that they were encoded by.
    """
    before = 0
    with closing(_Columns(scratch)) as columns:
        for sequence in sequences:
            labelled = sequence.target is not None
            count = sequence.steps if schema.target.per == "step" or not labelled else 1
            for name, values in _arrays(sequence, schema):
                columns.add(name, values, before=before, count=count)
            before += count
        _write(path, columns)


def _arrays(sequence: Encoded, schema: Schema) -> Iterator[tuple[str, NDArray[Any] | None]]:
    """Yield the columns of a sequence by name."""
    for name, text in (("id", json.dumps(sequence.id)), ("where", sequence.where)):
        yield name, np.frombuffer(text.encode("utf-8", "surrogatepass"), np.uint8)
    own = {"steps": sequence.steps, "offset": sequence.offset, "context": sequence.context}
    for name, number in (own | {"observed": -1 if sequence.observed is None else sequence.observed}).items():
        yield name, np.array([number], np.int64)
    if schema.numeric_size:
        yield "numbers", sequence.numbers
    for name in schema.tokens:
        yield f"tokens.{name}", sequence.tokens[name]
    for name in ("target", "weight", "unseen", "history", "before", "times"):
        yield name, getattr(sequence, name)
    if sequence.scaling is not None:
        yield "center", sequence.scaling.center[np.newaxis]
        yield "spread", sequence.scaling.spread[np.newaxis]
    if schema.target.needs_past and sequence.history is not None:
        for part, links in enumerate(schema.target.past(sequence.history)):
            for link, values in enumerate(links):
                yield f"past.{part}.{link}", values


def _write(path: Path, columns: _Columns) -> None:
    import pyarrow as pa

    arrays: dict[str, Any] = {}
    described: dict[str, Any] = {}
    lengths = columns.lists["steps"].array()
    steps = columns.flats["steps"].array()
    for name, flat in columns.flats.items():
        values = flat.array()
        described[name] = [values.dtype.str, values.shape]
        given = steps if name in _DEFAULTS and len(values) != len(lengths) else None
        sizes = columns.lists[name].array() if name in columns.lists else given
        if name in _TEXTS or (sizes is not None and not (sizes == 1).all()):
            sizes = np.zeros(0, np.int64) if sizes is None else sizes
            missing = sizes < 0
            bounds = ends(np.maximum(sizes, 0))
            arrays[name] = _listed(name, values, bounds, missing if missing.any() else None)
        else:
            arrays[name] = _values(values)
    metadata = {_META: json.dumps(described).encode()}
    batch = pa.record_batch(list(arrays.values()), names=list(arrays)).replace_schema_metadata(metadata)
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, batch.schema) as writer:
        writer.write_batch(batch)


def _values(values: NDArray[Any]) -> Any:
    """Return an array (n, …) as an Arrow array of its memory."""
    import pyarrow as pa

    times = values.dtype.kind == "M"
    plain = values.reshape(-1).view(np.int64) if times else values.reshape(-1)
    kind = pa.from_numpy_dtype(plain.dtype)
    own = pa.Array.from_buffers(kind, plain.size, [None, pa.py_buffer(plain)])
    for width in reversed(values.shape[1:]):
        own = pa.FixedSizeListArray.from_arrays(own, width)
    return own


def _listed(name: str, values: NDArray[Any], bounds: NDArray[np.int64], missing: NDArray[np.bool_] | None) -> Any:
    """Return flat values and offsets as an Arrow array of lists; ids and places as one of texts."""
    import pyarrow as pa

    if name in _TEXTS:
        data = [None, pa.py_buffer(bounds), pa.py_buffer(values)]
        return pa.Array.from_buffers(pa.large_string(), len(bounds) - 1, data)
    mask = None if missing is None else pa.array(missing)
    return pa.LargeListArray.from_arrays(pa.array(bounds), _values(values), mask=mask)


def open_table(path: Path, schema: Schema) -> Dataset:
    """Return the dataset of a file, whose arrays are views of it."""
    import pyarrow as pa

    with pa.memory_map(str(path)) as source:
        batch = pa.ipc.open_file(source).get_batch(0)
    described = json.loads(batch.schema.metadata[_META])
    return _Table(batch, described).dataset(schema)


class _Table:
    """The columns of a file."""

    def __init__(self, batch: Any, described: dict[str, Any]) -> None:
        self._batch, self._described = batch, described
        self._count = batch.num_rows

    def flat(self, name: str) -> Any:
        """Return the values of a column (S, …); None if there is none."""
        import pyarrow as pa

        if name not in self._described:
            return None
        dtype, shape = self._described[name]
        column = self._batch.column(name)
        while pa.types.is_nested(column.type):
            column = column.values
        data = column.buffers()[-1]
        if not np.prod(shape):
            return np.zeros(shape, dtype)
        return np.frombuffer(data, dtype, int(np.prod(shape)), column.offset).reshape(shape)

    def bounds(self, name: str) -> NDArray[np.int64]:
        """Return where each sequence begins among the values of a column (n + 1,)."""
        import pyarrow as pa

        column = self._batch.column(name)
        if not pa.types.is_large_list(column.type):
            return np.arange(self._count + 1)
        return np.frombuffer(column.buffers()[1], np.int64, self._count + 1)

    def ragged(self, name: str) -> Sequence[Any]:
        """Return what each sequence has in a column; None where it has nothing."""
        values = self.flat(name)
        if values is None:
            return Nothing(self._count)
        found = Ragged(values, self.bounds(name))
        return Some(found, self._batch.column(name)) if self._batch.column(name).null_count else found

    def dataset(self, schema: Schema) -> Dataset:
        """Return the dataset, with what it otherwise computes from all sequences."""
        lengths = np.array(self.flat("steps"))
        driven = schema.layout.closed_loop is not None
        before = np.diff(self.bounds("before")) if "before" in self._described else np.zeros(self._count, np.int64)
        scaled = "center" in self._described
        kept: dict[str, Any] = {
            "ids": Texts(self._batch.column("id"), ids=True),
            "where": Texts(self._batch.column("where")),
            "lengths": lengths,
            "offsets": ends(lengths),
            "numbers": self.flat("numbers"),
            "tokens": {name: self.flat(f"tokens.{name}") for name in schema.tokens},
            "target": self.flat("target"),
            "weight": self.flat("weight"),
            "observed": np.array(self.flat("observed")) if driven else None,
            "known_before": before,
            "_unseen": self.flat("unseen"),
            "_first": np.array(self.flat("offset")),
            "_context": np.array(self.flat("context")),
            "_history": self.ragged("history"),
            "_times": self.ragged("times"),
            "_before": self.ragged("before"),
            "_scaling": Scalings(self.flat("center"), self.flat("spread")) if scaled else Nothing(self._count),
        }
        if "before" in self._described:
            kept["_values_before"] = (self.flat("before"), ends(before))
        if schema.target.needs_past:
            kept["_past"] = (self._past(schema), self.bounds("history"))
        return Dataset.of_arrays(schema, kept)

    def _past(self, schema: Schema) -> list[list[Any]]:
        starts = [f"past.{part}." for part in range(len(schema.target.chains))]
        return [[self.flat(name) for name in self._described if name.startswith(start)] for start in starts]
