"""From typed records to arrays, with the target of every step beside it; what training never saw is counted.

Legend: T steps after those that transforms use up, I numbers per step, D or K targets per step.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

import numpy as np
from numpy.typing import NDArray

from lstm_cli.data.formats.raw import RawSequence, ValueProblem, problem_at
from lstm_cli.data.schema.parsing import parse
from lstm_cli.data.schema.preprocessing import Scaling
from lstm_cli.data.schema.record import Encoded, Numbers, Record
from lstm_cli.data.schema.schema import Schema
from lstm_cli.data.schema.vocabulary import Labels, Vocabulary
from lstm_cli.errors import listed

_EXAMPLES = 5


@dataclass
class _Count:
    """How many of a total were not known, and the first of them."""

    unknown: int = 0
    total: int = 0
    examples: list[str] = field(default_factory=list)

    def add(self, names: Sequence[str], known: Vocabulary | Labels) -> None:
        missing = known.missing(names)
        self.total += len(names)
        self.unknown += len(missing)
        for name in missing:
            if len(self.examples) >= _EXAMPLES:
                return
            if name not in self.examples:
                self.examples.append(name)

    @property
    def text(self) -> str:
        """The count in words."""
        share = self.unknown / max(self.total, 1)
        shown = listed([repr(name) for name in self.examples])
        return f"{self.unknown:,} of {self.total:,} ({share:.2%}), such as {shown}"


@dataclass
class UnknownCounts:
    """Counts of unknown tokens and labels in one file or split, for notes.

    Attributes
    ----------
    inputs
        Counts of tokens, or of the labels of sets, by the name of their column.
    targets
        Counts of target labels.
    """

    inputs: dict[str, _Count] = field(default_factory=dict)
    targets: _Count = field(default_factory=_Count)

    def add(self, schema: Schema, record: Record, *, labelled: bool) -> None:
        """Count the tokens and labels of a record that training never saw."""
        for name, vocabulary in schema.tokens.items():
            self.inputs.setdefault(name, _Count()).add(record.tokens(name), vocabulary)
        for name, labels in schema.sets.items():
            self.inputs.setdefault(name, _Count()).add(_flat(record.sets(name)), labels)
        if not labelled:
            return
        match schema.target.kind:
            case "category":
                known = _target_vocabulary(schema)
                if not (isinstance(known, Vocabulary) and known.knows_unknown):
                    self.targets.add(_true_categories(schema, record), known)
            case "set":
                self.targets.add(_flat(_true_sets(schema, record)), _target_labels(schema))

    def notes(self, split: str) -> list[str]:
        """Return what a user should know of a split."""
        notes = [
            f"{split}: unknown tokens in {name}: {count.text}" for name, count in self.inputs.items() if count.unknown
        ]
        if self.targets.unknown:
            notes.append(f"{split}: targets that training never saw, each an error: {self.targets.text}")
        return notes


def encode(
    schema: Schema, sequence: RawSequence, *, labelled: bool = False, unknown_counts: UnknownCounts | None = None
) -> Encoded:
    """Return a sequence as arrays, with its target if `labelled`, or raise the `DataError` that says what is wrong.

    The last step of a series whose next step is the target has none. Labelled, it is left out; without labels it
    stays, as its output is the forecast.
    """
    record = parse(schema.layout, sequence, labelled=labelled)
    return encode_record(schema, record, labelled=labelled, unknown_counts=unknown_counts)


def encode_record(
    schema: Schema, record: Record, *, labelled: bool = True, unknown_counts: UnknownCounts | None = None
) -> Encoded:
    """Return a typed record as arrays; see `encode`."""
    if unknown_counts is not None:
        unknown_counts.add(schema, record, labelled=labelled)
    target, lag = schema.target, schema.layout.lag
    steps = record.steps - lag
    # The last steps of what is to be continued have no target: nothing can be learned from them.
    kept = steps - target.ahead if labelled and target.is_next and steps > target.ahead else steps
    numbers = _numbers(schema, record)
    tokens = {name: vocabulary.encode(record.tokens(name))[lag:] for name, vocabulary in schema.tokens.items()}
    targets, weight, unseen = None, None, None
    if labelled:
        targets = _targets(schema, record, numbers, tokens)
        unseen = _unseen(schema, record)
        weight = None if record.weight is None else record.weight.astype(schema.precision)
    if labelled and target.per == "step":
        targets, unseen = _later(targets, target.ahead, kept), _later(unseen, target.ahead, kept)
        weight = _weight(weight, lag, kept, first=record.first - lag - target.ahead, stop=steps - target.ahead)
    return Encoded(
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
    )


def _numbers(schema: Schema, record: Record) -> NDArray[np.floating] | None:
    """Return the numeric matrix (T, I): scaled numbers, then indicators of sets."""
    lag = schema.layout.lag
    parts: list[NDArray[np.floating]] = []
    for column in schema.layout.inputs:
        if column.kind == "number":
            values = _end(column.chain.apply(record.numbers(column.name)), record.steps - lag)
            parts.append(_rounded(schema, schema.scaling[column.name].apply(values), record, column.name))
    parts.extend(labels.indicators(record.sets(name)[lag:]) for name, labels in schema.sets.items())
    return np.concatenate(parts, axis=1) if len(parts) > 1 else next(iter(parts), None)


def _targets(
    schema: Schema, record: Record, numbers: NDArray[np.floating] | None, tokens: dict[str, NDArray[np.int32]]
) -> np.ndarray | None:
    """Return what the target's column, or the inputs themselves, hold at every step (T, …) or for the sequence."""
    target = schema.layout.target
    if target.is_next:
        return _next_indices(schema, tokens) if target.kind == "category" else numbers
    lag = schema.layout.lag if target.per == "step" else 0
    match target.kind:
        case "category":
            return _target_labels(schema).encode(_true_categories(schema, record))[lag:]
        case "set":
            return _target_labels(schema).indicators(_true_sets(schema, record))[lag:]
        case "number":
            given, scaling = cast(Numbers, record.target), cast(Scaling, schema.target.scaling)
            values = _end(target.chain.apply(given), len(given) - lag)
            return _rounded(schema, scaling.apply(values), record, target.name)


