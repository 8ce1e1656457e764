"""Structs of Arrow data as columns of their own: the field ``acc`` of the column ``sensor`` is ``sensor.acc``."""

from collections.abc import Callable, Iterator
from typing import Any

#: Yields batches with the named columns, with at least some rows.
Batches = Callable[[list[str], int], Iterator[Any]]

#: Where a field stands, inside others; its name with theirs before it; its type.
_Leaf = tuple[tuple[int, ...], str, Any]


def flattened(schema: Any, batches: Batches) -> tuple[Any, Batches]:
    """Return a schema without structs and a function that yields such batches; a column with a dotted name wins."""
    import pyarrow as pa
    import pyarrow.compute as pc

    leaves = {name: (path, kind) for path, name, kind in _leaves(schema) if len(path) == 1 or name not in schema.names}
    if all(len(path) == 1 for path, _ in leaves.values()):
        return schema, batches

    def flat(names: list[str], rows: int) -> Iterator[Any]:
        paths = [leaves[name][0] for name in names]
        outer = list(dict.fromkeys(schema.names[path[0]] for path in paths))
        for batch in batches(outer, rows):
            columns = [batch.column(schema.names[path[0]]) for path in paths]
            pairs = zip(columns, paths, strict=True)
            inner = [pc.struct_field(column, path[1:]) if len(path) > 1 else column for column, path in pairs]
            yield pa.RecordBatch.from_arrays(inner, names=names)

    return pa.schema([(name, kind) for name, (_, kind) in leaves.items()]), flat


def _leaves(fields: Any, path: tuple[int, ...] = (), before: str = "") -> Iterator[_Leaf]:
    """Yield the fields that are not structs."""
    from pyarrow import types

    for place, field in enumerate(fields):
        if types.is_struct(field.type):
            yield from _leaves(list(field.type), (*path, place), f"{before}{field.name}.")
        else:
            yield (*path, place), before + field.name, field.type
