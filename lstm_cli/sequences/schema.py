"""How rows become arrays: the layout of the columns, and all that was fitted on training data.

Legend: T steps, I numbers per step, D or K targets per step.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lstm_cli.sequences import storage
from lstm_cli.sequences.encoded import Encoded
from lstm_cli.sequences.layout import Layout
from lstm_cli.sequences.readers.text import BOUNDARY, join, split
from lstm_cli.sequences.record import Record
from lstm_cli.sequences.rows import Flaw, Row, flaw_at
from lstm_cli.sequences.scaling import Scaling
from lstm_cli.sequences.tally import Tally
from lstm_cli.sequences.target import Restorer, Target
from lstm_cli.sequences.vocabulary import Labels, Vocabulary

_LARGEST = float(np.finfo(np.float32).max)


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
    """

    layout: Layout
    tokens: dict[str, Vocabulary]
    sets: dict[str, Labels]
    scaling: dict[str, Scaling]
    target: Target
    labels: Labels | None = None

    @property
    def numeric_size(self) -> int:
        """I: numbers of all number inputs, then an indicator for every label of the set inputs."""
        return sum(len(scaling.center) for scaling in self.scaling.values()) + sum(map(len, self.sets.values()))

    def encode(self, row: Row, *, labelled: bool = False, tally: Tally | None = None) -> Encoded:
        """Return a row as arrays, with its target if `labelled`, or raise the `DataError` that says what is wrong.

        The last step of a series whose next step is the target has none. Labelled, it is left out; without labels it
        stays, as its output is the forecast.
        """
        return self.encode_record(self.layout.parse(row, labelled=labelled), labelled=labelled, tally=tally)

    def encode_record(self, record: Record, *, labelled: bool = True, tally: Tally | None = None) -> Encoded:
        """Return a typed record as arrays; see `encode`."""
        numbers = self._numbers(record)
        tokens = {name: vocabulary.encode(record.inputs[name]) for name, vocabulary in self.tokens.items()}
        answers = self._answers(record, numbers, tokens) if labelled else None
        lag = self.layout.lag
        if tally is not None:
            self._count(record, tokens, answers, tally)
        tokens = {name: indices[lag:] for name, indices in tokens.items()}
        history = self._history(record) if self.target.needs_past else None
        sequence = Encoded(record.id, record.where, record.steps - lag, numbers, tokens, history=history, offset=lag)
        return sequence if answers is None else self._with_target(sequence, record, answers)

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
        return cls(layout, tokens, sets, scaling, target, labels)

    def _numbers(self, record: Record) -> NDArray[np.float32] | None:
        """Return the numeric matrix (T - lag, I)."""
        parts = []
        for column in self.layout.inputs:
            if column.kind == "number":
                values = _aligned(column.chain.apply(record.inputs[column.name]), record.steps - self.layout.lag)
                parts.append(_single_precision(self.scaling[column.name].apply(values), record, column.name))
        for name, labels in self.sets.items():
            parts.append(labels.indicators(record.inputs[name][self.layout.lag :]))
        return np.concatenate(parts, axis=1) if parts else None

    def _answers(
        self, record: Record, numbers: NDArray[np.float32] | None, tokens: dict[str, NDArray[np.int32]]
    ) -> np.ndarray:
        """Return what the answer column, or the inputs themselves, hold at every step."""
        answer, lag = self.layout.answer, self.layout.lag
        if not answer.is_next:
            return self._column_answers(record)
        if answer.kind != "category":
            return numbers
        name = self.layout.next_columns[0].name
        indices = tokens[name][lag:]
        return indices if self.tokens[name].knows_unknown else np.where(indices == 0, np.int32(-1), indices)

    def _column_answers(self, record: Record) -> np.ndarray:
        answer = self.layout.answer
        lag = self.layout.lag if answer.per == "step" else 0
        match answer.kind:
            case "category":
                return self.labels.encode(record.answer)[lag:]
            case "set":
                return self.labels.indicators(record.answer)[lag:]
            case "number":
                values = _aligned(answer.chain.apply(record.answer), len(record.answer) - lag)
                return _single_precision(self.target.scaling.apply(values), record, answer.column)

    def _with_target(self, sequence: Encoded, record: Record, answers: np.ndarray) -> Encoded:
        """Add the target to a sequence: the answer so many steps ahead, and which steps have one that counts."""
        ahead, lag = self.target.ahead, self.layout.lag
        unseen = self._unseen(record)
        if self.target.per == "sequence":
            return sequence.answered(answers, record.weight, unseen)
        weight = np.ones(sequence.steps, np.float32) if record.weight is None else record.weight[lag:].copy()
        weight[max(sequence.steps - ahead, 0) :] = 0
        weight[: max(record.first - lag - ahead, 0)] = 0
        if ahead:
            answers = _shifted(answers, ahead)
            unseen = None if unseen is None else _shifted(unseen, ahead)
        sequence = sequence.answered(answers, None if (weight == 1).all() else weight, unseen)
        return sequence.part(0, sequence.steps - ahead) if self.target.is_next and sequence.steps > ahead else sequence

    def _unseen(self, record: Record) -> NDArray[np.int32] | None:
        """Return how many labels of every true set training never saw; None where that is none at all."""
        if self.target.kind != "set":
            return None
        answer = self.layout.answer
        if answer.is_next:
            name = self.layout.next_columns[0].name
            counts = self.sets[name].unseen(record.inputs[name])[self.layout.lag :]
        else:
            counts = self.labels.unseen(record.answer)
            counts = counts[self.layout.lag :] if answer.per == "step" else counts
        return counts if counts.any() else None

    def _count(
        self, record: Record, tokens: dict[str, NDArray[np.int32]], answers: np.ndarray | None, tally: Tally
    ) -> None:
        """Note tokens and labels that training never saw."""
        for name, indices in tokens.items():
            tally.tokens(name, record.inputs[name], indices)
        if answers is None or self.target.kind == "number":
            return
        if self.layout.answer.is_next and self.target.kind == "category":
            tally.labels(record.inputs[self.layout.next_columns[0].name][self.layout.lag :], answers)
        elif self.target.kind == "category":
            tally.labels(record.answer[len(record.answer) - len(answers) :], answers)
        else:
            name = self.layout.next_columns[0].name if self.layout.answer.is_next else None
            sets = record.answer if name is None else record.inputs[name]
            tally.elements(sets, self.labels if name is None else self.sets[name])

    def _history(self, record: Record) -> NDArray[np.float64]:
        """Return the original values of the inputs that are predicted (T, D)."""
        answer = self.layout.answer
        names = [column.name for column in self.layout.next_columns] if answer.is_next else [answer.column]
        return np.concatenate([record.inputs[name] for name in names], axis=1)


def _aligned(values: np.ndarray, steps: int) -> np.ndarray:
    """Return the last steps: columns with a shorter lag start where the one with the longest does."""
    return values[len(values) - steps :]


def _shifted(values: np.ndarray, ahead: int) -> np.ndarray:
    """Return values so many steps earlier, the end filled with zeros."""
    result = np.zeros_like(values)
    result[: max(len(values) - ahead, 0)] = values[ahead:]
    return result


def _single_precision(values: NDArray[np.float64], record: Record, column: str) -> NDArray[np.float32]:
    """Return values in float32, refusing what does not fit."""
    large = (np.abs(values) > _LARGEST).any(axis=1)
    if large.any():
        what = f"{np.abs(values[large][0]).max():g} is too large"
        flaw = Flaw(what, "set data.scale, or a log in data.transform", step=int(np.flatnonzero(large)[0]))
        raise flaw_at(record.where, column, flaw)
    return values.astype(np.float32)
