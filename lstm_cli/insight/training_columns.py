"""The training data as it was understood: each column's kind and values, and the first sequence, in original units.

Legend: T steps, D numbers per step.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from lstm_cli.data.schema.blocks import blocks
from lstm_cli.data.schema.layout import Column, TargetColumn
from lstm_cli.data.schema.record import Numbers, Record
from lstm_cli.data.schema.schema import Schema
from lstm_cli.data.schema.times import written

#: Different values are counted among at most as many of the first ones.
LOOKED_AT = 1_000_000
_UNITS = {"char": "characters", "word": "words"}
_SHOWN, _WIDE = 80, 4  # values of the first sequence, and numbers of a vector


@dataclass(frozen=True)
class ColumnSummary:
    """One column of the training data.

    Attributes
    ----------
    name, kind
        Its name, and what it holds, in words.
    role
        Whether it is an input or the target.
    low, mean, high
        Of numbers, in original units, over all numbers of a vector; None for others, and where all are missing.
    missing
        How many of its numbers or labels are missing.
    distinct
        How many different values it has; of more than a million values, among the first million.
    counted_all
        Whether `distinct` is that of all values.
    """

    name: str
    kind: str
    role: Literal["input", "target"]
    low: float | None = None
    mean: float | None = None
    high: float | None = None
    missing: int = 0
    distinct: int | None = None
    counted_all: bool = True


@dataclass(frozen=True)
class FirstSequence:
    """The first training sequence.

    Attributes
    ----------
    id, where
        Its name and its place in the file.
    steps
        How many it has.
    times
        The first and the last time, as text; empty without a time column.
    values
        The first values of each column, as text, by name; of a target per sequence the only one.
    read
        How many of its steps are inputs; None where that is not known. A last one that is only predicted is none, and
        neither are those that differences or a maximum length remove.
    """

    id: str
    where: str
    steps: int
    times: tuple[str, ...]
    values: dict[str, tuple[str, ...]]
    read: int | None = None


def summaries(schema: Schema, records: Sequence[Record]) -> tuple[ColumnSummary, ...]:
    """Return a summary of every input that is a column of the file, or derived from one, and of the target."""
    found = [_of_input(schema, column, records) for column in schema.layout.inputs if column.calendar is None]
    if schema.layout.target.is_next:
        return tuple(found)
    views = [(part, [one.view(k) for one in records]) for k, part in enumerate(schema.parts)] or [(schema, [*records])]
    return (*found, *(_of_target(view, view.layout.target, own) for view, own in views))


def _of_input(schema: Schema, column: Column, records: Sequence[Record]) -> ColumnSummary:
    flags = "".join(f", {flag}" for flag in ("static", "known") if getattr(column, flag))
    if column.kind == "number":
        kind = ("number" if column.width == 1 else f"{column.width:,} numbers") + flags
        pieces = (record.numbers(column.name)[: 1 if column.static else record.observed] for record in records)
        return _of_numbers(column.name, kind, "input", pieces)
    if column.kind == "tokens":
        tokens = chain.from_iterable(record.tokens(column.name) for record in records)
        total = sum(record.steps for record in records)
        distinct = len(set(column.spelling.apply(list(islice(tokens, LOOKED_AT)))))
        kind = _UNITS[_unit(schema, column)] if _is_text(schema, column) else "tokens"
        return ColumnSummary(column.name, kind + flags, "input", distinct=distinct, counted_all=total <= LOOKED_AT)
    return ColumnSummary(column.name, f"sets{flags}", "input", distinct=len(schema.sets[column.name]))


def _of_target(schema: Schema, target: TargetColumn, records: Sequence[Record]) -> ColumnSummary:
    if target.kind == "number":
        kind = "number, target" if target.width == 1 else f"{target.width:,} numbers, target"
        return _of_numbers(target.name, kind, "target", (cast(Numbers, record.target) for record in records))
    missing = sum(int((~record.known).sum()) for record in records if record.known is not None)
    kind = "label, target" if target.kind == "category" else "sets, target"
    distinct = None if schema.labels is None else len(schema.labels)
    return ColumnSummary(target.name, kind, "target", missing=missing, distinct=distinct)


def _of_numbers(name: str, kind: str, role: Literal["input", "target"], pieces: Iterable[Numbers]) -> ColumnSummary:
    low, high, total, count, size, kept = np.inf, -np.inf, 0.0, 0, 0, list[NDArray[np.float64]]()
    left = LOOKED_AT
    for block in blocks(pieces):
        values = block[~np.isnan(block)]
        size += block.size
        if not len(values):
            continue
        low, high = min(low, float(values.min())), max(high, float(values.max()))
        total, count = total + float(values.sum()), count + len(values)
        if left > 0:
            kept.append(values[:left])
            left -= len(kept[-1])
    if not count:
        return ColumnSummary(name, kind, role, missing=size, distinct=0)
    distinct = len(np.unique(np.concatenate(kept)))
    return ColumnSummary(name, kind, role, low, total / count, high, size - count, distinct, count <= LOOKED_AT)


def first_sequence(schema: Schema, records: Sequence[Record]) -> FirstSequence:
    """Return the first of the training sequences."""
    record = next(records[0].each())
    values = {
        column.name: _shown(schema, column, record.inputs[column.name][: 1 if column.static else _SHOWN])
        for column in schema.layout.inputs
        if column.calendar is None
    }
    views = [(part, record.view(k)) for k, part in enumerate(schema.parts)] or [(schema, record)]
    values |= {name: shown for view, own in views for name, shown in _shown_target(view.layout.target, own).items()}
    times = () if record.times is None else tuple(map(str, written(record.times[[0, -1]])))
    return FirstSequence(str(record.id), record.where, record.steps, times, values)


def _shown_target(target: TargetColumn, record: Record) -> dict[str, tuple[str, ...]]:
    """Return the first values of a target column as text, by its name; none where it is the next step."""
    if target.is_next or record.target is None:
        return {}
    known = np.ones(len(record.target), np.bool_) if record.known is None else record.known
    texts = zip(_texts(target.kind, record.target[:_SHOWN]), known.tolist(), strict=False)
    return {f"{target.name} (target)": tuple(text if is_known else "-" for text, is_known in texts)}


def _is_text(schema: Schema, column: Column) -> bool:
    """Return whether tokens were cut out of a string."""
    return column.kind == "tokens" and (bool(column.text) or schema.layout.format == "text")


def _unit(schema: Schema, column: Column) -> str:
    return column.unit or schema.layout.unit


def _shown(schema: Schema, column: Column, values: Any) -> tuple[str, ...]:
    """Return the first values of an input as text; tokens that were cut out of a string as one value."""
    if column.kind == "tokens":
        values = column.spelling.apply(values)
    if _is_text(schema, column):
        return (("" if _unit(schema, column) == "char" else " ").join(values),)
    return tuple(_texts(column.kind, values))


def _texts(kind: str, values: Any) -> Iterator[str]:
    """Yield values as text: numbers with four digits, vectors in brackets, sets in braces."""
    for value in values:
        if kind == "set":
            yield "{" + " ".join(map(str, value)) + "}"
        elif kind != "number":
            yield str(value)
        else:
            numbers = ["-" if np.isnan(number) else f"{number:.4g}" for number in np.atleast_1d(value)[:_WIDE]]
            more = ["…"] * (np.size(value) > _WIDE)
            yield numbers[0] if np.size(value) == 1 else f"[{', '.join(numbers + more)}]"
