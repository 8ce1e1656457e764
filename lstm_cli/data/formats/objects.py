"""From JSON objects that are one step each, as pandas writes records, to the sequences of a table."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_cli.data.formats.arrow import column
from lstm_cli.data.formats.head import check_id
from lstm_cli.data.formats.missing import MissingValues
from lstm_cli.data.formats.notation import Notation
from lstm_cli.data.formats.raw import Options, RawSequence
from lstm_cli.data.formats.rows import sequences
from lstm_cli.data.formats.table import Table
from lstm_cli.errors import DataError


def object_options(options: Options) -> Options:
    """Return how the objects are read: with the columns that name their sequences, which need not be there."""
    columns = None if options.columns is None else options.columns | set(options.id)
    return replace(options, columns=columns, id=(), id_required=False)


def of_objects(
    name: str, objects: Iterable[RawSequence | DataError], options: Options
) -> Iterator[RawSequence | DataError]:
    """Yield an error for each object that cannot be read, and then the sequences of the others.

    Messages give the number of an object where a line has none of its own.
    """
    import pyarrow as pa

    rows: list[dict[str, Any]] = []
    names: dict[str, None] = {}
    lines: list[int] = []
    for number, item in enumerate(objects, start=1):
        if isinstance(item, DataError):
            yield item
            continue
        rows.append(item.columns)
        names.update(dict.fromkeys(item.names))
        line = item.where.rpartition(":")[2]
        lines.append(int(line) if line.isdigit() else number)
    if not rows:
        return
    check_id(name, tuple(names), options)
    notation = Notation(missing=MissingValues(options.missing))
    present = [key for key in names if any(key in row for row in rows)]
    columns = {key: column(pa.chunked_array([_array([row.get(key) for row in rows])]), notation) for key in present}
    yield from sequences(
        Table(name, tuple(names), columns, _numbers(lines), textual=True, options=options.table), options
    )


def _numbers(lines: list[int]) -> range | NDArray[np.int64]:
    """Return the lines of all rows, as a range if none are left out."""
    first, count = lines[0], len(lines)
    return range(first, first + count) if lines[-1] - first == count - 1 else np.array(lines, np.int64)


def _array(values: list[Any]) -> Any:
    """Return values as an Arrow array; those of different kinds as they are written."""
    import pyarrow as pa

    try:
        array = pa.array(values)
    except (pa.ArrowException, OverflowError, TypeError):
        array = None
    if array is None or pa.types.is_struct(array.type):
        array = pa.array([None if value is None else str(value) for value in values], pa.string())
    return array
