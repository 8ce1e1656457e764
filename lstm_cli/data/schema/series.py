"""Scaling by series: each sequence by its own mean and deviation."""

import numpy as np

from lstm_cli.data.schema.layout import Layout
from lstm_cli.data.schema.preprocessing import Scaling
from lstm_cli.data.schema.record import Record
from lstm_cli.data.schema.schema import Schema


def scaling_of(schema: Schema, record: Record) -> dict[str, Scaling]:
    """Return the scaling of every number input of a sequence: its own with ``data.scale: series``, else that of train.

    Steps that belong to another split than their context do not contribute, nor do missing values (NaN); a column
    without any value has the scaling of train.
    """
    if schema.layout.scale != "series":
        return schema.scaling
    own = {}
    for column in schema.layout.inputs:
        if column.varies:
            values = column.chain.apply(record.numbers(column.name)[: record.first or record.steps])
            if (~np.isnan(values)).any(axis=0).all():
                own[column.name] = Scaling.fit("standard", [values], column.width)
    return {**schema.scaling, **own}


def target_scaling(layout: Layout, scaling: dict[str, Scaling]) -> Scaling | None:
    """Return the scaling of a target of numbers (D,), given that of the inputs; None if it is none of them."""
    target = layout.target
    if layout.scale != "series" or target.kind != "number":
        return None
    if target.is_next:
        return Scaling.join(scaling[column.name] for column in layout.next_columns)
    return scaling.get(target.name)
