"""Names of columns in messages, and the id of a sequence in formats whose sequences are not rows of a table."""

import re
from collections.abc import Callable, Sequence
from typing import Any

from lstm_cli.data.formats.raw import Id, Options, label_key
from lstm_cli.errors import DataError, counted, listed, on_one_line

#: A name as people give them: words, with units and numbers. A line of another kind of file is none: root:x:0:0.
_NAME = re.compile(r"[^\W\d][\w .,/%°€£#&'?!*()\[\]+²³-]{0,39}|\d{1,4}|")
_ALONE = 20  # characters of a single name, which has no digits: more may be a key or a password


def columns_listed(names: Sequence[str]) -> str:
    """Return the names of columns for a message; only their number where they do not all look like names.

    What is read as a table may be another file, of which no line is to be shown on a terminal or in a log.
    """
    if not names:
        return "none"
    alone = len(names) == 1 and (len(names[0]) > _ALONE or any(map(str.isdecimal, names[0])))
    if alone or not all(map(_NAME.fullmatch, names)):
        return f"{counted(len(names), 'column')} whose first line does not look like names"
    return listed(names)


def sequence_id(where: str, value: Callable[[str], Any], default: Id, options: Options) -> Id | DataError:
    """Return the id of a sequence, of several columns a tuple; the default if it has and needs none.

    Parameters
    ----------
    where
        Place of the sequence.
    value
        Returns the value of an id column; None if there is none.
    default
        Its number, or another name that it has.
    options
        How the file is read.
    """
    found = {name: value(name) for name in options.id}
    missing = [name for name, given in found.items() if given is None]
    if missing and options.id_required:
        fix = "" if options.split is None else ", or leave data.id out"  # None: read as a run's training data was
        return DataError(f"{where}: {on_one_line(missing[0])}: missing: give every sequence one{fix}")
    for name, given in found.items():
        if isinstance(given, dict | list | float):
            what = f"expected a string or a whole number as the id, got {given!r:.40}"
            return DataError(f"{where}: {on_one_line(name)}: {what}: change it")
    if missing:
        return default
    names = tuple(found.values())
    return names[0] if len(names) == 1 else tuple(map(label_key, names))
