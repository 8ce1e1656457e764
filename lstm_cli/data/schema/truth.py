"""True categories and sets as they are written in the data, and what converts them to indices."""

from collections.abc import Callable
from itertools import compress
from typing import TypeVar, cast

from lstm_cli.data.schema.record import Record
from lstm_cli.data.schema.schema import Schema
from lstm_cli.data.schema.vocabulary import Labels, Vocabulary
from lstm_cli.data.schema.weights import counted_values

Label = TypeVar("Label")


def target_vocabulary(schema: Schema) -> Vocabulary | Labels:
    """Return the vocabulary or labels that convert true categories to indices: the next input's, or the target's."""
    target = schema.layout.target
    return schema.tokens[schema.layout.next_columns[0].name] if target.is_next else target_labels(schema)


def target_labels(schema: Schema) -> Labels:
    """Return the labels of the target column, or of the set input whose next step is predicted."""
    if schema.layout.target.is_next:
        return schema.sets[schema.layout.next_columns[0].name]
    return cast(Labels, schema.labels)


def true_categories(schema: Schema, record: Record) -> list[str]:
    """Return the true categories that count, as they are written in the data."""
    target = schema.layout.target
    return _following(schema, record, record.tokens) if target.is_next else record.known_labels


def true_sets(schema: Schema, record: Record) -> list[list[str]]:
    """Return the true sets that count, as they are written in the data."""
    target = schema.layout.target
    return _following(schema, record, record.sets) if target.is_next else record.known_labels


def _following(schema: Schema, record: Record, values: Callable[[str], list[Label]]) -> list[Label]:
    """Return the values of the input that is predicted, of the steps that are the next one of a step that counts."""
    ahead = schema.layout.target.ahead
    counted = counted_values(record.weight, record.steps, ahead, horizon=1)
    if record.bunch is not None:
        counted &= record.bunch.within(ahead, 0)
    counted[: max(ahead, record.first)] = False
    return list(compress(values(schema.layout.next_columns[0].name), counted.tolist()))
