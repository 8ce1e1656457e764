"""The id of a sequence in formats where each sequence has its own values, not those of rows."""

from collections.abc import Callable
from typing import Any

from lstm_cli.data.formats.raw import Id, Options, label_key
from lstm_cli.errors import DataError


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
        return DataError(f"{where}: {missing[0]}: missing: give every sequence one{fix}")
    for name, given in found.items():
        if isinstance(given, dict | list | float):
            what = f"expected a string or a whole number as the id, got {given!r:.40}"
            return DataError(f"{where}: {name}: {what}: change it")
    if missing:
        return default
    names = tuple(found.values())
    return names[0] if len(names) == 1 else tuple(map(label_key, names))
