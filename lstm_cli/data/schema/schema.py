"""The schema of a data set: the layout of its columns and everything that was fitted to the training data.

Legend: I numbers per step, D or K targets per step, N outputs.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from lstm_cli.data.formats.text import BOUNDARY, join, split
from lstm_cli.data.schema.encoded import Encoded
from lstm_cli.data.schema.layout import Layout
from lstm_cli.data.schema.preprocessing import Chain, Scaling
from lstm_cli.data.schema.record import Numbers
from lstm_cli.data.schema.target import Restorer, Target
from lstm_cli.data.schema.vocabulary import Labels, Vocabulary


@dataclass(frozen=True, eq=False)
class Schema:
    """Everything needed to encode sequences and to read a network's outputs.

    Attributes
    ----------
    layout
        The columns, and how files are read.
    tokens
        Vocabularies of the token inputs by name.
    sets
        Labels of the set inputs by name.
    scaling
        Scaling of the number inputs by name.
    target
        The target, as fitted.
    labels
        The target's labels, if it is a column of categories or sets.
    precision
        Of the arrays' numbers: ``float32`` or ``float64``.
    means : dict of arrays (D,)
        Means of the training data by the name of the inputs that are filled.
    parts
        Of several target columns: the schema with each of them as its only target.
    """

    layout: Layout
    tokens: dict[str, Vocabulary]
    sets: dict[str, Labels]
    scaling: dict[str, Scaling]
    target: Target
    labels: Labels | None = None
    precision: str = "float32"
    means: dict[str, Numbers] = field(default_factory=dict)
    parts: "tuple[Schema, ...]" = ()

    @property
    def columns(self) -> "dict[str, Schema]":
        """The schema with each target column as its only target, by the column's name; of a single one under none."""
        return {part.layout.target.name: part for part in self.parts} or {"": self}

    @property
    def numeric_size(self) -> int:
        """I: the numbers of all number inputs, an indicator for every label of set inputs and for gaps, known ones."""
        known = sum(column.width for column in self.layout.known) * self.layout.target.horizon
        return self._plain_numbers + sum(map(len, self.sets.values())) + self.gap_size + known

    @property
    def gap_size(self) -> int:
        """How many of the numeric inputs are indicators of the gaps that were filled."""
        return sum(column.width for column in self.layout.filled if column.indicator)

    @cached_property
    def gap_numbers(self) -> list[int]:
        """Indices of the indicators of gaps that steps fed back do not have: all but those of static inputs."""
        places: list[int] = []
        start = self._plain_numbers + sum(map(len, self.sets.values()))
        for column in self.layout.filled:
            stop = start + column.width * column.indicator
            places += () if column.static else range(start, stop)
            start = stop
        return places

    @property
    def _plain_numbers(self) -> int:
        return sum(len(scaling.center) for scaling in self.scaling.values())

    @cached_property
    def fed_numbers(self) -> list[int]:
        """Indices of the inputs, among the numbers of a step, that outputs are fed back to."""
        if self.target.kind != "set":
            return self.predicted_numbers
        start, name = self._plain_numbers, self.layout.next_columns[0].name
        for other, labels in self.sets.items():
            if other == name:
                break
            start += len(labels)
        return list(range(start, start + self.target.size))

    @cached_property
    def predicted_numbers(self) -> list[int]:
        """Indices of the inputs, among the numbers of a step, whose later values are predicted; none: not an input."""
        target = self.layout.target
        if target.kind != "number":
            return []
        return self._places({column.name for column in self.layout.next_columns} if target.is_next else {target.name})

    @property
    def predicts_inputs(self) -> bool:
        """Whether the outputs are the next values of all numeric inputs, in their order."""
        numbers = self.target.kind == "number" and self.target.is_next and self.target.horizon == 1
        return numbers and len(self.predicted_numbers) == self.numeric_size

    @cached_property
    def window_numbers(self) -> list[int]:
        """Indices of the inputs, among the numbers of a step, that each window scales with ``data.scale: window``."""
        return self._places({column.name for column in self.layout.inputs if column.varies and not column.known})

    def _places(self, names: set[str]) -> list[int]:
        """Return the indices of number inputs among the numbers of a step."""
        places: list[int] = []
        start = 0
        for name, scaling in self.scaling.items():
            stop = start + len(scaling.center)
            places += range(start, stop) if name in names else ()
            start = stop
        return places

    def prompt(self, text: str) -> Encoded:
        """Return the start of a text, encoded for a text model to continue."""
        column = self.layout.inputs[0]
        tokens = split(text, self.layout.unit)
        if self.layout.lines or not tokens:
            tokens = [BOUNDARY, *tokens]
        indices = self.tokens[column.name].encode(tokens)
        return Encoded("prompt", "the prompt", len(tokens), None, {column.name: indices})

    def unknown_in(self, prompt: str) -> list[str]:
        """Return the symbols or words of a prompt that training never saw, each once."""
        vocabulary = self.tokens[self.layout.inputs[0].name]
        return list(dict.fromkeys(vocabulary.missing(split(prompt, self.layout.unit))))

    def text(self, indices: Iterable[int], *, after: str = "") -> str:
        """Return the text of indices of the target's labels (N,), as the continuation of a text."""
        return join([str(self._target_names[index]) for index in indices], self.layout.unit, after=after)

    def ends_line(self, index: int) -> bool:
        """Return whether a label ends a line, where every line is a sequence of its own."""
        return self.layout.lines and self._target_names[index] == BOUNDARY

    def restorer(self, sequence: Encoded) -> Restorer:
        """Return the converter of outputs for this sequence to original units, also beyond its end."""
        return Restorer(self.target, sequence.history, sequence.offset, sequence.scaling)

    def with_each_target(self, change: Callable[[Target], Target]) -> "Schema":
        """Return the schema with its target changed, of several columns with each changed."""
        if not self.parts:
            return replace(self, target=change(self.target))
        parts = tuple(part.with_each_target(change) for part in self.parts)
        return replace(self, parts=parts, target=Target.joined(self.target.names, [part.target for part in parts]))

    @property
    def _target_names(self) -> tuple[str | int | bool, ...]:
        return self.target.labels or ()

    @classmethod
    def assemble(
        cls,
        layout: Layout,
        *,
        tokens: dict[str, Vocabulary],
        sets: dict[str, Labels],
        scaling: dict[str, Scaling],
        of_targets: Sequence[tuple[Labels | None, Scaling | None]] = ((None, None),),
        precision: str = "float32",
        means: dict[str, Numbers] | None = None,
    ) -> "Schema":
        """Return the schema of fitted parts; the target is inferred from them.

        Parameters
        ----------
        layout
            The columns.
        tokens, sets, scaling
            Fitted to the inputs, by name.
        of_targets
            Labels and scaling that were fitted to each target column, if there is one.
        precision
            Of the arrays' numbers.
        means
            Fitted to the inputs that are filled, by name.
        """
        target = layout.target
        if layout.parts:
            inputs: dict[str, Any] = {"tokens": tokens, "sets": sets, "scaling": scaling}
            inputs |= {"precision": precision, "means": means}
            given = zip(layout.views, of_targets, strict=True)
            parts = tuple(cls.assemble(view, of_targets=[one], **inputs) for view, one in given)
            several = Target.joined(layout.target_columns, [part.target for part in parts])
            return cls(layout, tokens, sets, scaling, several, None, precision, means or {}, parts)
        ((labels, own_scaling),) = of_targets
        if not target.is_next:
            names = None if labels is None else labels.names
            number = target.kind == "number"
            chains: tuple[tuple[int, Chain], ...] = ((target.width, target.chain),) if number else ()
            size = target.width * target.horizon if labels is None else len(labels)
            own = (target.name,) * size if number else ()
            ahead, horizon = target.ahead, target.horizon
            fitted = Target(target.kind, target.per, size, names, False, ahead, own_scaling, chains, own, horizon)
        elif target.kind == "number":
            columns = layout.next_columns
            joined = Scaling.join(scaling[column.name] for column in columns)
            chains = tuple((column.width, column.chain) for column in columns)
            each = tuple(column.name for column in columns for _ in range(column.width))
            size, ahead, horizon = target.width * target.horizon, target.ahead, target.horizon
            fitted = Target("number", "step", size, None, True, ahead, joined, chains, each * horizon, horizon)
        else:
            name = layout.next_columns[0].name
            names = tokens[name].tokens if target.kind == "category" else sets[name].names
            fitted = Target(target.kind, "step", len(names), names, True, target.ahead)
        return cls(layout, tokens, sets, scaling, fitted, labels, precision, means or {})
