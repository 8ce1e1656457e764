"""What is learnt from the training data before training: vocabularies, labels, scaling."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

from lstm_cli.data.schema.columns import Column, TargetColumn
from lstm_cli.data.schema.layout import Layout
from lstm_cli.data.schema.record import Record
from lstm_cli.data.schema.scaling import Numbers, Scaling
from lstm_cli.data.schema.schema import Schema
from lstm_cli.data.schema.vocabulary import Labels, Vocabulary
from lstm_cli.errors import DataError


def fit(layout: Layout, records: Sequence[Record], *, scale: str, precision: str) -> Schema:
    """Return the schema fitted to training records; `scale` is ``none``, ``standard`` or ``minmax``."""
    tokens, sets, scaling = {}, {}, {}
    for column in layout.inputs:
        values: list[Any] = [record.inputs[column.name][: record.observed] for record in records]
        match column.kind:
            case "tokens":
                tokens[column.name] = Vocabulary.fit(values, column.spelling, min_count=column.min_count)
            case "set":
                sets[column.name] = Labels.fit(chain.from_iterable(values), column.label_type)
            case "number":
                scaling[column.name] = _scaling(scale, column, column.name, values)
    fitted: Any = {"tokens": tokens, "sets": sets, "scaling": scaling, "precision": precision}
    answer = layout.answer
    if answer.is_next:
        return Schema.assemble(layout, **fitted)
    values = [record.answer for record in records]
    match answer.kind:
        case "category":
            return Schema.assemble(layout, **fitted, labels=Labels.fit(values, answer.label_type))
        case "set":
            labels = Labels.fit(chain.from_iterable(values), answer.label_type)
            return Schema.assemble(layout, **fitted, labels=labels)
        case "number":
            if layout.loop is not None:  # the goal is a part of the state
                own = scaling[layout.inputs[0].name].part(layout.loop.elements)
                return Schema.assemble(layout, **fitted, own_scaling=own)
            own = scaling.get(answer.column) or _scaling(scale, answer, answer.column, values)
            return Schema.assemble(layout, **fitted, own_scaling=own)


def _scaling(scale: str, column: Column | TargetColumn, name: str | None, values: Sequence[Any]) -> Scaling:
    scaling = Scaling.fit(scale, _transformed(column, values), column.width)
    if not scaling.finite:
        raise DataError(f"column {name}: its numbers are too large for data.scale: {scale}: divide them, or set minmax")
    return scaling


def _transformed(column: Column | TargetColumn, values: Iterable[Numbers]) -> Iterator[Numbers]:
    return (column.chain.apply(piece) for piece in values)
