"""The list of a model's errors: what it saw, what was true, what it predicted, and how sure it was.

Labels that are wrong come with the surest first; of numbers each comes, the largest error first, in deviations of its
column, so that columns of different units can be compared.

Legend: N positions, D numbers.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_cli.data.schema.symbols import elements
from lstm_cli.insight.columns import Columns
from lstm_cli.insight.seen import Seen
from lstm_cli.predict.table import Table, lines_of
from lstm_cli.predict.writers import is_csv, jsonl_lines, write_lines
from lstm_cli.scores.labels import right
from lstm_cli.scores.positions import Positions
from lstm_cli.typed_json import plain

SUFFIXES = ".csv or .jsonl"


@dataclass(frozen=True)
class Error:
    """One wrong prediction, or one number.

    Attributes
    ----------
    id
        The sequence.
    step
        The step of the file at which it was predicted, from 0; None for a target per sequence.
    inputs
        What the network saw there, by the names of the columns.
    truth, prediction
        A label, a list of labels, or a number; a truth of None is a label that the data set does not know.
    confidence
        Of labels: the probability of the prediction.
    error
        Of numbers: prediction minus truth.
    column
        Of several numbers: which one.
    ahead
        Of several steps, and of closed loops: how many steps after `step` the truth is.
    """

    id: Any
    step: int | None
    inputs: dict[str, Any]
    truth: Any
    prediction: Any
    confidence: float | None = None
    error: float | None = None
    column: str | None = None
    ahead: int | None = None

    def record(self) -> dict[str, Any]:
        """Return the error as a mapping, without what does not apply."""
        numbered = self.error is not None
        place = {"id": self.id, "step": self.step, "column": self.column, "ahead": self.ahead}
        given = {name: value for name, value in place.items() if value is not None}
        outcome = {"truth": self.truth, "prediction": self.prediction}
        measure = {"error": self.error} if numbered else {"confidence": self.confidence}
        return {**given, "input": self.inputs, **outcome, **measure}


def errors_of(positions: Positions, columns: Columns | None = None) -> Iterator[Error]:
    """Yield the errors of a model; `columns` are those of the file, as far as they are known."""
    seen = Seen(positions.dataset, columns)
    if positions.task.kind == "number":
        return _numbers(positions, seen)
    return _labels(positions, seen, columns)


def _labels(positions: Positions, seen: Seen, columns: Columns | None) -> Iterator[Error]:
    wrong = np.flatnonzero(~right(positions))
    sure = positions.confidence
    order = wrong if sure is None else wrong[np.argsort(-sure[wrong], kind="stable")]
    target = positions.dataset.schema.target
    names = target.labels or ()
    for place in order.tolist():
        sequence, step = int(positions.sequences[place]), int(positions.steps[place])
        truth, predicted = _named(names, positions.truth[place]), _named(names, positions.predicted[place])
        if columns is not None and _is_unknown(positions, place):
            truth = _as_written(positions, columns, sequence, step)
        yield Error(
            id=positions.dataset.ids[sequence],
            step=seen.step(sequence, step) if target.per == "step" else None,
            inputs=seen.at(sequence, step),
            truth=truth,
            prediction=predicted,
            confidence=None if sure is None else float(sure[place]),
        )


def _named(names: tuple[Any, ...], value: Any) -> Any:
    """Return a label's name, or the names of a set; None for a label that training never saw."""
    if np.ndim(value):
        return [names[k] for k in np.flatnonzero(value)]
    return None if value < 0 else names[value]


def _is_unknown(positions: Positions, place: int) -> bool:
    """Return whether a position's truth is, or a set has, a label that training never saw."""
    if positions.task.kind == "set":
        return positions.unseen is not None and bool(positions.unseen[place])
    return bool(positions.truth[place] < 0)


def _as_written(positions: Positions, columns: Columns, sequence: int, step: int) -> Any:
    """Return a truth as it is written in the file, of a set all labels."""
    layout = positions.dataset.schema.layout
    name = layout.target.column or layout.next_columns[0].source
    value = columns.value(name, sequence, step + layout.target.ahead)
    is_cell = layout.target.kind == "set" and isinstance(value, str)
    return elements(value, textual=True, separator=layout.target.separator) if is_cell else value


