"""Which columns there are and what they hold: enough to turn a row into typed values, nothing fitted yet.

Legend: T steps, D numbers per step.
"""

from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_cli.data.batching.closed_loops import SystemLoop, parse_loop
from lstm_cli.data.formats.options import Options
from lstm_cli.data.formats.raw import RawSequence, ValueProblem
from lstm_cli.data.formats.text import BOUNDARY
from lstm_cli.data.schema import values
from lstm_cli.data.schema.columns import Column, LossColumns, TargetColumn
from lstm_cli.data.schema.record import Record, Values
from lstm_cli.data.schema.transforms import Chain, Transform
from lstm_cli.data.schema.vocabulary import Spelling
from lstm_cli.errors import listed


@dataclass(frozen=True)
class Layout:
    """The columns of a data set and how its files are read.

    Attributes
    ----------
    format, unit, lines, id, id_required
        As in `Options`.
    inputs
        The columns that feed the network.
    answer
        What is to be predicted.
    loss
        Columns that weigh the loss.
    loop
        How rows are read in a closed loop around a system; None where there is none.
    """

    format: str
    inputs: tuple[Column, ...]
    answer: TargetColumn
    unit: str = "char"
    lines: bool = False
    id: str = "id"
    id_required: bool = False
    loss: LossColumns = field(default_factory=LossColumns)
    loop: SystemLoop | None = None

    @cached_property
    def lag(self) -> int:
        """Steps at the start of every sequence that differences use up."""
        return max(column.chain.lag for column in (*self.inputs, self.answer))

    @cached_property
    def next_columns(self) -> tuple[Column, ...]:
        """The inputs whose next step is the answer, where it is the next step: those that are not derived."""
        return tuple(column for column in self.inputs if column.source == column.name)

    def options(self, *, labelled: bool, unique_ids: bool = True) -> Options:
        """Return how to read a file: with answers or without."""
        needed = {column.source for column in self.inputs}
        if labelled:
            needed |= {self.answer.column or self.inputs[0].source, *self.loss.names}
        return Options(
            id=self.id,
            id_required=self.id_required,
            unique_ids=unique_ids,
            columns=frozenset(needed),
            input=self.inputs[0].source,
            unit=self.unit,
            lines=self.lines,
        )

    def parse(self, row: RawSequence, *, labelled: bool) -> Record:
        """Return the typed values of a row, or raise the `DataError` that says what is wrong with it."""
        if self.loop is not None:
            return parse_loop(self, row, labelled=labelled)
        inputs = {column.name: self._input(row, column, labelled=labelled) for column in self.inputs}
        steps = len(inputs[self.inputs[0].name])
        for name, given in inputs.items():
            if len(given) != steps:
                problem = ValueProblem(
                    f"{len(given)} steps, but {self.inputs[0].name} has {steps}", "make them equally long"
                )
                raise row.error(name, problem)
        if steps <= self.lag:
            fix = f"data.transform uses up {self.lag} of them; give more, or transform less"
            raise row.error(self.inputs[0].name, ValueProblem(f"{steps} steps are too few", fix))
        answer = self._answer(row, steps) if labelled and not self.answer.is_next else None
        weight = self.weight(row, steps) if labelled else None
        return Record(row.id, row.where, steps, inputs, answer, weight)

    def to_json(self) -> dict[str, Any]:
        """Return everything as what JSON can hold."""
        content = asdict(self)
        return content if self.loop is not None else {name: content[name] for name in content if name != "loop"}

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "Layout":
        """Return what `to_json` described."""
        answer = {**content["answer"], "chain": _chain(content["answer"]["chain"])}
        columns = [
            Column(**{**column, "chain": _chain(column["chain"]), "spelling": Spelling(**column["spelling"])})
            for column in content["inputs"]
        ]
        given = content.get("loop")
        loop = None if given is None else SystemLoop(**{**given, "elements": tuple(given["elements"])})
        loss = LossColumns(**content["loss"])
        return cls(
            **{**content, "inputs": tuple(columns), "answer": TargetColumn(**answer), "loss": loss, "loop": loop}
        )

    def _input(self, row: RawSequence, column: Column, *, labelled: bool) -> Values:
        value = _raw(row, column.source)
        try:
            match column.kind:
                case "tokens":
                    tokens = values.tokens(value, unit=self.unit)
                    return self._bounded(tokens, labelled=labelled)
                case "set":
                    return values.sets(value, textual=row.textual)
                case "number":
                    return _transformable(values.numbers(value, textual=row.textual), column)
        except ValueProblem as problem:
            raise row.error(column.source, problem) from None

    def _bounded(self, tokens: list[str], *, labelled: bool) -> list[str]:
        """Put the boundary before a line, so that its first symbol is predicted too, and after it as what ends it."""
        if not (self.format == "text" and self.lines):
            return tokens
        return [BOUNDARY, *tokens, BOUNDARY] if labelled else [BOUNDARY, *tokens]

    def _answer(self, row: RawSequence, steps: int) -> Values:
        name, answer = self.answer.column, self.answer
        value = _raw(row, name)
        try:
            given = _per_step(value, answer, row) if answer.per == "step" else _per_sequence(value, answer, row)
            if answer.per == "step" and len(given) != steps:
                what = f"{len(given)} values for {steps} steps of {self.inputs[0].name}"
                raise ValueProblem(what, "give one per step, or set target: {per: sequence}")
        except ValueProblem as problem:
            raise row.error(name, problem) from None
        return given

    def weight(self, row: RawSequence, steps: int) -> NDArray[np.float64] | None:
        """Return the weight of every step (T,), or of the sequence (1,); None where all weigh the same."""
        if not self.loss.names:
            return None
        weight = np.ones(steps if self.answer.per == "step" else 1)
        if self.loss.weight is not None:
            weight *= self._given_weight(row, len(weight))
        begin, length = (self._whole(row, name) for name in (self.loss.start, self.loss.length))
        begin = begin or 0
        end = steps if length is None else begin + length
        if not 0 <= begin < end <= steps:
            name = self.loss.start or self.loss.length
            what = f"the loss window {begin} to {end} (counted from 0) is not within the {steps} steps"
            raise row.error(name, ValueProblem(what, "correct start and length"))
        if answers_per_step := self.answer.per == "step":
            weight[:begin] = 0
            weight[end:] = 0
        return weight if answers_per_step or self.loss.weight else None

    def _given_weight(self, row: RawSequence, count: int) -> NDArray[np.float64]:
        name = self.loss.weight
        value = _raw(row, name)
        try:
            if self.answer.per == "step" and isinstance(value, list | np.ndarray):
                given = _of_width(values.numbers(value, textual=row.textual), 1)[:, 0]
                if len(given) != count:
                    raise ValueProblem(
                        f"{len(given)} weights for {count} steps", "give one per step, or one for the sequence"
                    )
            else:
                given = _of_width(values.vector(value, textual=row.textual), 1)[:, 0]
            if (given < 0).any():
                step = int(np.flatnonzero(given < 0)[0])
                raise ValueProblem(f"the weight {given[step]:g} is negative", "give 0 to leave a step out", step=step)
        except ValueProblem as problem:
            raise row.error(name, problem) from None
        return given

    def _whole(self, row: RawSequence, name: str | None) -> int | None:
        if name is None:
            return None
        try:
            number = _of_width(values.vector(_raw(row, name), textual=row.textual), 1)[0, 0]
            if not number.is_integer():
                raise ValueProblem(f"expected a whole number, got {number:g}", "count steps from 0")
        except ValueProblem as problem:
            raise row.error(name, problem) from None
        return int(number)


