"""Objects of jsonl in bunches: those that have the same columns, with values of the same types.

Legend: n sequences, S steps of all of them, D numbers per step.
"""

from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_cli.data.formats.bunch import STEPS, Bunch
from lstm_cli.data.formats.raw import Id, Options, RawSequence, StepLines

#: Whole numbers up to here are exact in float64, so that they are the same labels.
_EXACT = 1 << 53
#: The values (S,), (S, D) or (n,) of a column, and how many steps of each sequence they are (n,), None if none.
Column = tuple[Any, NDArray[np.int64] | None]


class Uneven(Exception):
    """Objects that do not fit into one bunch."""


def bunch_of(
    objects: Sequence[dict[str, Any]], names: tuple[str, ...], places: StepLines, before: int, options: Options
) -> RawSequence:
    """Return objects as a bunch, or raise `Uneven`.

    Parameters
    ----------
    objects
        Of the lines (n,).
    names
        All columns of the first.
    places
        Of the lines (n,).
    before
        How many sequences were before them.
    options
        How the file is read.
    """
    wanted = [name for name in objects[0] if options.wants(name)]
    if len(set(map(tuple, objects))) > 1 or (options.columns is not None and len(wanted) < len(options.columns)):
        raise Uneven  # wanted columns with dots are parts of others
    ids = _ids(objects, before, options)
    found = {name: column_of([columns[name] for columns in objects]) for name in wanted}
    steps = [lengths for _, lengths in found.values() if lengths is not None]
    if not steps or not steps[0].all() or steps[0].mean() > STEPS or any((own != steps[0]).any() for own in steps):
        raise Uneven
    whole = frozenset(name for name, (_, lengths) in found.items() if lengths is None)
    bunch = Bunch(ids, places, steps[0], whole)
    columns = {name: values for name, (values, _) in found.items()}
    return RawSequence(places[0], ids[0], columns, names, bunch=bunch)


def _ids(objects: Sequence[dict[str, Any]], before: int, options: Options) -> Sequence[Id]:
    """Return the ids of the sequences (n,)."""
    given = [name for name in options.id if name in objects[0]]
    if not given and not options.id_required and not any("." in name for name in options.id):
        return range(before + 1, before + 1 + len(objects))
    ids: list[Id] = [columns[name] for name in given for columns in objects]
    if len(given) != 1 or len(options.id) > 1 or not set(map(type, ids)) <= {str, int}:
        raise Uneven
    return ids


def column_of(values: list[Any]) -> Column:
    """Return the values of a column."""
    if type(values[0]) is not list:
        return _plain(values), None
    lengths, flat = _flat(values)
    if flat and type(flat[0]) is list:
        widths, flat = _flat(flat)
        numbers = _plain(flat)
        if not isinstance(numbers, np.ndarray) or (widths != widths[0]).any():
            raise Uneven
        return numbers.reshape(-1, int(widths[0])), lengths
    return _plain(flat), lengths


def _flat(values: list[Any]) -> tuple[NDArray[np.int64], list[Any]]:
    """Return the lengths of lists, and what is in them end to end."""
    if set(map(type, values)) != {list}:
        raise Uneven
    return np.fromiter(map(len, values), np.int64, len(values)), list(chain.from_iterable(values))


def _plain(values: list[Any]) -> Any:
    """Return numbers or truths as an array, texts as a list in which equal ones are one object."""
    match set(map(type, values)):
        case kinds if kinds == {str}:
            same: dict[str, str] = {}
            return [same.setdefault(value, value) for value in values]
        case kinds if kinds == {bool}:
            return np.array(values)
        case kinds if kinds and kinds <= {int, float}:
            if int in kinds and not -_EXACT < min(values) <= max(values) < _EXACT:
                raise Uneven
            return np.array(values)
        case _:
            raise Uneven
