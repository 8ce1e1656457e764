"""Formats parquet and arrow (Feather, IPC files and streams), by pyarrow, a batch of rows at a time.

A row is a sequence, with a list in every column that has steps, like a line of jsonl. Where the input is a column of
single numbers, a row is a step, and adjacent rows with the same id form a sequence, as in csv.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, BinaryIO

from lstm_cli.data import memory
from lstm_cli.data.formats.csv import Cells, grouped
from lstm_cli.data.formats.jsonl import sequence
from lstm_cli.data.formats.raw import Options, RawSequence, label_key
from lstm_cli.data.formats.source import PIECE, Source
from lstm_cli.errors import DataError, listed

ROWS_HELD, _BUFFER = 256, 1 << 16
_BYTES_HELD = 1 << 20  # in Arrow's layout; Python's objects take about ten times as much
_ARROW_FILE = b"ARROW1"  # at the start of an IPC file, but not of a stream

#: The schema of a file, and a function that yields its batches with the named columns.
_Opened = tuple[Any, Callable[[list[str]], Iterator[Any]]]


def read_parquet(source: Source, options: Options) -> Iterator[RawSequence | DataError]:
    """Yield the sequences of a parquet file."""
    return _read(source, options, "parquet", _open_parquet)


def read_arrow(source: Source, options: Options) -> Iterator[RawSequence | DataError]:
    """Yield the sequences of an Arrow file or stream."""
    return _read(source, options, "arrow", _open_arrow)


def _read(
    source: Source, options: Options, form: str, opened: Callable[[BinaryIO], _Opened]
) -> Iterator[RawSequence | DataError]:
    try:
        import pyarrow  # an extra, as it is larger than all other dependencies
    except ImportError:
        fix = "pip install 'lstm-cli[arrow]', or convert the file to jsonl"
        raise DataError(f"{source.name}: format {form} is read by pyarrow, which is not installed: {fix}") from None
    try:
        with source.open() if source.plain is not None else source.seekable() as stream:
            if not stream.read(1):
                raise source.empty()
            stream.seek(0)
            schema, batches = opened(stream)
            present = _names(source, schema)
            wanted = [name for name in present if options.wants(name) or name == options.id[0]]
            checked = [name for name in wanted if name != options.time] if options.columns is not None else []
            _check_types(pyarrow.types, source, schema, checked)
            read = _steps if _has_steps_as_rows(pyarrow, schema, options) else _sequences
            yield from read(source, options, present, _checked(source.name, batches(wanted)))
    except (DataError, MemoryError):
        raise
    except Exception as error:  # pyarrow raises many types of exceptions on damaged bytes
        reason = str(error).partition("\n")[0]
        raise DataError(
            f"{source.name}: cannot be read as {form} ({reason:.120}): write it again, or set data.format"
        ) from None


def _checked(name: str, batches: Iterable[Any]) -> Iterator[Any]:
    """Yield validated batches in slices of few rows: a batch may hold the whole file, and rows become Python objects.

    Without `validate`, pyarrow trusts the offsets and texts of a damaged file.
    """
    watch, since = memory.Watch(), 0
    for batch in batches:
        batch.validate(full=True)
        rows, size = batch.num_rows, batch.get_total_buffer_size()
        held = min(ROWS_HELD, max(1, rows * _BYTES_HELD // max(1, size)))
        for start in range(0, rows, held):
            since += size * held // rows
            if since >= PIECE:
                watch.check(name)
                since = 0
            yield batch.slice(start, held)


def _open_parquet(stream: BinaryIO) -> _Opened:
    from pyarrow.parquet import ParquetFile

    # A row group, which may be the whole file, is read through a buffer.
    file = ParquetFile(stream, buffer_size=_BUFFER, pre_buffer=False)
    return file.schema_arrow, lambda names: file.iter_batches(ROWS_HELD, columns=names)


def _open_arrow(stream: BinaryIO) -> _Opened:
    from pyarrow import ipc

    magic = stream.read(len(_ARROW_FILE))
    stream.seek(0)
    if magic != _ARROW_FILE:
        reader = ipc.open_stream(stream)
        return reader.schema, lambda names: (batch.select(names) for batch in reader)
    file = ipc.open_file(stream)
    numbers = range(file.num_record_batches)
    return file.schema, lambda names: (file.get_batch(number).select(names) for number in numbers)


def _names(source: Source, schema: Any) -> tuple[str, ...]:
    names = tuple(schema.names)
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DataError(f"{source.name}: two columns are named {twice[0]!r}: rename one of them")
    return names


def _check_types(types: Any, source: Source, schema: Any, names: list[str]) -> None:
    """Refuse columns of neither numbers nor text, whose values would become their Python representation."""
    for name in names:
        kind = schema.field(name).type
        nested = types.is_nested(kind)
        while types.is_dictionary(kind) or hasattr(kind, "value_field"):
            kind = kind.value_type
        if types.is_binary(kind) or types.is_large_binary(kind) or types.is_fixed_size_binary(kind):
            what, fix = "bytes", "cast the column to string"
        elif types.is_temporal(kind):
            what, fix = "times", "cast the column to numbers, or to strings for tokens"
        elif types.is_decimal(kind) and nested:
            what, fix = "lists of decimals", "cast the column to float64"
        else:
            continue
        raise DataError(f"{source.name}: {name}: holds {what} ({kind}): {fix}")


def _has_steps_as_rows(pyarrow: Any, schema: Any, options: Options) -> bool:
    if options.input not in schema.names:
        return False
    kind, types = schema.field(options.input).type, pyarrow.types
    single = (types.is_integer, types.is_floating, types.is_boolean, types.is_decimal)
    return any(is_one(kind) for is_one in single)


def _sequences(
    source: Source, options: Options, present: tuple[str, ...], batches: Iterable[Any]
) -> Iterator[RawSequence | DataError]:
    """Yield a sequence for each row of the file; messages give the row's number instead of a line's."""
    count = 0
    for batch in batches:
        for row in batch.to_pylist():
            count += 1
            yield sequence(f"{source.name}:{count}", count, row, present, options)
    if not count:
        raise DataError(f"{source.name}: there are no rows: give at least one")


def _steps(
    source: Source, options: Options, present: tuple[str, ...], batches: Iterable[Any]
) -> Iterator[RawSequence | DataError]:
    """Yield a sequence for each group of adjacent rows with the same id, its values as in a csv file."""
    if options.id_required and options.id[0] not in present:
        what = f"no such column (there are {listed(present)})"
        raise DataError(f"{source.name}: {options.id[0]}: {what}: correct data.id, or leave it out for one long series")
    names = {name: k for k, name in enumerate(name for name in present if options.wants(name) or name == options.id[0])}
    rows = enumerate((row for batch in batches for row in batch.to_pylist()), start=1)
    cells: Iterator[Cells] = ((number, [_text(row[name]) for name in names], None) for number, row in rows)
    return grouped(source.name, cells, names, present, options)


def _text(value: Any) -> str:
    """Return a value as it would be written in a csv file."""
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, list):
        return "|".join(map(label_key, value))
    return label_key(value) if isinstance(value, bool) else str(value)
