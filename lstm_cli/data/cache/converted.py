"""Data files as one Arrow IPC file: a row for each sequence, with lists in the columns that have steps.

It is read in place, with few rows at a time, whatever its size. The files are read twice: once for the types of the
columns, once to write them.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from lstm_cli.config.table import MISSING
from lstm_cli.data.bad_rows import BadRowPolicy
from lstm_cli.data.cache.kept import digest_of, state_of, sync
from lstm_cli.data.formats import Options, detect, read
from lstm_cli.data.formats.cells import Cells
from lstm_cli.data.formats.missing import MissingValues
from lstm_cli.data.formats.raw import RawSequence
from lstm_cli.data.formats.source import Source
from lstm_cli.data.sources import named_by_file, names_of
from lstm_cli.errors import DataError, counted, listed

DATA, MANIFEST = "data.arrow", ".manifest.json"  # a hidden file is no data of the folder
_ROWS, _VALUES = 1024, 1 << 20  # held at a time, at most


class Converted(NamedTuple):
    """What was written: sequences, and columns."""

    sequences: int
    columns: list[str]


def convert(files: Sequence[Path], folder: Path, *, ids: tuple[str, ...] = ("id",)) -> Converted:
    """Write data files as a folder that `data.train` may name.

    Parameters
    ----------
    files
        Of one format.
    folder
        A new folder, which is there as a whole or not at all.
    ids
        Columns that name a sequence.

    Raises
    ------
    DataError
        A file cannot be read, or a column has no one type.
    """
    import pyarrow as pa

    source = _Source(files, ids)
    making = Path(tempfile.mkdtemp(prefix=f".{folder.name}.making-", dir=folder.parent))
    try:
        states = [state_of(path, digest=True) for path in files]
        schema, varying = source.types()
        count = 0
        with pa.OSFile(str(making / DATA), "wb") as sink, pa.ipc.new_file(sink, schema) as writer:
            for rows in source.chunks():
                writer.write_batch(_batch(rows, varying, schema))
                count += len(rows)
        manifest = {"sources": states, "files": {DATA: digest_of(making / DATA)}}
        (making / MANIFEST).write_text(json.dumps(manifest, indent=1))
        for path in (making / DATA, making / MANIFEST, making):
            sync(path)
        making.chmod(0o755 & ~_umask())
        making.rename(folder)
        sync(folder.parent)
    except BaseException:
        shutil.rmtree(making, ignore_errors=True)
        raise
    return Converted(count, schema.names)


class _Source:
    """The sequences of files, read as often as it takes."""

    def __init__(self, files: Sequence[Path], ids: tuple[str, ...]) -> None:
        self._files = files
        forms = sorted({detect(path) for path in files})
        if len(forms) > 1:
            raise DataError(f"files of several formats: {listed(forms)}: convert those of each alone")
        self.form = forms[0]
        if self.form == "text":
            raise DataError(f"{Source(files[0]).name}: a text is one sequence, which is read as a whole: nothing to do")
        self._options = Options(id=ids, id_required=ids != ("id",))

    def types(self) -> tuple[Any, frozenset[str]]:
        """Return the Arrow schema of all rows, and the columns of tables whose values vary within a sequence."""
        import pyarrow as pa

        varying, schemas, kept = set[str](), list[Any](), list[Any]()
        for rows in self.chunks():
            varying |= {name for row in rows for name, value in row.items() if _varies(value)}
            whole, steps = _batch(rows, frozenset()).schema, _batch(rows, frozenset(rows[0])).schema
            schemas = [_unified([*schemas, whole])]
            kept = [_unified([*kept, steps])]
        fields = [(kept if field.name in varying else schemas)[0].field(field.name) for field in schemas[0]]
        return pa.schema([pa.field(field.name, _large(field.type)) for field in fields]), frozenset(varying)

    def chunks(self) -> Iterator[list[dict[str, Any]]]:
        """Yield the rows of few sequences at a time: their columns and their ids."""
        rows: list[dict[str, Any]] = []
        held = 0
        with closing(self._sequences()) as sequences:
            for sequence in sequences:
                row = self._row(sequence)
                rows.append(row)
                held += sum(np.size(value) if isinstance(value, np.ndarray) else _size(value) for value in row.values())
                if len(rows) == _ROWS or held >= _VALUES:
                    yield rows
                    rows, held = [], 0
        if rows:
            yield rows

    def _sequences(self) -> Generator[RawSequence, None, None]:
        for path, name in zip(self._files, names_of(self._files), strict=True):
            items = read(Source(path), self.form, self._options)
            if len(self._files) > 1:
                items = named_by_file(items, name, self._options.id)
            yield from BadRowPolicy(Source(path).name, skip=False).good(items)

    def _row(self, sequence: RawSequence) -> dict[str, Any]:
        names = self._options.id
        values = sequence.id if isinstance(sequence.id, tuple) else (sequence.id,)
        row: dict[str, Any] = {name: str(value) for name, value in zip(names, values, strict=False)}
        return row | {name: _plain(value) for name, value in sequence.columns.items() if name not in names}


class _Steps(list[Any]):
    """The values of a table's column at the steps of a sequence."""


def _plain(value: Any) -> Any:
    """Return a value as Arrow reads it: cells as numbers, where all of them are, else as texts."""
    if isinstance(value, Cells):
        numbers = value.numbers()
        if numbers is not None:
            return _Steps([None if np.isnan(number) else number for number in numbers.tolist()])
        missing = MissingValues(MISSING)
        return _Steps([None if missing.is_missing(cell) else cell for cell in value.tolist()])
    if isinstance(value, np.ndarray) and value.ndim > 1:
        return list(value)
    return value


def _size(value: Any) -> int:
    return sum(map(np.size, value)) if isinstance(value, list) else 1


def _varies(value: Any) -> bool:
    return isinstance(value, _Steps) and any(one != value[0] for one in value)


def _batch(rows: list[dict[str, Any]], varying: frozenset[str], schema: Any = None) -> Any:
    """Return rows as an Arrow batch; what does not vary within a sequence of a table is one value."""
    import pyarrow as pa

    names = list(dict.fromkeys(name for row in rows for name in row)) if schema is None else schema.names
    columns = []
    for name in names:
        values = [row.get(name) for row in rows]
        if name not in varying:
            values = [value[0] if isinstance(value, _Steps) else value for value in values]
        try:
            columns.append(pa.array(values, None if schema is None else schema.field(name).type))
        except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError) as error:
            reason = str(error).partition("\n")[0]
            raise DataError(f"{name}: its values have several types ({reason:.100}): correct them") from None
    return pa.record_batch(columns, names=names) if schema is None else pa.record_batch(columns, schema=schema)


def _unified(schemas: list[Any]) -> Any:
    import pyarrow as pa

    try:
        return pa.unify_schemas(schemas, promote_options="permissive")
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        reason = str(error).partition("\n")[0]
        raise DataError(f"a column has values of several types ({reason:.100}): correct them") from None


def _large(kind: Any) -> Any:
    """Return a type whose lists and texts may have any number of values."""
    import pyarrow as pa

    if pa.types.is_list(kind):
        return pa.large_list(_large(kind.value_type))
    return pa.large_string() if pa.types.is_string(kind) else kind


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def summary(found: Converted, folder: Path) -> str:
    """Return what was written, as a line."""
    return f"{counted(found.sequences, 'sequence')}, columns {listed(found.columns)}: data.train: {folder}"
