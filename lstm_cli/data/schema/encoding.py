"""From typed records to arrays, with their targets; tokens and labels that training never saw are counted.

Legend: T steps without those that transforms remove, I numbers per step, D or K targets per step.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import cast

import numpy as np
from numpy.typing import NDArray

from lstm_cli.data.formats.raw import RawSequence, ValueProblem, problem_at
from lstm_cli.data.schema.counts import UnknownCounts
from lstm_cli.data.schema.encoded import Encoded
from lstm_cli.data.schema.filling import filled, filled_record
from lstm_cli.data.schema.known import ahead_of, continued_by_calendar, extended, predicted_steps
from lstm_cli.data.schema.own_scales import scaling_of, target_scaling
from lstm_cli.data.schema.parsing import parse
from lstm_cli.data.schema.preprocessing import Scaling
from lstm_cli.data.schema.record import Numbers, Record
from lstm_cli.data.schema.schema import Schema
from lstm_cli.data.schema.several import Column, side_by_side
from lstm_cli.data.schema.shifted import all_later, later, within
from lstm_cli.data.schema.truth import target_labels

_HELD = 1 << 16


def encode(
    schema: Schema,
    sequence: RawSequence,
    *,
    labelled: bool = False,
    unknown_counts: UnknownCounts | None = None,
    extend: Callable[[Record], Record] | None = None,
) -> Encoded:
    """Return a sequence as arrays, with its target if `labelled`, or raise the `DataError` that says what is wrong.

    If the target is the next step, the last step has none. With `labelled` it is left out; otherwise it stays, as its
    output is the forecast. `extend` adds the known inputs of later steps to a record without target; by default those
    of the time.
    """
    record = parse(schema.layout, sequence, labelled=labelled)
    if extend is not None:
        record = extend(record)
    elif schema.layout.known and not labelled:
        record = continued_by_calendar(schema.layout, record, schema.layout.target.reach)
    encoded = encode_record(schema, record, labelled=labelled, unknown_counts=unknown_counts)
    return encoded if record.places is None else replace(encoded, places=record.places)


def encode_record(
    schema: Schema, record: Record, *, labelled: bool = True, unknown_counts: UnknownCounts | None = None
) -> Encoded:
    """Return a typed record as arrays; see `encode`."""
    if unknown_counts is not None:
        unknown_counts.add(schema, record, labelled=labelled)
    scaling = scaling_of(schema, record)
    own = target_scaling(schema.layout, scaling)
    given, (record, gaps) = record, filled_record(schema.layout, schema.means, record)
    target, lag, reach = schema.target, schema.layout.lag, schema.layout.target.reach
    steps = record.steps - lag
    # The last steps have no next step as their target: nothing can be learned from them.
    bunched = record.bunch is not None
    kept = steps - reach if labelled and target.is_next and steps > reach and not bunched else steps
    kept = predicted_steps(schema.layout, record, kept, labelled=labelled)
    numbers = _numbers(schema, record, scaling, gaps)
    if unknown_counts is not None and numbers is not None:
        unknown_counts.add_numbers(schema, numbers[: record.observed])
    tokens = {name: vocabulary.encode(record.tokens(name))[lag:] for name, vocabulary in schema.tokens.items()}
    targets, weight, unseen = None, None, None
    if labelled:
        targets, unseen = _targets(schema, record, numbers, tokens, own), _unseen(schema, record)
        weight = _weights(schema, record, kept)
        if target.per == "step":
            targets, unseen = later(targets, target.ahead, kept, target.horizon), later(unseen, target.ahead, kept)
    encoded = Encoded(
        id=record.id,
        where=record.where,
        steps=kept,
        numbers=None if numbers is None else numbers[:kept],
        tokens={name: indices[:kept] for name, indices in tokens.items()},
        target=targets,
        weight=weight,
        unseen=unseen,
        history=_history(schema, record) if target.needs_past else None,
        offset=lag,
        observed=record.observed,
        times=None if record.times is None else record.times[lag : lag + kept],
        context=max(0, record.first),
        scaling=own,
        unpredicted=0 if labelled else steps - kept,
        future=None if numbers is None or not record.future else numbers[steps:],
        future_times=record.future_times,
        bunch=record.bunch,
        before=_before(schema, given, record) if labelled and not bunched else None,
    )
    return encoded.predicting(reach) if bunched and reach else encoded


def _numbers(
    schema: Schema, record: Record, scaling: dict[str, Scaling], gaps: dict[str, NDArray[np.bool_]]
) -> NDArray[np.floating] | None:
    """Return the numeric matrix (T, I): scaled numbers, indicators of sets and of filled gaps, known later inputs.

    With known inputs of later steps it continues with these steps.
    """
    lag, more = schema.layout.lag, record.future_steps
    steps, plain = record.steps - lag + more, sum(len(scaling[name].center) for name in schema.scaling)
    parts: list[NDArray[np.floating]] = []
    if plain:
        parts.append(np.empty((steps, plain), schema.precision))
    start = 0
    for column in schema.layout.inputs:
        if column.kind == "number":
            stop = start + len(scaling[column.name].center)
            values = extended(column, record, steps)
            _scale(scaling[column.name], values, record, column.name, out=parts[0][:, start:stop])
            start = stop
    parts.extend(_longer(labels.indicators(record.sets(name)[lag:]), more) for name, labels in schema.sets.items())
    for column in schema.layout.filled:
        if column.indicator:
            found = gaps[column.name][lag:].astype(schema.precision)
            parts.append(np.repeat(found[:1], len(found) + more, axis=0) if column.static else _longer(found, more))
    ahead = ahead_of(schema.layout, record, scaling, schema.precision)
    parts += [] if ahead is None else [ahead]
    return np.concatenate(parts, axis=1) if len(parts) > 1 else next(iter(parts), None)


def _longer(values: NDArray[np.floating], steps: int) -> NDArray[np.floating]:
    """Return values (T, …) with zeros for further steps."""
    if not steps:
        return values
    return np.concatenate([values, np.zeros((steps, *values.shape[1:]), values.dtype)])


def _side_by_side(schema: Schema, record: Record) -> NDArray[np.floating]:
    """Return the values of several target columns (T, W), or of the sequence (1, W)."""
    columns = []
    for part, view in enumerate(schema.parts):
        own = record.view(part)
        known = own.known if own.known is None or view.target.per == "sequence" else own.known[view.layout.lag :]
        unseen = _unseen(view, own)
        target = cast(np.ndarray, _targets(view, own, None, {}, None))
        if view.target.kind == "set" and unseen is None:
            unseen = np.zeros(len(target), np.int32)
        columns.append(Column(target, known, unseen))
    return side_by_side(columns, schema.precision)


def _targets(
    schema: Schema,
    record: Record,
    numbers: NDArray[np.floating] | None,
    tokens: dict[str, NDArray[np.int32]],
    own: Scaling | None,
) -> np.ndarray | None:
    """Return the values of the target column, or of the inputs themselves, per step (T, …) or for the sequence.

    Numbers are scaled by the sequence's own scaling if there is one.
    """
    target = schema.layout.target
    if schema.parts:
        return _side_by_side(schema, record)
    if target.is_next:
        return _next_indices(schema, tokens) if target.kind == "category" else _next_numbers(schema, numbers)
    lag = schema.layout.lag if target.per == "step" else 0
    match target.kind:
        case "category":
            return target_labels(schema).encode(cast(list[str], record.target))[lag:]
        case "set":
            return target_labels(schema).indicators(cast(list[list[str]], record.target))[lag:]
        case _:
            given, scaling = _target_numbers(schema, record), own or cast(Scaling, schema.target.scaling)
            given = _end(target.chain.apply(given), len(given) - lag)
            values = np.empty(given.shape, schema.precision)
            _scale(scaling, given, record, target.name, out=values)
            return values if record.known is None else np.nan_to_num(values)  # NaN does not count


def _target_numbers(schema: Schema, record: Record) -> Numbers:
    """Return the numbers of the target column; if it is an input too, filled, as differences are from filled values."""
    target = schema.layout.target
    shared = target.per == "step" and target.name in schema.scaling
    return record.numbers(target.name) if shared else cast(Numbers, record.target)


def _next_indices(schema: Schema, tokens: dict[str, NDArray[np.int32]]) -> NDArray[np.int32]:
    """Return the indices of the predicted tokens; unknown ones are -1 if training had no unknown token."""
    name = schema.layout.next_columns[0].name
    indices = tokens[name]
    return indices if schema.tokens[name].knows_unknown else np.where(indices == 0, np.int32(-1), indices)


def _next_numbers(schema: Schema, numbers: NDArray[np.floating] | None) -> NDArray[np.floating] | None:
    """Return the numbers (T, D) that are predicted, without those that are inputs only."""
    if numbers is None or schema.target.kind == "set" or len(schema.predicted_numbers) == numbers.shape[1]:
        return numbers
    return numbers[:, schema.predicted_numbers]


def _unseen(schema: Schema, record: Record) -> NDArray[np.int32] | None:
    """Return how many labels of every true set training never saw; None if it saw all."""
    if schema.target.kind != "set":
        return None
    of_next = schema.layout.target.is_next
    sets = record.sets(schema.layout.next_columns[0].name) if of_next else cast(list[list[str]], record.target)
    counts = target_labels(schema).unseen(sets)
    if schema.target.per == "step":
        counts = counts[schema.layout.lag :]
    return counts if counts.any() else None


def _weights(schema: Schema, record: Record, kept: int) -> NDArray[np.floating] | None:
    """Return the weights of the kept steps, or of the sequence: 0 where a target does not count; None if all are 1."""
    target, lag, known = schema.target, schema.layout.lag, record.known
    weight = None if record.weight is None else record.weight.astype(schema.precision)
    if target.per == "step":
        stop = record.steps - lag - target.reach
        weight = within(weight, lag, kept, first=record.first - lag - target.ahead, stop=stop)
        known = None if known is None else all_later(known[lag:], target.ahead, kept, target.horizon)
    if known is None:
        return weight
    return known.astype(np.float32) if weight is None else np.where(known, weight, 0).astype(weight.dtype)


def _history(schema: Schema, record: Record) -> Numbers:
    """Return the original values of the inputs that are predicted (T + lag, D)."""
    target = schema.layout.target
    names = [column.name for column in schema.layout.next_columns] if target.is_next else [target.name]
    return np.concatenate([record.numbers(name) for name in names], axis=1)


def _before(schema: Schema, given: Record, complete: Record) -> Numbers | None:
    """Return the original values (B, D) of forecast columns at the steps before the first that the network sees.

    These are the steps before the record, filled as if it were one with them, and those that transforms remove.
    """
    columns, lag = schema.layout.forecast_columns, schema.layout.lag
    if not columns or not (lag or given.before):
        return None
    parts = []
    for column in columns:
        own, earlier = complete.numbers(column.name)[:lag], given.before.get(column.name)
        if earlier is not None:
            whole = np.concatenate([earlier, given.numbers(column.name)])
            whole = filled(whole, column.fill, schema.means[column.name]) if column in schema.layout.filled else whole
            own = np.concatenate([whole[: len(earlier)], own])
        parts.append(own)
    return np.concatenate(parts, axis=1)


def _end(values: Numbers, steps: int) -> Numbers:
    """Return the last steps, so that columns with shorter lags start at the same step as that with the longest."""
    return values[len(values) - steps :]


def _scale(scaling: Scaling, values: Numbers, record: Record, column: str, *, out: NDArray[np.floating]) -> None:
    """Write scaled values (T, D) into an array of another precision, refusing those out of its range.

    The float64 numbers of few steps are held at a time.
    """
    most = float(np.finfo(out.dtype).max)
    for start in range(0, len(values), _HELD):
        scaled = scaling.apply(values[start : start + _HELD])
        large = np.abs(scaled) > most
        if np.count_nonzero(large):
            step = start + int(np.flatnonzero(large.any(axis=1))[0])
            fix = "set data.scale, or a log in data.transform"
            raise problem_at(record.where, column, ValueProblem(f"{scaled[large][0]:g} is too large", fix, step=step))
        out[start : start + _HELD] = scaled
