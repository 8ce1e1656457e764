"""Counts of what is unusual in a file or split, for notes: unknown tokens and labels, and missing values."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lstm_cli.data.schema.outside import OutsideTraining
from lstm_cli.data.schema.record import Record
from lstm_cli.data.schema.schema import Schema
from lstm_cli.data.schema.truth import target_labels, target_vocabulary, true_categories, true_sets
from lstm_cli.data.schema.vocabulary import Labels, Vocabulary
from lstm_cli.data.schema.weights import counted_values
from lstm_cli.errors import listed

_EXAMPLES = 5


@dataclass
class _Count:
    """How many of a total were unknown, and the first of them as examples."""

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
        """The count as text."""
        share = self.unknown / max(self.total, 1)
        shown = listed([repr(name) for name in self.examples])
        return f"{self.unknown:,} of {self.total:,} ({share:.2%}), such as {shown}"


@dataclass
class _Gaps:
    """How many of a total of values are missing, and what is done about them."""

    action: str
    missing: int = 0
    total: int = 0

    def add(self, gaps: NDArray[np.bool_]) -> None:
        self.missing += int(gaps.sum())
        self.total += gaps.size


@dataclass
class UnknownCounts:
    """Counts of unknown tokens and labels and of missing values in one file or split, for notes.

    Attributes
    ----------
    inputs
        Counts of tokens, or of the labels of sets, by the name of their column.
    targets
        Counts of target labels by the name of their column.
    missing
        Counts of missing numbers, and of missing targets, by the name of their column.
    outside
        Counts of numbers far outside those of training; None before the first.
    """

    inputs: dict[str, _Count] = field(default_factory=dict)
    targets: dict[str, _Count] = field(default_factory=dict)
    missing: dict[str, _Gaps] = field(default_factory=dict)
    outside: OutsideTraining | None = None

    def add(self, schema: Schema, record: Record, *, labelled: bool) -> None:
        """Count the tokens and labels of a record that training never saw, and its values that are missing."""
        first = max(record.first, 0)  # the steps before it belong to another split
        for name, vocabulary in schema.tokens.items():
            self.inputs.setdefault(name, _Count()).add(record.tokens(name)[first:], vocabulary)
        for name, labels in schema.sets.items():
            self.inputs.setdefault(name, _Count()).add(_flat(record.sets(name)[first:]), labels)
        for column in schema.layout.filled:
            gaps = self.missing.setdefault(column.name, _Gaps(f"values missing, filled by {column.fill}"))
            gaps.add(np.isnan(record.numbers(column.name)[first:]))
        if labelled:
            for part, view in enumerate(schema.parts):
                self._add_target(view, record.view(part))
            self._add_target(schema, record)

    def _add_target(self, schema: Schema, record: Record) -> None:
        """Count the labels of a target that training never saw, and the values that are missing."""
        if schema.parts:
            return
        target, first = schema.layout.target, max(record.first, 0)
        if target.skip_missing and not target.is_next:
            total = record.steps if target.per == "step" else record.count
            counted = counted_values(record.weight, total, target.ahead, target.horizon)[first:]
            known = np.ones_like(counted) if record.known is None else record.known[first:]
            gaps = self.missing.setdefault(f"target {target.name}", _Gaps("values missing, which do not count"))
            gaps.add(~known[counted])
        match target.kind:
            case "category":
                known_ones = target_vocabulary(schema)
                if not (isinstance(known_ones, Vocabulary) and known_ones.knows_unknown):
                    self._of_labels(schema).add(true_categories(schema, record), known_ones)
            case "set":
                self._of_labels(schema).add(_flat(true_sets(schema, record)), target_labels(schema))

    def _of_labels(self, schema: Schema) -> _Count:
        return self.targets.setdefault(schema.layout.target.name, _Count())

    def add_numbers(self, schema: Schema, numbers: NDArray[np.floating]) -> None:
        """Count the scaled numbers (T, I) of a sequence that are far outside those of training."""
        self.outside = self.outside or OutsideTraining(schema)
        self.outside.add(numbers)

    def notes(self, split: str) -> list[str]:
        """Return the notes on a split for the user."""
        notes = [
            f"{split}: {name}: {gaps.missing:,} of {gaps.total:,} {gaps.action}"
            for name, gaps in self.missing.items()
            if gaps.missing
        ]
        notes += [
            f"{split}: unknown tokens in {name}: {count.text}" for name, count in self.inputs.items() if count.unknown
        ]
        for name, count in self.targets.items():
            if count.unknown:
                of = f" of {name}" if len(self.targets) > 1 else ""
                notes.append(f"{split}: targets{of} that training never saw, each an error: {count.text}")
        if self.outside is not None and split != "train":
            notes += self.outside.notes(split)
        return notes


def _flat(sets: list[list[str]]) -> list[str]:
    return [element for elements in sets for element in elements]
