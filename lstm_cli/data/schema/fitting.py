"""Fits vocabularies, labels and scaling to the training data."""

from collections.abc import Iterable, Sequence
from functools import partial
from itertools import chain
from typing import Literal, cast

import numpy as np

from lstm_cli.data.schema.again import each, like
from lstm_cli.data.schema.filling import train_mean
from lstm_cli.data.schema.layout import Column, Layout, TargetColumn
from lstm_cli.data.schema.preprocessing import Scaling
from lstm_cli.data.schema.record import Numbers, Record
from lstm_cli.data.schema.schema import Schema
from lstm_cli.data.schema.vocabulary import Labels, Vocabulary
from lstm_cli.errors import DataError

Scale = Literal["none", "standard", "minmax", "series", "window"]


def fit(layout: Layout, records: Sequence[Record], *, scale: Scale, precision: str) -> Schema:
    """Return the schema fitted to training records.

    Parameters
    ----------
    layout
        Their columns.
    records
        The typed training sequences.
    scale
        Method of scaling numbers.
    precision
        Of the arrays' numbers: ``float32`` or ``float64``.

    Raises
    ------
    DataError
        The numbers of a column are too large to be scaled, or all of them are missing.
    """
    tokens, sets, scaling, means = {}, {}, {}, {}
    for column in layout.inputs:
        name = column.name
        match column.kind:
            case "tokens":
                pieces = (record.tokens(name) for record in records)
                tokens[name] = Vocabulary.fit(pieces, column.spelling, min_count=column.min_count)
            case "set":
                elements = chain.from_iterable(record.sets(name) for record in records)
                sets[name] = Labels.fit(elements, column.label_type)
            case "number":
                if column.calendar is not None:
                    scaling[name] = Scaling.none(column.width)
                    continue
                numbers = each(records, partial(_own, column))
                if column.fill != "stop":
                    means[name] = train_mean(column, numbers)
                scaling[name] = _scaling(scale, column, records, numbers)
    views = [(view, each(records, partial(_view, k))) for k, view in enumerate(layout.views)]
    return Schema.assemble(
        layout,
        tokens=tokens,
        sets=sets,
        scaling=scaling,
        of_targets=[_of_target(view, own, scaling, scale) for view, own in views or [(layout, records)]],
        precision=precision,
        means=means,
    )


def _view(part: int, record: Record) -> Record:
    return record.view(part)


def _of_target(
    layout: Layout, records: Sequence[Record], inputs: dict[str, Scaling], scale: Scale
) -> tuple[Labels | None, Scaling | None]:
    """Return the labels and the scaling of a target column, as far as it has them."""
    return _labels(layout.target, records), _own_scaling(layout, records, inputs, scale)


def _own(column: Column, record: Record) -> Numbers:
    """Return the numbers (T, D) that an input is fitted to: observed ones, and of a static column the one of all."""
    return record.numbers(column.name)[: 1 if column.static else record.observed]


def _labels(target: TargetColumn, records: Sequence[Record]) -> Labels | None:
    """Return the labels of a target column of categories or sets."""
    if target.is_next or target.kind == "number":
        return None
    values = (record.known_labels for record in records)
    return Labels.fit(values if target.kind == "category" else chain.from_iterable(values), target.label_type)


def _own_scaling(layout: Layout, records: Sequence[Record], inputs: dict[str, Scaling], scale: Scale) -> Scaling | None:
    """Return the scaling of a target column of numbers: that of the input of the same name, if there is one."""
    target = layout.target
    if target.is_next or target.kind != "number":
        return None
    if layout.closed_loop is not None:  # the target is part of the state
        return inputs[layout.inputs[0].name].part(layout.closed_loop.elements)
    if target.name in inputs:
        return inputs[target.name]
    return _scaling(scale, target, records, each(records, _numbers))


def _numbers(record: Record) -> Numbers:
    return cast(Numbers, record.target)


def _scaling(
    scale: Scale, column: Column | TargetColumn, records: Sequence[Record], values: Sequence[Numbers]
) -> Scaling:
    # The scales of series and windows are relative to one of train, which also serves where they do not apply.
    method = "standard" if scale in ("series", "window") else scale

    def parts() -> Iterable[Numbers]:
        for record, piece in zip(records, values, strict=True):
            yield from _pieces(record, column.chain.apply(piece))

    pieces = like(records, parts)
    scaling = Scaling.fit(method, pieces, column.width)
    if not scaling.finite:
        fix = "divide them, or set minmax"
        raise DataError(f"column {column.name}: its numbers are too large for data.scale: {scale}: {fix}")
    return scaling


def _pieces(record: Record, values: Numbers) -> Sequence[Numbers]:
    """Return the values (T, D) of each sequence; those of a bunch with one step each as (n, 1, D)."""
    if record.bunch is None:
        return [values]
    if len(values) == record.count:
        return [values.reshape(record.count, 1, -1)]
    return np.split(values, record.bunch.starts[1:])
