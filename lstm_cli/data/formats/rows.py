"""From the rows of a table to sequences: rows with one id are the steps of a sequence, or each row is one."""

import json
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_cli.data.formats.bunch import MOST, STEPS, Bunch, Taken
from lstm_cli.data.formats.cells import TextColumn
from lstm_cli.data.formats.ids import Ids
from lstm_cli.data.formats.jsonl import condensed
from lstm_cli.data.formats.raw import Id, Options, RawSequence, ValueProblem, problem_at
from lstm_cli.data.formats.table import Table
from lstm_cli.data.formats.wide import Wide
from lstm_cli.errors import DataError


def sequences(table: Table, options: Options) -> Iterator[RawSequence | DataError]:
    """Yield the sequences of a table, in the order of their first rows, and an error for each row that has no id."""
    ids = Ids(table, options)
    for row in np.flatnonzero(ids.empty).tolist():
        yield DataError(f"{table.place(row)}: the id is empty: give every row the id of its sequence")
    by_row = options.table.row == "sequence" or (options.table.row == "auto" and bool(options.wide))
    yield from (_of_rows(table, ids, options) if by_row else _of_steps(table, ids, options))


def _of_steps(table: Table, ids: Ids, options: Options) -> Iterator[RawSequence | DataError]:
    """Yield a sequence for all rows of one id."""
    wanted = [name for name in table.columns if options.wants(name)]
    for column in set(table.columns).difference(wanted):
        del table.columns[column]  # that of the id, which is known now
    single = all(isinstance(table.columns[name], TextColumn | np.ndarray) for name in wanted)  # no lists in cells
    starts = ids.neighbours() if options.bunches and single else None
    if starts is not None and len(ids.empty) <= STEPS * len(starts):
        yield from _in_bunches(table, ids, starts, wanted)
        return
    for number, rows in enumerate(ids.groups(), start=1):
        places = table.places(rows)
        first = rows.start if isinstance(rows, slice) else int(rows[0])
        name: Id = number if ids.codes is None else ids.name(first)
        columns = {column: table.cells(column, rows) for column in wanted}
        yield RawSequence(places[0], name, columns, table.names, table.textual, places, rows=True, table=table.options)


def _in_bunches(table: Table, ids: Ids, starts: NDArray[np.intp], wanted: list[str]) -> Iterator[RawSequence]:
    """Yield bunches of sequences whose rows are neighbours; `starts` are their first rows."""
    bounds = np.append(starts, len(ids.empty))
    for first in range(0, len(starts), MOST):
        own = bounds[first : first + MOST + 1]
        rows = slice(int(own[0]), int(own[-1]))
        places = table.places(rows)
        bunch = Bunch(Taken(ids, own[:-1]), Taken(places, own[:-1] - own[0]), np.diff(own))
        columns = {column: table.cells(column, rows) for column in wanted}
        yield RawSequence(
            places[0], bunch.ids[0], columns, table.names, table.textual, places, rows=True, table=table.options,
            bunch=bunch,
        )  # fmt: skip


def _of_rows(table: Table, ids: Ids, options: Options) -> Iterator[RawSequence | DataError]:
    """Yield a sequence for each row."""
    wide = {name: Wide(table, name, patterns) for name, patterns in options.wide}
    wanted = [name for name in table.columns if options.wants(name) and name not in wide]
    single = {name: table.values(name) for name in wanted}
    for row in np.flatnonzero(~ids.empty).tolist():
        where = table.place(row)
        columns: dict[str, Any] = {name: values.steps(row) for name, values in wide.items()}
        try:
            for name in wanted:
                columns[name] = _unlisted(single[name][row])
        except ValueProblem as problem:
            yield problem_at(where, name, problem)
            continue
        number: Id = row + 1 if ids.codes is None else ids.name(row)
        textual = any(values.is_text(row) for values in wide.values())
        yield RawSequence(where, number, columns, table.names, textual, table=table.options)


_LIST_OF_NUMBERS = re.compile(r"\[[-+\d.,;eE\s\[\]naifNAIF]*\]|\[\s*'.*'\s*\]", re.DOTALL)


def _unlisted(cell: Any) -> Any:
    """Return the value of a cell: a list if it is written as one."""
    if isinstance(cell, list):
        return condensed(cell)
    if not (isinstance(cell, str) and cell.startswith("[") and cell.endswith("]")):
        return cell
    try:
        return condensed(json.loads(cell))
    except (ValueError, RecursionError):
        if _LIST_OF_NUMBERS.fullmatch(cell):
            fix = 'write [0.1, 0.2] or ["a", "b"]'
            raise ValueProblem(f"not a JSON list: {cell!r:.40}", fix) from None
        return cell  # a text in brackets
