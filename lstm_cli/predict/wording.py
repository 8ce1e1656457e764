"""The network's outputs as rows of the output table, in label names and original units.

Legend: T steps, K outputs, N steps that were fed back.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from lstm_cli.data import Encoded, Schema
from lstm_cli.data.schema.labelings import best_labels, label_shares
from lstm_cli.data.schema.times import written
from lstm_cli.errors import ConfigError
from lstm_cli.predict.outputs import Outputs, Reduction, unreduced

Row = dict[str, Any]

#: Keys of a row that a column of the input cannot have; further ones are those of `spread_key`.
RESERVED = ("id", "step", "prediction", "probabilities", "output")


class PerStep(list[Any]):
    """Values of a column of the input, one for each of its steps."""


class Later(list[Any]):
    """Values of a column, one for each step of a forecast."""


def reduction(schema: Schema, *, probabilities: bool) -> Reduction:
    """Return the reduction of the outputs (T, K) that `described` needs."""
    if probabilities or schema.target.kind in ("number", "several"):
        return unreduced
    if schema.target.kind == "set":
        return lambda values: values > 0
    return lambda values: best_labels(values, schema.target.size)


def described(schema: Schema, outputs: Outputs, *, probabilities: bool = False, numbered: bool = False) -> Row:
    """Return the row for a sequence: `id`, `prediction` and, if asked, `probabilities`.

    Predictions per step are lists with an entry for each step of the input, None where the network has no output: at
    the first steps, which differences remove, at the last ones if known inputs of later steps are not given, and at
    rows that were skipped. Where the data has times, the row has those of the steps too.

    Parameters
    ----------
    schema : Schema
    outputs : Outputs
        Reduced by `reduction`.
    probabilities : bool
    numbered : bool
        Give predictions per step without those entries, and the steps of the others in `step`, counted from 0.
    """
    if schema.parts:
        return _of_columns(schema, outputs, probabilities=probabilities, numbered=numbered)
    values = outputs.values
    chosen = reduction(schema, probabilities=False)(values) if probabilities else values
    if schema.target.kind == "number":
        curves = schema.restorer(outputs.sequence).restore_curves(values)
        by_step = curves if schema.target.horizon == 1 else np.stack([*map(schema.target.by_step, curves)])
        columns: dict[str, Any] = _numbers(schema, by_step)
    else:
        columns = {"prediction": labels(schema, chosen)}
    if probabilities:
        columns["probabilities"] = _probabilities(schema, values)
    if schema.target.per == "sequence":
        columns = {name: entries[0] for name, entries in columns.items()}
    else:
        columns = _by_input_step(outputs.sequence, columns, numbered=numbered)
        columns = _times(schema, outputs.sequence) | columns
    return {"id": outputs.sequence.id, **columns}


def _of_columns(schema: Schema, outputs: Outputs, *, probabilities: bool, numbered: bool) -> Row:
    """Return the row of several target columns: in each of its entries that of every column, by the column's name.

    An entry is what a model of this column alone would give; what is the same for all columns is there once.
    """
    row: Row = {}
    shared = {"id", "step", free(schema.layout.time or "id", reserved(schema))}
    for (name, own), part in zip(schema.target.parts_of_outputs.items(), schema.parts, strict=True):
        values = reduction(part, probabilities=probabilities)(outputs.values[:, own])
        labelled = probabilities and part.target.kind != "number"
        found = described(part, replace(outputs, values=values), probabilities=labelled, numbered=numbered)
        for key, value in found.items():
            if key in shared:
                row[key] = value
            else:
                row.setdefault(key, {})[name] = value
    return row


def _by_input_step(sequence: Encoded, columns: Row, *, numbered: bool) -> Row:
    """Return columns with an entry for each output in the order of the input's steps, with their numbers or None."""
    first, places = sequence.offset, sequence.places
    if not numbered:
        before, after = [None] * first, [None] * sequence.unpredicted
        return {name: sequence.by_input_step(before + entries + after) for name, entries in columns.items()}
    if places is None:
        return {"step": range(first, first + sequence.steps), **columns}
    numbers = places.numbers[first : first + sequence.steps]
    order = np.argsort(numbers).tolist()
    sorted_columns = {name: [entries[place] for place in order] for name, entries in columns.items()}
    return {"step": numbers[order].tolist(), **sorted_columns}


def _numbers(schema: Schema, curves: np.ndarray) -> Row:
    """Return the columns of curves (C, N, …): the predictions, and beside each its quantiles or its deviation."""
    head = schema.target.head
    columns: Row = {"prediction": plain(curves[head.middle])}
    key = spread_key(schema)
    if key is not None and head.gaussian:
        columns[key] = plain(curves[1] - curves[0])
    elif key is not None:
        values = zip(*(plain(curves[k]) for k in head.names.values()), strict=True)
        columns[key] = [dict(zip(head.names, own, strict=True)) for own in values]
    return columns


