"""Format jsonl: one JSON object per line, one sequence per object."""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np

from lstm_cli.data.formats.raw import Options, RawSequence
from lstm_cli.data.formats.source import Source
from lstm_cli.errors import DataError


def read(source: Source, options: Options) -> Iterator[RawSequence | DataError]:
    """Yield one sequence per line; blank lines are skipped."""
    count = 0
    names: tuple[str, ...] = ()
    for number, line, error in source.lines():
        if not line or line.isspace():
            continue
        count += 1
        where = f"{source.name}:{number}"
        try:
            columns = _object(line)
        except _Unreadable as reason:
            yield error or DataError(f"{where}: {reason}")
            continue
        names = (
            names if names == tuple(columns) else tuple(columns)
        )  # one tuple shared by all sequences with the same columns
        truths = ("u" in line and "true" in line) or (
            "f" in line and "false" in line
        )  # searching for a letter first is faster
        yield error or sequence(where, count, columns, names, options, truths=truths)
    if not count:
        raise source.empty()


class _Unreadable(Exception):
    """A line that is not a valid sequence; the message says what is wrong and what to do."""


def _object(line: str) -> dict[str, Any]:
    try:
        columns = json.loads(line, object_pairs_hook=_unique)
    except json.JSONDecodeError as error:
        if error.pos >= len(line.rstrip()):
            raise _Unreadable("the line ends inside a value (was the file cut off?): complete or delete it") from None
        raise _Unreadable(f"not JSON ({error.msg} at column {error.colno}): write one object per line") from None
    except (RecursionError, ValueError):  # ValueError: an integer of thousands of digits
        raise _Unreadable("nested too deeply or a number too long: write lists of numbers or strings") from None
    if not isinstance(columns, dict):
        raise _Unreadable(f'expected an object like {{"x": [1, 2]}}, got {type(columns).__name__}: wrap it in one')
    return columns


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    columns = dict(pairs)
    if len(columns) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _Unreadable(f"duplicate key {twice!r}: keep one of them")
    return columns


def sequence(
    where: str, count: int, columns: dict[str, Any], names: tuple[str, ...], options: Options, *, truths: bool = False
) -> RawSequence | DataError:
    """Return a sequence with its needed columns, or what is wrong with its id.

    With `truths`, true and false may be among its numbers.
    """
    name = columns.get(options.id[0])
    if name is None and options.id_required:
        return DataError(f"{where}: {options.id[0]}: missing: give every sequence one, or leave data.id out")
    if isinstance(name, dict | list | float):
        what = f"expected a string or a whole number as the id, got {name!r:.40}"
        return DataError(f"{where}: {options.id[0]}: {what}: change it")
    wanted = columns if options.columns is None else options.columns
    kept = {name: condensed(value, truths=truths) for name, value in columns.items() if name in wanted}
    return RawSequence(where, count if name is None else name, kept, names)


def condensed(value: Any, *, truths: bool = True) -> Any:
    """Return a list of numbers, or of equally long lists of numbers, as an array; anything else as it is.

    With `truths`, true and false may be among the numbers; such a list is left as it is, as numpy would make them 1
    and 0.
    """
    if not isinstance(value, list) or not value or isinstance(_first(value), str):
        return value
    try:
        array = np.array(value)
    except (ValueError, OverflowError):  # lists of different lengths
        return value
    if array.dtype.kind not in "iufb" or (truths and array.dtype.kind != "b" and _has_truths(value)):
        return value
    return array


def _has_truths(value: Any) -> bool:
    if not isinstance(value, list):
        return isinstance(value, bool | np.bool_)
    kinds = set(map(type, value))
    return bool in kinds or np.bool_ in kinds or (list in kinds and any(map(_has_truths, value)))


def _first(value: Any) -> Any:
    while isinstance(value, list) and value:
        value = value[0]
    return value
