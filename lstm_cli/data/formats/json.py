"""Format json: an array of objects, each a sequence as in a line of jsonl, or an object of such arrays by split.

An object with one array of objects, whatever its name, is that array; any other object is one sequence. A file with one
object per line is read as jsonl.
"""

import io
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from lstm_cli.data.formats import jsonl
from lstm_cli.data.formats.raw import Options, RawSequence
from lstm_cli.data.formats.source import Source
from lstm_cli.data.formats.split_names import chosen_name, named_splits
from lstm_cli.errors import DataError, listed

_DECODER = json.JSONDecoder(object_pairs_hook=jsonl.unique)
_BLANKS = re.compile(r"[ \t\r\n]*")


def read(source: Source, options: Options) -> Iterator[RawSequence | DataError]:
    """Yield one sequence per object; messages give its number in place of a line's."""
    text = source.text()
    at = _past_blanks(text, 0)
    if text[at : at + 1] == "[":
        return _sequences(f"{source.name}: element", _elements(source, text, at), options)
    try:
        content, end = _decoded(source, text, at)
    except jsonl.Unreadable as reason:
        raise DataError(f"{source.name}: {reason}") from None
    if _past_blanks(text, end) < len(text):
        return jsonl.read(Source(_Stream(source.name, text)), options)
    name = _array(source, content, options)
    if name is None:
        return _sequences(f"{source.name}: element", [content], options)
    return _sequences(f"{source.name}: {name}: element", content[name], options)


def _array(source: Source, content: Any, options: Options) -> str | None:
    """Return the name of the array of sequences in an object; None if the object is itself a sequence."""
    arrays = [name for name, value in content.items() if _holds_objects(value)] if isinstance(content, dict) else []
    splits = named_splits(arrays)
    if not splits:
        return arrays[0] if len(arrays) == 1 and options.input not in content else None
    chosen = chosen_name(splits, options.split)
    if chosen is None:
        what = f"no array named {options.split or 'test'} (there are {listed(splits)})"
        raise DataError(f"{source.name}: {what}: add it, or give a file with one array")
    return chosen


def _holds_objects(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, dict) for item in value)


def _sequences(prefix: str, elements: Iterable[Any], options: Options) -> Iterator[RawSequence | DataError]:
    names, count = jsonl.Names(), 0
    try:
        for count, value in enumerate(elements, start=1):
            yield _sequence(f"{prefix} {count}", count, value, names, options)
    except jsonl.Unreadable as reason:  # in the element after those
        raise DataError(f"{prefix} {count + 1}: {reason}") from None
    if not count:
        raise DataError(f"{prefix.partition(':')[0]}: there are no sequences: give at least one object")


def _sequence(where: str, count: int, value: Any, names: jsonl.Names, options: Options) -> RawSequence | DataError:
    try:
        columns = jsonl.checked(value)
    except jsonl.Unreadable as reason:
        return DataError(f"{where}: {reason}")
    return jsonl.sequence(where, count, columns, names.of(columns), options, truths=True)


def _elements(source: Source, text: str, at: int) -> Iterator[Any]:
    """Yield the elements of an array, one at a time, so that the objects of a large file are never held together."""
    at = _past_blanks(text, at + 1)
    while text[at : at + 1] != "]":
        value, at = _decoded(source, text, at)
        yield value
        at = _past_blanks(text, at)
        if text[at : at + 1] not in ("]", ","):
            raise _error(source, text, at, "expected a comma or the end of the array")
        at += text[at] == ","
        at = _past_blanks(text, at)
    at = _past_blanks(text, at + 1)
    if at < len(text):
        raise _error(source, text, at, "more text after the end of the array")


def _decoded(source: Source, text: str, at: int) -> tuple[Any, int]:
    """Return the value that begins at a place, and where it ends."""
    try:
        return _DECODER.raw_decode(text, at)
    except json.JSONDecodeError as error:
        raise _error(source, text, error.pos, f"not JSON ({error.msg})") from None
    except (RecursionError, ValueError):  # ValueError: an integer of thousands of digits
        what = "nested too deeply or a number too long"
        raise _error(source, text, at, what, fix="write lists of numbers or strings") from None


def _error(source: Source, text: str, at: int, what: str, fix: str = "correct it") -> DataError:
    if at >= len(text.rstrip()):
        what, fix = "the file ends inside a value (was it cut off?)", "complete it"
    return DataError(f"{source.name}:{text.count(chr(10), 0, at) + 1}: {what}: {fix}")


def _past_blanks(text: str, at: int) -> int:
    found = _BLANKS.match(text, at)
    return found.end() if found else at


class _Stream(io.BytesIO):
    """A text as the stream of a file with a name."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__(text.encode())
        self.name = name