def spread_key(schema: Schema) -> str | None:
    """Return the key of what a row has around each prediction: its quantiles, or its deviation; None: nothing."""
    heads = [own.target.head for own in schema.columns.values()]
    return "deviation" if any(head.gaussian for head in heads) else "quantiles" if any(h.names for h in heads) else None


def reserved(schema: Schema) -> tuple[str, ...]:
    """Return the keys of a row that a column of the input cannot have."""
    key = spread_key(schema)
    return RESERVED if key is None else (*RESERVED, key)


def free(name: str, taken: Sequence[str]) -> str:
    """Return the key of a column of the input in a row, whose own keys are taken."""
    return f"input_{name}" if name in taken else name


def _times(schema: Schema, sequence: Encoded) -> Row:
    """Return the times of the steps of the input, those with an output, under the name of their column."""
    if schema.layout.time is None or sequence.times is None:
        return {}
    times = [None] * sequence.offset + written(sequence.times) + [None] * sequence.unpredicted
    return {free(schema.layout.time, reserved(schema)): PerStep(sequence.by_input_step(times))}


def continuation(schema: Schema, sequence: Encoded, chosen: np.ndarray) -> Row:
    """Return the row for a forecast, from the values fed back: indices (N,), indicators or numbers (N, K)."""
    of_numbers = schema.target.kind == "number"
    predicted = plain(fed_back(schema, sequence, chosen)) if of_numbers else labels(schema, chosen)
    return _forecast(schema, sequence, {"prediction": predicted})


def first_steps(schema: Schema, sequence: Encoded, output: np.ndarray, steps: int) -> Row:
    """Return the row for a forecast: the first steps of the last output (1, H * D)."""
    return _forecast(schema, sequence, _numbers(schema, at_once(schema, sequence, output, steps)))


def fed_back(schema: Schema, sequence: Encoded, chosen: np.ndarray) -> np.ndarray:
    """Return numbers (N, D) that were fed back after the last step of a sequence in original units."""
    restorer = schema.restorer(sequence)
    return np.stack([restorer.append(output) for output in chosen])


def at_once(schema: Schema, sequence: Encoded, output: np.ndarray, steps: int) -> np.ndarray:
    """Return the first steps of the curves (C, N, D) of the last output (1, K) of a sequence in original units."""
    curves = schema.restorer(sequence).restore_curves(output, sequence.steps - 1)
    return np.stack([schema.target.by_step(curve)[0, :steps] for curve in curves])


def _forecast(schema: Schema, sequence: Encoded, columns: Row) -> Row:
    """Return the row for predictions of later steps, with the numbers and times of these steps."""
    skipped = schema.target.ahead - 1
    first = sequence.input_steps - sequence.unpredicted + skipped
    row: Row = {"id": sequence.id, "step": list(range(first, first + len(columns["prediction"])))}
    times, name = sequence.future_times, schema.layout.time
    if times is not None and name is not None:
        row[free(name, reserved(schema))] = Later(written(times[skipped : skipped + len(row["step"])]))
    return row | columns


def check_probabilities(schema: Schema) -> None:
    """Raise a `ConfigError` if the model has no probabilities."""
    if all(target.kind == "number" for target in schema.target.targets or (schema.target,)):
        raise ConfigError("--probabilities: the model predicts numbers, which have none: leave it out")


def labels(schema: Schema, chosen: np.ndarray) -> list[Any]:
    """Return indices (T,) as labels, or indicators (T, K) as lists of labels."""
    names = schema.target.labels or ()
    if schema.target.kind == "category":
        return [names[k] for k in chosen]
    return [[names[k] for k in np.flatnonzero(indicators)] for indicators in chosen]


def plain(values: np.ndarray) -> list[Any]:
    """Return numbers (…, D) as nested lists, without the innermost ones where D is 1; None where not finite."""
    values = values[..., 0] if values.shape[-1] == 1 else values
    finite = np.isfinite(values)
    listed: list[Any] = (values if finite.all() else np.where(finite, values, np.array(None))).tolist()
    return listed


def _probabilities(schema: Schema, values: np.ndarray) -> list[dict[str, float]]:
    """Return the probability of each label, one mapping for each row of outputs (T, K)."""
    if schema.target.kind == "set":
        shares = np.exp(-np.logaddexp(0, -values.astype(np.float64)))
    else:
        shares = label_shares(values, schema.target.size)
    names = [str(label) for label in schema.target.labels or ()]
    return [dict(zip(names, share, strict=True)) for share in shares.tolist()]
