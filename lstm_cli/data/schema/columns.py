"""What the inference of inputs and that of the target share: columns of the data and their settings."""

from collections.abc import Iterator, Sequence
from itertools import chain, islice
from typing import Any, NamedTuple

import numpy as np

from lstm_cli.config.config import Config
from lstm_cli.data.formats.missing import MissingValues
from lstm_cli.data.formats.naming import columns_listed
from lstm_cli.data.formats.raw import RawSequence
from lstm_cli.data.schema import other_notations
from lstm_cli.data.schema.layout import LabelType, Separator
from lstm_cli.data.schema.preprocessing import Chain, Transform
from lstm_cli.data.schema.summary import Summary, text_type
from lstm_cli.data.schema.values import flat
from lstm_cli.errors import did_you_mean, nearest, on_one_line


def require(config: Config, key: str, name: str, sequences: Sequence[RawSequence]) -> None:
    """Refuse a column that no sequence has."""
    if not sequences or any(name in sequence.columns for sequence in sequences):
        return
    names: list[str] = sorted(set().union(*(sequence.names for sequence in sequences)))
    hint = did_you_mean(nearest(name, names))
    if names == ["text"]:
        hint = ": if the file is a table, set data.format: csv"
    elif len(names) == 1 and any(mark in names[0] for mark in ",;|\t"):
        hint = " in one cell: if these are several, correct data.table.delimiter"
    raise config.error(key, f"the data has no column {on_one_line(name)}, only {columns_listed(names)}{hint}")


def chain_of(config: Config, name: str) -> Chain:
    """Return the transforms that the config names for a column of numbers."""
    return Chain(tuple(Transform(step.name, step.lag) for step in config.data.transform.get(name, ())))


def is_textual(sequences: Sequence[RawSequence]) -> bool:
    """Return whether the sequences come from a format whose values are text."""
    return bool(sequences) and sequences[0].textual


def label_type(summary: Summary, *, textual: bool) -> LabelType:
    """Return the type of labels in the file, so that predictions show them with the same type."""
    found = {name for name, count in summary.cells.items() if count and name != "null"}
    if textual:
        return "str"
    return "int" if found == {"int"} else "bool" if found == {"bool"} else "str"


def set_separator(name: str, sequences: Sequence[RawSequence]) -> Separator:
    """Return what separates the labels of sets in cells of text: ``|``, or a blank if no label contains one."""
    bars = blanks = False
    for sequence in sequences:
        for cell in flat(sequence.columns.get(name)):
            if isinstance(cell, str):
                bars = bars or "|" in cell or not sequence.textual
                blanks = blanks or any(" " in part.strip() for part in cell.split("|"))
                if bars and blanks:
                    return "|"
    return " "


#: How many cells of a column of text are looked at.
SAMPLE = 1000
_MARKED = 0.1  # a single text among at least this share of numbers looks like a mark of missing ones
_DIFFERENT = 10  # and among more than this many different numbers


class Cell(NamedTuple):
    """A cell, or single value, of a column and its place."""

    value: Any
    where: str


def refuse_notations(config: Config, key: str, name: str, sequences: Sequence[RawSequence], instead: str) -> None:
    """Refuse a column of text most of which represents numbers, dates or lists: it would be taken for something else.

    Parameters
    ----------
    config
        The config, whose key the message names.
    key
        The key of the column.
    name
        The column of the file.
    sequences
        All sequences.
    instead
        The kind that the column is taken for if the config says so: ``tokens`` or ``category``.
    """
    cells = list(islice(_cells(name, sequences, MissingValues(config.data.missing.values)), SAMPLE))
    textual = is_textual(sequences)
    texts = [cell for cell in cells if isinstance(cell.value, str) and not (textual and _is_plain(cell.value))]
    if not texts:
        return
    other = f"or set kind: {instead}"
    marks = {cell.value.strip() for cell in texts}
    numbers = {cell.value for cell in cells} - {cell.value for cell in texts}
    plain = len(cells) - len(texts)
    if len(marks) == 1 and plain >= _MARKED * len(cells) and len(numbers) > _DIFFERENT:
        what = f"{texts[0].value!r:.40} ({texts[0].where}) stands among numbers"
        raise config.error(key, f"{what}: add it to data.missing.values, {other} if they are none")
    found = {cell: form for cell in texts if (form := _form(cell.value, textual=textual)) is not None}
    if 2 * (len(found) + plain) <= len(cells) or not found:
        return
    form = other_notations.most_frequent(found.values())
    cell = next(cell for cell in texts if found.get(cell) is form)
    fix = form.fix if textual else "write numbers without quotes, as in 1234.5"
    raise config.error(key, f"{cell.value!r:.40} ({cell.where}) is {form.name}: {fix}, {other} if it is none")


def _form(cell: str, *, textual: bool) -> other_notations.OtherNotation | None:
    return (
        other_notations.QUOTED if not textual and other_notations.is_quoted(cell) else other_notations.notation_of(cell)
    )


def _is_plain(cell: str) -> bool:
    return text_type(cell) != "str"


def _cells(name: str, sequences: Sequence[RawSequence], missing: MissingValues) -> Iterator[Cell]:
    """Yield the cells of a column that are not missing, with their places."""
    for sequence in chain.from_iterable(given.each() for given in sequences):
        value: Any = sequence.columns.get(name)
        single = isinstance(value, str | dict) or not hasattr(value, "__len__")
        for step, cell in enumerate([value] if single else value[: 10 * SAMPLE]):
            if isinstance(cell, list | dict | np.ndarray) or missing.is_missing(cell):
                continue
            places = sequence.steps_at
            yield Cell(cell, sequence.where if single or places is None else places[step])
