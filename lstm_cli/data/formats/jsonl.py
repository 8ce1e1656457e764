"""Format jsonl: one JSON object per line, one sequence per object."""

import json
from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np

from lstm_cli.data.formats.bunch import MOST, STEPS, compact
from lstm_cli.data.formats.jsonl_bunches import Uneven, bunch_of
from lstm_cli.data.formats.naming import sequence_id
from lstm_cli.data.formats.raw import Options, RawSequence, StepLines, repeated
from lstm_cli.data.formats.source import Source
from lstm_cli.errors import DataError

#: Characters of a step, at most: longer lines hold sequences that are not short.
_PER_STEP = 32
#: A line's number, its text, and the error of its encoding.
Line = tuple[int, str, DataError | None]


def read(source: Source, options: Options) -> Iterator[RawSequence | DataError]:
    """Yield one sequence per line; blank lines are skipped."""
    count, names = 0, Names()
    filled = (line for line in source.lines() if line[1] and not line[1].isspace())
    while group := list(islice(filled, MOST if options.bunches else 1)):
        together = _bunch(source.name, group, count, names, options) if options.bunches else None
        if together is not None:
            yield together
        else:
            for place, (number, line, error) in enumerate(group, start=count + 1):
                yield _of_line(f"{source.name}:{number}", place, line, error, names, options)
        count += len(group)
    if not count:
        raise source.empty()


def _bunch(file: str, group: list[Line], count: int, names: "Names", options: Options) -> RawSequence | None:
    """Return lines as a bunch; None if they do not fit into one."""
    long = sum(len(line) for _, line, _ in group) > _PER_STEP * STEPS * len(group)
    if long or any(error is not None for _, _, error in group):
        return None
    places = StepLines(file, compact([number for number, _, _ in group]))
    try:
        objects = [_object(line) for _, line, _ in group]
        return bunch_of(objects, names.of(objects[0]), places, count, options)
    except (Unreadable, Uneven):
        return None


def _of_line(
    where: str, count: int, line: str, error: DataError | None, names: "Names", options: Options
) -> RawSequence | DataError:
    """Return the sequence of a line, or what is wrong with it."""
    try:
        columns = _object(line)
    except Unreadable as reason:
        return error or DataError(f"{where}: {reason}")
    truths = ("u" in line and "true" in line) or ("f" in line and "false" in line)  # to look for a letter is faster
    return error or sequence(where, count, columns, names.of(columns), options, truths=truths)


class Unreadable(Exception):
    """A value that is not a valid sequence; the message says what is wrong and what to do."""


class Names:
    """The names of all columns of the sequences, one tuple shared by those that follow each other."""

    def __init__(self) -> None:
        self._names: tuple[str, ...] = ()

    def of(self, columns: dict[str, Any]) -> tuple[str, ...]:
        """Return the names of a sequence's columns; those of nested objects have dots."""
        names = tuple(_dotted(columns))
        if names != self._names:
            self._names = names
        return self._names


def _dotted(columns: dict[str, Any], before: str = "") -> Iterator[str]:
    for name, value in columns.items():
        first = value[0] if isinstance(value, list) and value else value
        if isinstance(first, dict):
            yield from _dotted(first, f"{before}{name}.")
        else:
            yield before + name


_ABSENT = object()


def column(columns: dict[str, Any], name: str, default: Any = _ABSENT) -> Any:
    """Return a column's value; `default` if there is none.

    A name with dots is first that of a column, then leads into nested objects, or into those of every step.
    """
    if name in columns:
        return columns[name]
    places = [place for place, char in enumerate(name) if char == "."]
    for outer, inner in ((columns.get(name[:place]), name[place + 1 :]) for place in places):
        if isinstance(outer, dict):
            value = column(outer, inner)
            if value is not _ABSENT:
                return value
        elif isinstance(outer, list) and outer and all(isinstance(step, dict) for step in outer):
            values = [column(step, inner) for step in outer]
            if any(value is not _ABSENT for value in values):
                return [None if value is _ABSENT else value for value in values]
    return default


def _object(line: str) -> dict[str, Any]:
    try:
        return checked(_DECODER.decode(line))
    except json.JSONDecodeError as error:
        if error.pos >= len(line.rstrip()):
            raise Unreadable("the line ends inside a value (was the file cut off?): complete or delete it") from None
        what = "a byte order mark" if line.startswith("\ufeff") else error.msg  # which nobody sees
        raise Unreadable(f"not JSON ({what} at column {error.colno}): write one object per line") from None
    except (RecursionError, ValueError):  # ValueError: an integer of thousands of digits
        raise Unreadable("nested too deeply or a number too long: write lists of numbers or strings") from None


def checked(value: Any) -> dict[str, Any]:
    """Return a JSON value that is an object, or raise `Unreadable`."""
    if not isinstance(value, dict):
        raise Unreadable(f'expected an object like {{"x": [1, 2]}}, got {type(value).__name__}: wrap it in one')
    return value


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the object of pairs, or raise `Unreadable` if a key stands twice."""
    columns = dict(pairs)
    if len(columns) < len(pairs):
        twice = repeated(name for name, _ in pairs)[0]
        raise Unreadable(f"duplicate key {twice!r}: keep one of them")
    return columns


_DECODER = json.JSONDecoder(object_pairs_hook=unique)


def sequence(
    where: str, count: int, columns: dict[str, Any], names: tuple[str, ...], options: Options, *, truths: bool = False
) -> RawSequence | DataError:
    """Return a sequence with its needed columns, or what is wrong with its id.

    With `truths`, true and false may be among its numbers.
    """
    name = sequence_id(where, lambda key: column(columns, key, None), count, options)
    if isinstance(name, DataError):
        return name
    wanted = [key for key in columns if options.wants(key)]
    if options.columns is not None and len(wanted) < len(options.columns):
        wanted += [key for key in sorted(options.columns) if key not in columns]  # with dots
    found = ((key, column(columns, key)) for key in wanted)
    kept = {key: condensed(value, truths=truths) for key, value in found if value is not _ABSENT}
    return RawSequence(where, name, kept, names)


def condensed(value: Any, *, truths: bool = True) -> Any:
    """Return a list of numbers, or of equally long lists of numbers, as an array; anything else as it is.

    Null among numbers with a decimal point is NaN; whole numbers with null may be labels and stay a list. With
    `truths`, true and false may be among the numbers; such a list stays, as numpy would make them 1 and 0.
    """
    if not isinstance(value, list) or not value or isinstance(_first(value), str):
        return value
    try:
        array = np.array(value)
    except (ValueError, OverflowError):  # lists of different lengths
        return value
    if array.dtype.kind == "O":
        return _with_missing(array, value)
    if array.dtype.kind not in "iufb" or (truths and array.dtype.kind != "b" and _has_truths(value)):
        return value
    return array


def _with_missing(array: np.ndarray, value: Any) -> Any:
    """Return an array of numbers, some with a decimal point, and None as floats; for anything else, `value`."""
    flat = array.ravel().tolist()
    kinds = set(map(type, flat))
    if not {float, type(None)} <= kinds <= {float, int, type(None)}:
        return value
    try:
        return np.array([np.nan if number is None else number for number in flat], np.float64).reshape(array.shape)
    except OverflowError:  # an integer beyond float64
        return value


def _has_truths(value: Any) -> bool:
    if not isinstance(value, list):
        return isinstance(value, bool | np.bool_)
    kinds = set(map(type, value))
    return bool in kinds or np.bool_ in kinds or (list in kinds and any(map(_has_truths, value)))


def _first(value: Any) -> Any:
    while isinstance(value, list) and value:
        value = value[0]
    return value