def _next_indices(schema: Schema, tokens: dict[str, NDArray[np.int32]]) -> NDArray[np.int32]:
    """Return the indices of the tokens that are predicted; unknown ones are -1 if training knew none."""
    name = schema.layout.next_columns[0].name
    indices = tokens[name]
    return indices if schema.tokens[name].knows_unknown else np.where(indices == 0, np.int32(-1), indices)


def _target_vocabulary(schema: Schema) -> Vocabulary | Labels:
    """Return what turns the true categories into indices: the next input's vocabulary, or the target's labels."""
    target = schema.layout.target
    return schema.tokens[schema.layout.next_columns[0].name] if target.is_next else _target_labels(schema)


def _target_labels(schema: Schema) -> Labels:
    """Return the labels of the target's own column, or of the set that is predicted for the next step."""
    if schema.layout.target.is_next:
        return schema.sets[schema.layout.next_columns[0].name]
    return cast(Labels, schema.labels)


def _true_categories(schema: Schema, record: Record) -> list[str]:
    """Return the true categories as they are written in the data."""
    target = schema.layout.target
    return record.tokens(schema.layout.next_columns[0].name) if target.is_next else cast(list[str], record.target)


def _true_sets(schema: Schema, record: Record) -> list[list[str]]:
    """Return the true sets as they are written in the data."""
    target = schema.layout.target
    return record.sets(schema.layout.next_columns[0].name) if target.is_next else cast(list[list[str]], record.target)


def _flat(sets: list[list[str]]) -> list[str]:
    return [element for elements in sets for element in elements]


def _unseen(schema: Schema, record: Record) -> NDArray[np.int32] | None:
    """Return how many labels of every true set training never saw; None where that is none at all."""
    if schema.target.kind != "set":
        return None
    counts = _target_labels(schema).unseen(_true_sets(schema, record))
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
    """Return the values `ahead` steps later for each of the kept steps, zeros where that is beyond the end."""
    if values is None:
        return None
    later = values[ahead : ahead + kept]
    if len(later) < kept:
        later = np.concatenate([later, np.zeros((kept - len(later), *values.shape[1:]), values.dtype)])
    return later


def _history(schema: Schema, record: Record) -> Numbers:
    """Return the original values of the inputs that are predicted (T + lag, D)."""
    target = schema.layout.target
    names = [column.name for column in schema.layout.next_columns] if target.is_next else [target.name]
    return np.concatenate([record.numbers(name) for name in names], axis=1)


def _end(values: Numbers, steps: int) -> Numbers:
    """Return the last steps: columns that use up fewer start where the one that uses up most does."""
    return values[len(values) - steps :]


def _rounded(schema: Schema, values: Numbers, record: Record, column: str) -> NDArray[np.floating]:
    """Return values in the precision of the arrays, refusing what does not fit."""
    precision = schema.precision
    large = np.abs(values) > float(np.finfo(precision).max)
    if large.any():
        step = int(np.flatnonzero(large.any(axis=1))[0])
        fix = "set data.scale, or a log in data.transform"
        raise problem_at(record.where, column, ValueProblem(f"{values[large][0]:g} is too large", fix, step=step))
    return values.astype(precision)
