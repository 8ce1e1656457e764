"""Short sequences that a reader yields one by one, put into bunches."""

from collections.abc import Iterable, Iterator, Sequence
from string import digits
from typing import Any

import numpy as np

from lstm_cli.data.formats.bunch import MOST, STEPS, Bunch, Lazy, compact
from lstm_cli.data.formats.jsonl_bunches import Column, Uneven, column_of
from lstm_cli.data.formats.raw import Options, RawSequence
from lstm_cli.errors import DataError


class Numbered(Lazy):
    """Texts that end in a number each, made only on access."""

    def __init__(self, start: str, numbers: Sequence[int]) -> None:
        self._start, self._numbers = start, numbers

    def __len__(self) -> int:
        return len(self._numbers)

    def __getitem__(self, index: Any) -> Any:
        return f"{self._start}{self._numbers[index]}"


def gathered(items: Iterable[RawSequence | DataError], options: Options) -> Iterator[RawSequence | DataError]:
    """Yield sequences in their order, in bunches where they are short and alike."""
    group: list[RawSequence] = []
    steps = 0
    for item in items:
        if isinstance(item, DataError) or item.bunch is not None:
            yield from _together(group, options)
            yield item
            group, steps = [], 0
            continue
        group.append(item)
        steps += max((len(value) for value in item.columns.values() if isinstance(value, list | np.ndarray)), default=1)
        if len(group) == MOST or steps > MOST * STEPS:
            yield from _together(group, options)
            group, steps = [], 0
    yield from _together(group, options)


def _together(group: list[RawSequence], options: Options) -> list[RawSequence]:
    """Return sequences as a bunch, or as they are if they do not fit into one."""
    try:
        return [_bunch(group, options)] if len(group) > 1 else group
    except Uneven:
        return group


def _bunch(group: list[RawSequence], options: Options) -> RawSequence:
    first = group[0]
    if any(item.steps_at is not None or item.places is not None or _kind(item) != _kind(first) for item in group):
        raise Uneven
    found = {name: _column([item.columns[name] for item in group]) for name in first.columns}
    steps = [lengths for _, lengths in found.values() if lengths is not None]
    if not steps or not steps[0].all() or steps[0].mean() > STEPS or any((own != steps[0]).any() for own in steps):
        raise Uneven
    whole = frozenset(name for name, (_, lengths) in found.items() if lengths is None)
    if options.input in whole:
        raise Uneven  # a text is as many steps as it has characters or words
    bunch = Bunch(_ids([item.id for item in group]), _places([item.where for item in group]), steps[0], whole)
    columns = {name: values for name, (values, _) in found.items()}
    return RawSequence(first.where, first.id, columns, first.names, first.textual, labels=first.labels, bunch=bunch)


def _kind(item: RawSequence) -> tuple[object, ...]:
    """Return what all sequences of a bunch have in common."""
    return item.columns.keys(), item.names, item.textual, item.labels, item.rows, item.table


def _column(values: list[Any]) -> Column:
    """Return the values of a column end to end."""
    kinds = {(value.dtype, value.shape[1:]) if isinstance(value, np.ndarray) else None for value in values}
    if len(kinds) == 1 and None not in kinds:
        return np.concatenate(values), np.fromiter(map(len, values), np.int64, len(values))
    return column_of([value.tolist() if isinstance(value, np.ndarray) else value for value in values])


def _ids(ids: list[Any]) -> Sequence[Any]:
    """Return ids; numbers that count up without memory for each."""
    if set(map(type, ids)) != {int}:
        return ids
    counted = range(ids[0], ids[0] + len(ids))
    return counted if ids == list(counted) else ids


def _places(places: list[str]) -> Sequence[str]:
    """Return places; those that differ only in the number at their end without a text for each."""
    start = places[0].rstrip(digits)
    if any(place.rstrip(digits) != start or place == start for place in places):
        return places
    counted = Numbered(start, compact([int(place.removeprefix(start)) for place in places]))
    return counted if list(counted) == places else places