def _chain(content: dict[str, Any]) -> Chain:
    return Chain(tuple(Transform(**transform) for transform in content["transforms"]))


def _raw(row: RawSequence, name: str) -> Any:
    value = row.columns.get(name)
    if value is None and name in row.columns:
        raise row.error(name, ValueProblem("the value is null", "fill it in or remove the sequence"))
    if value is None:
        raise row.error(name, ValueProblem(f"the column is missing (there are {listed(row.names)})", "add it"))
    return value


def _transformable(given: NDArray[np.float64], column: Column | TargetColumn) -> NDArray[np.float64]:
    given = _of_width(given, column.width)
    column.chain.apply(given)  # says so now, where the line is known, if a value has no logarithm
    return given


def _of_width(given: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    if given.shape[1] != width:
        what = f"expected {width} number{'s' * (width != 1)}, got {given.shape[1]}"
        raise ValueProblem(what, "give every sequence the dimension that training has")
    return given


def _per_step(value: Any, answer: TargetColumn, row: RawSequence) -> Values:
    match answer.kind:
        case "category":
            return values.categories(value)
        case "set":
            return values.sets(value, textual=row.textual)
        case "number":
            return _transformable(values.numbers(value, textual=row.textual), answer)


def _per_sequence(value: Any, answer: TargetColumn, row: RawSequence) -> Values:
    match answer.kind:
        case "category":
            return [values.category(value, textual=row.textual)]
        case "set":
            return [values.elements(values.single(value, textual=row.textual), textual=row.textual)]
        case "number":
            return _transformable(values.vector(value, textual=row.textual), answer)