def _numbers(positions: Positions, seen: Seen) -> Iterator[Error]:
    target = positions.dataset.schema.target
    names, width = target.output_columns, target.width
    several = len(set(names)) > 1 or width > 1
    with np.errstate(over="ignore", invalid="ignore"):  # a closed loop may leave all bounds
        errors = positions.predicted - positions.truth
        order = _largest(errors, positions.truth)
    for index in order.tolist():
        place, number = divmod(index, target.size)
        sequence, step = int(positions.sequences[place]), int(positions.steps[place])
        turn = None if positions.turns is None else int(positions.turns[place])
        origin = step if turn is None else step - turn + 1
        ahead = turn if turn is not None else target.ahead + number // width if target.horizon > 1 else None
        yield Error(
            id=positions.dataset.ids[sequence],
            step=seen.step(sequence, origin) if target.per == "step" else None,
            inputs=seen.at(sequence, origin),
            truth=float(positions.truth[place, number]),
            prediction=float(positions.predicted[place, number]),
            error=float(errors[place, number]),
            column=_column(names[:width], number % width) if several else None,
            ahead=ahead,
        )


def _column(names: tuple[str, ...], number: int) -> str:
    """Return the name of one of the numbers (D,): its column, and where that has several, which of them."""
    name = names[number]
    return name if names.count(name) == 1 else f"{name}_{number - names.index(name)}"


def _largest(errors: NDArray[np.float64], truth: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return all numbers (N * D,), flat, those with the largest error in deviations of their truth first."""
    deviation = truth.std(axis=0)
    sizes = np.abs(errors) / np.where(deviation > 0, deviation, 1)
    order: NDArray[np.int64] = np.argsort(-np.where(np.isnan(sizes), np.inf, sizes).ravel(), kind="stable")
    return order


def errors_of_targets(found: Mapping[str, Positions], columns: Columns | None = None) -> Iterator[Error]:
    """Yield the errors of a model of several target columns, column by column; `found` is by their names."""
    for name, positions in found.items():
        errors = errors_of(positions, columns)
        yield from errors if not name else (replace(error, column=error.column or name) for error in errors)


def write_errors(found: Mapping[str, Positions], columns: Columns | None, out: Path, *, safe: bool = False) -> int:
    """Write the errors to a csv or jsonl file, completely or not at all; return how many there are."""
    errors, count = errors_of_targets(found, columns), 0

    def counting() -> Iterator[Error]:
        nonlocal count
        for error in errors:
            count += 1
            yield error

    if is_csv(out, SUFFIXES):
        tables = {name: Table.of(own.dataset.schema, per_step=False, safe=safe) for name, own in found.items()}
        first, measures = next(iter(tables.values())), _measures(found)
        cells = (_cells(error, tables.get(error.column or "", first), measures) for error in counting())
        write_lines(lines_of(cells, safe=safe), out)
    else:
        write_lines(jsonl_lines(plain(error.record()) for error in counting()), out)
    return count


def _measures(found: Mapping[str, Positions]) -> list[str]:
    """Return the columns that say how wrong or sure a model is, where they are not the same for all targets."""
    kinds = {own.task.kind == "number" for own in found.values()}
    return ["confidence", "error"] if len(kinds) > 1 else []


def _cells(error: Error, table: Table, measures: Iterable[str] = ()) -> dict[str, Any]:
    """Return an error as cells by the names of their columns; an input with the name of another gets another."""
    record = plain(error.record())
    record |= {name: record.pop(name, None) for name in measures}
    names, inputs = record.pop("id"), record.pop("input")
    cells = dict(zip(table.ids, names if isinstance(names, tuple | list) else [names], strict=False))
    place = {name: record.pop(name) for name in ("step", "column", "ahead") if name in record}
    outcome = {
        name: table.joined(value) if isinstance(value, list) and name in ("truth", "prediction") else value
        for name, value in record.items()
    }
    taken = {*cells, *place, *outcome}
    own = {f"input_{name}" if name in taken else name: _in_full(value) for name, value in inputs.items()}
    return {**cells, **place, **own, **outcome}


def _in_full(value: Any) -> Any:
    """Return an input with all the digits that the file has, where predictions have seven."""
    return f"{value:.15g}" if isinstance(value, float) else value
