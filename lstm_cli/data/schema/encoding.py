"""From typed records to arrays, with the target of every step beside it.

Legend: T steps after those that transforms use up, I numbers per step, D or K targets per step.
"""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lstm_cli.data.encoded import Encoded
from lstm_cli.data.formats.raw import ValueProblem, flaw_at
from lstm_cli.data.schema.record import Record, Values
from lstm_cli.data.schema.unknown_counts import UnknownCounts
from lstm_cli.data.schema.vocabulary import Vocabulary

if TYPE_CHECKING:
    from lstm_cli.data.schema.schema import Schema


def encode(schema: "Schema", record: Record, *, labelled: bool) -> Encoded:
    """Return a record as arrays, with its target if `labelled`."""
    target, lag = schema.target, schema.layout.lag
    steps = record.steps - lag
    # The last steps of what is to be continued have no target: nothing can be learnt from them.
    kept = steps - target.ahead if labelled and target.is_next and steps > target.ahead else steps
    numbers = _numbers(schema, record)
    tokens = {name: vocabulary.encode(record.inputs[name])[lag:] for name, vocabulary in schema.tokens.items()}
    answers, weight, unseen = None, None, None
    if labelled:
        answers = _answers(schema, record, numbers, tokens)
        unseen = _unseen(schema, record)
        weight = None if record.weight is None else record.weight.astype(schema.precision)
    if labelled and target.per == "step":
        answers, unseen = _later(answers, target.ahead, kept), _later(unseen, target.ahead, kept)
        weight = _weight(weight, lag, kept, first=record.first - lag - target.ahead, stop=steps - target.ahead)
    return Encoded(
        id=record.id,
        where=record.where,
        steps=kept,
        numbers=None if numbers is None else numbers[:kept],
        tokens={name: indices[:kept] for name, indices in tokens.items()},
        target=answers,
        weight=weight,
        unseen=unseen,
        history=_history(schema, record) if target.needs_past else None,
        offset=lag,
        observed=record.observed,
    )


def count(schema: "Schema", record: Record, unknown_counts: UnknownCounts, *, labelled: bool) -> None:
    """Note tokens and labels that training never saw."""
    for name, vocabulary in schema.tokens.items():
        unknown_counts.tokens(name, record.inputs[name], vocabulary)
    for name, labels in schema.sets.items():
        unknown_counts.tokens(name, [label for step in record.inputs[name] for label in step], labels)
    if not labelled or schema.target.kind == "number":
        return
    truth, known = _truth(schema, record), schema.target_vocabulary
    if schema.target.kind == "set":
        truth = [element for elements in truth for element in elements]
    if not (isinstance(known, Vocabulary) and known.knows_unknown):
        unknown_counts.labels(truth, known)


def _numbers(schema: "Schema", record: Record) -> NDArray[np.floating] | None:
    """Return the numeric matrix (T, I): scaled numbers, then indicators of sets."""
    lag = schema.layout.lag
    parts = []
    for column in schema.layout.inputs:
        if column.kind == "number":
            values = _end(column.chain.apply(record.inputs[column.name]), record.steps - lag)
            parts.append(_rounded(schema, schema.scaling[column.name].apply(values), record, column.name))
    parts.extend(labels.indicators(record.inputs[name][lag:]) for name, labels in schema.sets.items())
    return np.concatenate(parts, axis=1) if len(parts) > 1 else next(iter(parts), None)


def _answers(
    schema: "Schema", record: Record, numbers: NDArray[np.floating] | None, tokens: dict[str, NDArray[np.int32]]
) -> np.ndarray:
    """Return what the target's column, or the inputs themselves, hold at every step (T, …) or for the sequence."""
    answer = schema.layout.answer
    if answer.is_next:
        if answer.kind != "category":
            return numbers
        indices = tokens[schema.layout.next_columns[0].name]
        return indices if schema.target_vocabulary.knows_unknown else np.where(indices == 0, np.int32(-1), indices)
    lag = schema.layout.lag if answer.per == "step" else 0
    match answer.kind:
        case "category":
            return schema.labels.encode(record.answer)[lag:]
        case "set":
            return schema.labels.indicators(record.answer)[lag:]
        case "number":
            values = _end(answer.chain.apply(record.answer), len(record.answer) - lag)
            return _rounded(schema, schema.target.scaling.apply(values), record, answer.column)


def _truth(schema: "Schema", record: Record) -> Values:
    """Return the true categories or sets as they stand in the data."""
    return record.inputs[schema.layout.next_columns[0].name] if schema.target.is_next else record.answer


def _unseen(schema: "Schema", record: Record) -> NDArray[np.int32] | None:
    """Return how many labels of every true set training never saw; None where that is none at all."""
    if schema.target.kind != "set":
        return None
    counts = schema.target_vocabulary.unseen(_truth(schema, record))
    if schema.target.per == "step":
        counts = counts[schema.layout.lag :]
    return counts if counts.any() else None


def _weight(
    given: NDArray[np.floating] | None, lag: int, kept: int, *, first: int, stop: int
) -> NDArray[np.floating] | None:
    """Return the weights of the kept steps: 0 before `first` and from `stop` on; None if all are 1."""
    if given is None and first <= 0 and kept <= stop:
        return None
    weight = np.ones(kept, np.float32) if given is None else given[lag : lag + kept].copy()
    weight[: max(first, 0)] = 0
    weight[max(stop, 0) :] = 0
    return weight


def _later(values: np.ndarray | None, ahead: int, kept: int) -> np.ndarray | None:
    """Return what stands so many steps later for each of the kept steps, zeros where that is beyond the end."""
    if values is None:
        return None
    later = values[ahead : ahead + kept]
    if len(later) < kept:
        later = np.concatenate([later, np.zeros((kept - len(later), *values.shape[1:]), values.dtype)])
    return later


def _history(schema: "Schema", record: Record) -> NDArray[np.float64]:
    """Return the original values of the inputs that are predicted (T + lag, D)."""
    answer = schema.layout.answer
    names = [column.name for column in schema.layout.next_columns] if answer.is_next else [answer.column]
    return np.concatenate([record.inputs[name] for name in names], axis=1)


def _end(values: np.ndarray, steps: int) -> np.ndarray:
    """Return the last steps: columns that use up fewer start where the one that uses up most does."""
    return values[len(values) - steps :]


def _rounded(schema: "Schema", values: NDArray[np.float64], record: Record, column: str) -> NDArray[np.floating]:
    """Return values in the precision of the arrays, refusing what does not fit."""
    precision = schema.precision
    large = np.abs(values) > float(np.finfo(precision).max)
    if large.any():
        what = f"{values[large][0]:g} is too large"
        step = int(np.flatnonzero(large.any(axis=1))[0])
        raise flaw_at(record.where, column, ValueProblem(what, "set data.scale, or a log in data.transform", step=step))
    return values.astype(precision)
