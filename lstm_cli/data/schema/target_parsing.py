"""The target of a sequence: only values that count are read, others may be anything.

A value does not count if the weight of the step that predicts it is 0, or if it is missing and
`data.missing.target: skip` says so.

Legend: T steps, D numbers per step.
"""

from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from lstm_cli.data.formats.missing import MissingValues
from lstm_cli.data.formats.raw import RawSequence, ValueProblem
from lstm_cli.data.schema import symbols, values
from lstm_cli.data.schema.column_values import parsed, transformable
from lstm_cli.data.schema.layout import Layout, TargetColumn
from lstm_cli.data.schema.record import Numbers, Record, Truth, Values
from lstm_cli.data.schema.weights import counted_values
from lstm_cli.errors import counted

Mask = NDArray[np.bool_]
_FIX = "fill it in, or set data.missing.target: skip"
_NAMES = {"number": "a number", "category": "the label", "set": "the set"}


def parse_target(layout: Layout, sequence: RawSequence, record: Record) -> tuple[Values | None, Mask | None]:
    """Return the values of the target column, and which of them count; see `Record`."""
    target = layout.target
    count = record.steps if target.per == "step" else sequence.count
    counts = counted_values(record.weight, count, target.ahead, target.horizon)
    if target.is_next:
        return None, _next_known(layout, sequence, record, counts)
    if _is_unknown(target, sequence, counts):
        return _scattered(target, None, np.zeros(len(counts), np.bool_)), np.zeros(len(counts), np.bool_)
    missing = layout.missing_values

    def read(value: Any) -> tuple[Values, Mask]:
        if target.per == "sequence" and sequence.bunch is None:
            return _whole(value, target, missing, textual=sequence.textual)
        cells = values.steps(value)
        if len(cells) != count:
            what = f"{counted(len(cells), 'value')} for {counted(record.steps, 'step')} of {layout.first.name}"
            raise ValueProblem(what, "give one per step, or set target: {per: sequence}")
        return _steps(cells, target, missing, counts, textual=sequence.textual)

    given, known = parsed(sequence, target.name, read, fix=_FIX)
    return given, None if known.all() else known


def parse_parts(layout: Layout, sequence: RawSequence, record: Record) -> tuple[tuple[Truth, ...], Mask | None]:
    """Return the values of each of several target columns, and where any of them counts; see `Record`."""
    parts = []
    for view in layout.views:
        given, known = parse_target(view, sequence, record)
        parts.append(Truth(cast(Values, given), known))
    masks = [part.known for part in parts if part.known is not None]
    found = np.logical_or.reduce(masks) if len(masks) == len(parts) else None
    return tuple(parts), None if found is None or found.all() else found


def _is_unknown(target: TargetColumn, sequence: RawSequence, counts: Mask) -> bool:
    """Return whether there is no target that counts at all; a table without the column is an error all the same."""
    if target.per == "sequence" and not counts.any():
        return True
    absent = sequence.columns.get(target.name) is None and (target.name in sequence.columns or not sequence.textual)
    return absent and (target.skip_missing or not counts.any())


def _next_known(layout: Layout, sequence: RawSequence, record: Record, counts: Mask) -> Mask | None:
    """Return which steps (T,) of the inputs are not filled, so that they can be predicted."""
    known, first = np.ones(record.steps, np.bool_), layout.lag + layout.target.ahead
    for column in layout.next_columns:
        if column.kind != "number":
            continue
        gaps: Mask = np.asarray(np.isnan(record.numbers(column.name)).any(axis=1))
        gaps[:first] = False  # no step predicts them
        wrong = gaps & counts
        if wrong.any() and not layout.target.skip_missing:
            step = int(np.flatnonzero(wrong)[0])
            what = "a number is missing, which is to be predicted"
            raise sequence.error(column.source, ValueProblem(what, _FIX, step=step))
        known &= ~gaps
    return None if known.all() else known


def _steps(
    cells: Any, target: TargetColumn, missing: MissingValues, counts: Mask, *, textual: bool
) -> tuple[Values, Mask]:
    """Return the target of every step, read where it counts, and where that is."""
    gaps = values.gaps(cells, missing, sets=target.kind == "set")
    known = counts & ~gaps
    if known.all():
        return _read(cells, target, textual=textual), known
    wrong = np.flatnonzero(gaps & counts)
    if len(wrong) and not target.skip_missing:
        raise _is_missing(target, cells[wrong[0]], int(wrong[0]))
    places = np.flatnonzero(known)
    if not len(places):
        return _scattered(target, None, known), known
    try:
        given = _read(values.taken(cells, places), target, textual=textual)
    except ValueProblem as problem:
        step = None if problem.step is None else int(places[problem.step])
        raise ValueProblem(problem.what, problem.fix, step=step) from None
    return _scattered(target, given, known), known


def _read(cells: Any, target: TargetColumn, *, textual: bool) -> Values:
    match target.kind:
        case "category":
            return symbols.hot_labels(cells) if target.hot else symbols.categories(cells)
        case "set" if target.hot:
            return symbols.hot_sets(cells)
        case "set":
            return symbols.sets(cells, textual=textual, separator=target.separator)
        case _:
            return transformable(values.numbers(cells, textual=textual), target)


def _whole(value: Any, target: TargetColumn, missing: MissingValues, *, textual: bool) -> tuple[Values, Mask]:
    """Return the target of a sequence, and whether it is known."""
    value = values.single(value, textual=textual)
    if values.has_gap(value, missing) if target.kind != "set" else values.gaps([value], missing, sets=True)[0]:
        if not target.skip_missing:
            raise _is_missing(target, value, None)
        return _scattered(target, None, np.zeros(1, np.bool_)), np.zeros(1, np.bool_)
    return _read_whole(value, target, textual=textual), np.ones(1, np.bool_)


def _read_whole(value: Any, target: TargetColumn, *, textual: bool) -> Values:
    match target.kind:
        case "category":
            return symbols.hot_labels([value]) if target.hot else [symbols.category(value, textual=textual)]
        case "set" if target.hot:
            return symbols.hot_sets([value])
        case "set":
            return [symbols.elements(value, textual=textual, separator=target.separator)]
        case _:
            return transformable(values.vector(value, textual=textual), target)


def _is_missing(target: TargetColumn, cell: Any, step: int | None) -> ValueProblem:
    return ValueProblem(f"{_NAMES[target.kind]} is missing{values.written(cell)}", _FIX, step=step)


def _scattered(target: TargetColumn, given: Values | None, known: Mask) -> Values:
    """Return values for all steps from those of the known ones; NaN, or no label, in between."""
    if target.kind == "number":
        numbers: Numbers = np.full((len(known), target.width), np.nan)
        if given is not None:
            numbers[known] = given
        return numbers
    found: Any = iter([] if given is None else given)
    blank: Any = "" if target.kind == "category" else []
    return [next(found) if is_known else blank for is_known in known]
