"""Scaling of sequences, or of windows of them, by their own values.

By series, each sequence is scaled by its own mean and deviation. By window, each window is scaled relative to its last
value, by its own deviation: the sequences are scaled by the statistics of train already, so that no digits are lost.
The first windows of a sequence are shorter than the others: the steps that they lack count with the deviation of train,
as that of a few steps alone says little.

Legend: T time, B batch, I numbers per step, C those of them that are scaled, H steps predicted at once, D numbers of
each, N counted positions.
"""

import numpy as np
from numpy.typing import NDArray

from lstm_cli.data.schema.layout import Layout
from lstm_cli.data.schema.preprocessing import Scaling
from lstm_cli.data.schema.record import Record
from lstm_cli.data.schema.schema import Schema

#: A deviation below this share of the window's values, in deviations of train, is rounding error: it is constant.
_ROUNDING = 1e-6


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


def scale_windows(
    schema: Schema, numbers: NDArray[np.floating], lengths: NDArray[np.int64], columns: NDArray[np.int64]
) -> Scaling | None:
    """Scale the numbers (T, B, I) of windows in place; return the scaling of the target at each counted position.

    Parameters
    ----------
    schema
        Its ``window_numbers`` are scaled.
    numbers
        0 on padding, which stays 0.
    lengths
        Steps of each window (B,).
    columns
        The window of each counted position (N,).

    Returns
    -------
    scaling
        With arrays (N, 1, D); None if the target is none of the inputs.
    """
    scaled = schema.window_numbers
    values = numbers[:, :, scaled].astype(np.float64)
    real = (np.arange(len(numbers))[:, np.newaxis] < lengths)[:, :, np.newaxis]
    last = values[lengths - 1, np.arange(len(lengths))]
    changes = np.where(real, values - last, 0)
    mean = changes.sum(axis=0) / lengths[:, np.newaxis]
    squares = np.where(real, np.square(changes - mean), 0).sum(axis=0)
    lacking = np.maximum((schema.layout.window or 1) - lengths, 0)[:, np.newaxis]
    deviation = np.sqrt((squares + lacking) / (lengths[:, np.newaxis] + lacking))
    spread = np.where(deviation <= _ROUNDING * (1 + np.abs(last)), 1.0, deviation)
    numbers[:, :, scaled] = changes / spread
    places = {number: place for place, number in enumerate(scaled)}
    target = [places[number] for number in schema.predicted_numbers if number in places]
    if not target:
        return None
    return Scaling(last[columns][:, np.newaxis, target], spread[columns][:, np.newaxis, target])


def scaled_target(schema: Schema, target: np.ndarray | None, scaling: Scaling | None) -> np.ndarray | None:
    """Return the targets (N, H * D) scaled by their windows."""
    if target is None or scaling is None:
        return target
    scaled: np.ndarray = scaling.apply(schema.target.by_step(target)).reshape(target.shape).astype(target.dtype)
    return scaled
