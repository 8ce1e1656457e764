"""How rows become arrays: the layout of the columns, and all that was fitted on training data.

Legend: T steps, I numbers per step, D or K targets per step.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from lstm_cli.data.encoded import Encoded
from lstm_cli.data.formats.raw import RawSequence
from lstm_cli.data.formats.text import BOUNDARY, join, split
from lstm_cli.data.schema import storage
from lstm_cli.data.schema.encoding import count, encode
from lstm_cli.data.schema.layout import Layout
from lstm_cli.data.schema.record import Record
from lstm_cli.data.schema.scaling import Scaling
from lstm_cli.data.schema.target import Restorer, Target
from lstm_cli.data.schema.unknown_counts import UnknownCounts
from lstm_cli.data.schema.vocabulary import Labels, Vocabulary


@dataclass(frozen=True, eq=False)
class Schema:
    """Everything needed to encode rows and to read a network's outputs.

    Attributes
    ----------
    layout
        The columns and how files are read.
    tokens
        Vocabularies of the token inputs by name.
    sets
        Labels of the set inputs by name.
    scaling
        Scaling of the number inputs by name.
    target
        What is predicted.
    labels
        The target's labels, where it is a column of categories or sets.
    precision
        Of the arrays' numbers: ``float32`` or ``float64``.
    """

    layout: Layout
    tokens: dict[str, Vocabulary]
    sets: dict[str, Labels]
    scaling: dict[str, Scaling]
    target: Target
    labels: Labels | None = None
    precision: str = "float32"

    @property
    def numeric_size(self) -> int:
        """I: numbers of all number inputs, then an indicator for every label of the set inputs."""
        return sum(len(scaling.center) for scaling in self.scaling.values()) + sum(map(len, self.sets.values()))

    @cached_property
    def next_numbers(self) -> list[int]:
        """Which numbers of a step are predicted for the next one, where numbers are."""
        predicted, columns, start = {column.name for column in self.layout.next_columns}, [], 0
        for name, scaling in self.scaling.items():
            stop = start + len(scaling.center)
            columns += range(start, stop) if name in predicted else ()
            start = stop
        return columns

    @cached_property
    def target_vocabulary(self) -> Vocabulary | Labels | None:
        """What turns the true categories or sets into indices: the next input's tokens or labels, or the target's."""
        if not self.layout.answer.is_next:
            return self.labels
        return {**self.tokens, **self.sets}.get(self.layout.next_columns[0].name)

    def encode(
        self, row: RawSequence, *, labelled: bool = False, unknown_counts: UnknownCounts | None = None
    ) -> Encoded:
        """Return a row as arrays, with its target if `labelled`, or raise the `DataError` that says what is wrong.

        The last step of a series whose next step is the target has none. Labelled, it is left out; without labels it
        stays, as its output is the forecast.
        """
        return self.encode_record(
            self.layout.parse(row, labelled=labelled), labelled=labelled, unknown_counts=unknown_counts
        )

    def encode_record(
        self, record: Record, *, labelled: bool = True, unknown_counts: UnknownCounts | None = None
    ) -> Encoded:
        """Return a typed record as arrays; see `encode`."""
        if unknown_counts is not None:
            count(self, record, unknown_counts, labelled=labelled)
        return encode(self, record, labelled=labelled)

    def prompt(self, text: str) -> Encoded:
        """Return the start of a text as the model of a text continues it."""
        column = self.layout.inputs[0]
        tokens = split(text, self.layout.unit)
        if self.layout.lines or not tokens:
            tokens = [BOUNDARY, *tokens]
        indices = self.tokens[column.name].encode(tokens)
        return Encoded("prompt", "the prompt", len(tokens), None, {column.name: indices})

    def text(self, indices: Iterable[int], *, after: str = "") -> str:
        """Return the text that indices of the target's labels (N,) stand for, as it goes on `after` a text."""
        return join([str(self.target.labels[index]) for index in indices], self.layout.unit, after=after)

    def ends_line(self, index: int) -> bool:
        """Return whether a label ends a line, where every line is a sequence of its own."""
        return self.layout.lines and self.target.labels[index] == BOUNDARY

    def restorer(self, sequence: Encoded) -> Restorer:
        """Return what takes outputs for this sequence back to original units, beyond its end too."""
        return Restorer(self.target, sequence.history, sequence.offset)

    def save(self, folder: Path) -> None:
        """Write vocabulary.json, scaling.json and schema.json into a run folder."""
        storage.save(self, folder)

    @classmethod
    def load(cls, folder: Path) -> "Schema":
        """Return the schema that was saved in a run folder."""
        return cls.assemble(**storage.load(folder))

    @classmethod
    def assemble(
        cls,
        layout: Layout,
        *,
        tokens: dict[str, Vocabulary],
        sets: dict[str, Labels],
        scaling: dict[str, Scaling],
        labels: Labels | None = None,
        own_scaling: Scaling | None = None,
        precision: str = "float32",
    ) -> "Schema":
        """Return the schema of fitted parts; the target follows from them.

        Parameters
        ----------
        layout
            The columns.
        tokens, sets, scaling
            What was fitted on the inputs, by name.
        labels, own_scaling
            What was fitted on the target's column, where it has one.
        precision
            Of the arrays' numbers.
        """
        answer = layout.answer
        if not answer.is_next:
            names = None if labels is None else labels.names
            chains = ((answer.width, answer.chain),) if answer.kind == "number" else ()
            size = answer.width if labels is None else len(labels)
            target = Target(answer.kind, answer.per, size, names, False, answer.ahead, own_scaling, chains)
        elif answer.kind == "number":
            scalings = [scaling[column.name] for column in layout.next_columns]
            chains = tuple((column.width, column.chain) for column in layout.next_columns)
            target = Target("number", "step", answer.width, None, True, answer.ahead, Scaling.join(scalings), chains)
        else:
            name = layout.next_columns[0].name
            names = tokens[name].tokens if answer.kind == "category" else sets[name].names
            target = Target(answer.kind, "step", len(names), names, True, answer.ahead)
        return cls(layout, tokens, sets, scaling, target, labels, precision)
