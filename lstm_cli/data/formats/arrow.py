"""Formats parquet and arrow (Feather, IPC files and streams).

A row is a sequence, with a list in every column that has steps, like a line of jsonl, and is read with few others at a
time. Where the input is a column of single numbers, a row is a step, and where it is many columns, they are the steps
of a row's sequence, as in csv: such a table is read as a whole, its numbers as arrays.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, BinaryIO

from lstm_cli.data import memory
from lstm_cli.data.formats.cells import TextColumn
from lstm_cli.data.formats.head import check_id
from lstm_cli.data.formats.jsonl import sequence
from lstm_cli.data.formats.missing import MissingValues
from lstm_cli.data.formats.notation import Notation
from lstm_cli.data.formats.raw import Options, RawSequence, repeated
from lstm_cli.data.formats.rows import sequences
from lstm_cli.data.formats.source import PIECE, Source
from lstm_cli.data.formats.structs import Batches, flattened
from lstm_cli.data.formats.table import Table
from lstm_cli.errors import DataError

ROWS_HELD, _BUFFER = 256, 1 << 16
_ROWS_OF_TABLES = 1 << 16
_BYTES_HELD = 1 << 20  # in Arrow's layout; Python's objects take about ten times as much
_ARROW_FILE = b"ARROW1"  # at the start of an IPC file, but not of a stream

#: The schema of a file, and a function that yields its batches.
_Opened = tuple[Any, Batches]


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
        with source.open() if source.plain is not None else source.seekable() as stream:
            if not stream.read(1):
                raise source.empty()
            stream.seek(0)
            schema, batches = opened(stream)
            _check_names(source, schema.names)
            schema, batches = flattened(schema, batches)
            present = tuple(schema.names)
            wanted = [name for name in present if options.needs(name)]
            checked = [name for name in wanted if name != options.time] if options.columns is not None else []
            _check_types(source, schema, checked)
            if _is_table(schema, options):
                yield from _rows(source, options, present, _validated(source.name, batches(wanted, _ROWS_OF_TABLES)))
            else:
                yield from _sequences(source, options, present, _held(source.name, batches(wanted, ROWS_HELD)))
    except (DataError, MemoryError):
        raise
    except Exception as error:  # pyarrow raises many types of exceptions on damaged bytes
        reason = str(error).partition("\n")[0]
        raise DataError(
            f"{source.name}: cannot be read as {form} ({reason:.120}): write it again, or set data.format"
        ) from None


def _validated(name: str, batches: Iterable[Any]) -> Iterator[Any]:
    """Yield validated batches: without `validate`, pyarrow trusts the offsets and texts of a damaged file."""
    watch, since = memory.Watch(), 0
    for batch in batches:
        batch.validate(full=True)
        since += batch.get_total_buffer_size()
        if since >= PIECE:
            watch.check(name)
            since = 0
        yield batch


def _held(name: str, batches: Iterable[Any]) -> Iterator[Any]:
    """Yield validated batches in slices of few rows, which become Python objects: a batch may hold the whole file."""
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
    return file.schema_arrow, lambda names, rows: file.iter_batches(rows, columns=names)


def _open_arrow(stream: BinaryIO) -> _Opened:
    from pyarrow import ipc

    magic = stream.read(len(_ARROW_FILE))
    stream.seek(0)
    if magic != _ARROW_FILE:
        reader = ipc.open_stream(stream)
        return reader.schema, lambda names, rows: (batch.select(names) for batch in reader)
    file = ipc.open_file(stream)
    numbers = range(file.num_record_batches)
    return file.schema, lambda names, rows: (file.get_batch(number).select(names) for number in numbers)


def _check_names(source: Source, names: list[str]) -> None:
    twice = repeated(names)
    if twice:
        raise DataError(f"{source.name}: two columns are named {twice[0]!r}: rename one of them")


def _check_types(source: Source, schema: Any, names: list[str]) -> None:
    """Refuse columns of neither numbers nor text, whose values would become their Python representation."""
    from pyarrow import types

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


def _is_table(schema: Any, options: Options) -> bool:
    """Return whether cells are single values, as in csv, and not the lists of a sequence.

    A text may be a step or all steps of a sequence; where each has one time of its own, it is a step.
    """
    from pyarrow import types

    if options.wide or options.table.row != "auto":
        return bool(options.wide) or options.table.row == "step"
    if options.input not in schema.names:
        return False
    lists = (types.is_list, types.is_large_list, types.is_fixed_size_list)
    if options.time in schema.names and not any(is_one(schema.field(options.time).type) for is_one in lists):
        return True
    kind = schema.field(options.input).type
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


def _rows(
    source: Source, options: Options, present: tuple[str, ...], batches: Iterable[Any]
) -> Iterator[RawSequence | DataError]:
    """Yield the sequences of a table with single values in its cells."""
    import pyarrow as pa

    check_id(source.name, present, options)
    table = pa.Table.from_batches(batches)
    if not table.num_rows:
        raise DataError(f"{source.name}: there are no rows: give at least one")
    notation = Notation(missing=MissingValues(options.missing))
    columns = {name: column(table.column(name), notation) for name in table.column_names}
    numbers = range(1, table.num_rows + 1)
    yield from sequences(Table(source.name, present, columns, numbers, textual=True, options=options.table), options)


def column(cells: Any, notation: Notation) -> Any:
    """Return a column as text, as an array of numbers or times in which a missing one is NaN, or as lists."""
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import types

    kind = cells.type
    if types.is_dictionary(kind):
        kind = kind.value_type
        cells = cells.cast(kind)
    if types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind):
        return TextColumn(pc.utf8_trim_whitespace(cells.cast(pa.string()).fill_null("")), notation)
    if hasattr(kind, "value_field"):
        return cells.combine_chunks()
    if types.is_decimal(kind) or types.is_null(kind) or (cells.null_count and not types.is_temporal(kind)):
        cells = cells.cast(pa.float64())
    return cells.to_numpy()
