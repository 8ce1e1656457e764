"""From raw values to numbers (T, D), and what all kinds share; a wrong value raises a `ValueProblem` with its step.

Legend: T steps, D numbers per step.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_cli.data.formats.cells import Cells
from lstm_cli.data.formats.missing import MissingValues
from lstm_cli.data.formats.raw import ValueProblem
from lstm_cli.data.formats.text import split
from lstm_cli.data.schema.other_notations import notation_of
from lstm_cli.data.schema.record import Numbers

MISSING_FIX = "fill it in or remove the sequence"
_DEFAULT = MissingValues()


def step_count(value: Any, unit: str) -> int:
    """Return how many steps a raw value has; a plain string is split into tokens, other single values have none."""
    if isinstance(value, str):
        return len(split(value, unit))
    return len(value) if isinstance(value, list | np.ndarray | Cells) else 0


def flat(value: Any) -> Iterator[Any]:
    """Yield the innermost values of nested lists, or a single value."""
    if isinstance(value, str) or not hasattr(value, "__len__"):
        yield value
        return
    for part in value:
        yield from flat(part)


def numbers(value: Any, *, textual: bool, missing: MissingValues = _DEFAULT) -> Numbers:
    """Return numbers (T, D) of a list of numbers (D is 1) or of equally long lists of numbers; NaN for missing ones."""
    value = steps(value)
    if isinstance(value, Cells) and value.finite:
        return _numbers_of_cells(value, missing)[:, np.newaxis]
    if isinstance(value, np.ndarray) and value.dtype.kind in "iufb":
        values = missing.blanked(value.astype(np.float64))
    elif isinstance(value, Cells):
        values = _numbers_of_cells(value, missing)
    else:
        values = _parsed(value, textual, missing)
    if values.ndim == 1:
        values = values[:, np.newaxis]
    if values.ndim != 2:
        raise ValueProblem(f"lists nested {values.ndim} deep", "write one number or one flat list of numbers per step")
    infinite = np.isinf(values)
    if np.count_nonzero(infinite):
        bad = np.flatnonzero(infinite.any(axis=1))
        step = int(bad[0])
        what = f"{values[step][infinite[step]][0]} is not a finite number"
        raise ValueProblem(what, MISSING_FIX, step=step, steps=bad)
    return values


def complete(given: Numbers, value: Any, *, what: str = "a number", fix: str = MISSING_FIX) -> Numbers:
    """Return numbers (T, D) if none is missing among them; `value` is what they were read from."""
    if isinstance(value, Cells) and value.finite:
        return given
    gaps = np.isnan(given)
    if np.count_nonzero(gaps):
        bad = np.flatnonzero(gaps.any(axis=1))
        step = int(bad[0])
        raise ValueProblem(f"{what} is missing{written(value[step])}", fix, step=step, steps=bad)
    return given


def written(cell: Any) -> str:
    """Return how a missing cell is written, in brackets after a blank; nothing if it is empty, null or NaN."""
    listed = isinstance(cell, str | int | float | np.number) and cell != "" and cell == cell
    return f" ({cell})" if listed else ""


def gaps(cells: Any, missing: MissingValues, *, sets: bool = False) -> NDArray[np.bool_]:
    """Return which cells (T,) are missing: of lists of numbers, those in which one is; an empty set is not missing."""
    if sets:
        return np.array([not _is_nested(cell) and cell != "" and missing.is_missing(cell) for cell in cells])
    if isinstance(cells, Cells):
        return cells.gaps()
    if isinstance(cells, np.ndarray) and cells.dtype.kind in "iufb":
        found = np.isnan(missing.blanked(cells.astype(np.float64))).reshape(len(cells), -1)
        return np.asarray(found.any(axis=1))
    nested = any(map(_is_nested, cells))
    return missing.among(cells) if not nested else np.array([has_gap(cell, missing) for cell in cells])


def _is_nested(cell: Any) -> bool:
    return isinstance(cell, list | np.ndarray)


def has_gap(cell: Any, missing: MissingValues) -> bool:
    """Return whether a cell, or one in a list of cells, is missing."""
    return any(map(missing.is_missing, cell if _is_nested(cell) else [cell]))


def _numbers_of_cells(cells: Cells, missing: MissingValues) -> Numbers:
    """Return the numbers of a table's cells, or raise for the first that is neither a number nor missing."""
    found = cells.numbers()
    if found is not None:
        return found
    bad = cells.texts()
    step = int(bad[0])
    _number(cells[step], step, True, missing)
    fix = "correct it, or set data.table.decimal and data.table.thousands as it is written"
    raise ValueProblem(f"{cells[step]!r:.40} is not a number", fix, step=step, steps=bad)


def _parsed(cells: Sequence[Any], textual: bool, missing: MissingValues) -> Numbers:
    """Return numbers of a list that did not convert as a whole, or raise for the cell that prevents it."""
    converted = _converted(cells, missing) if textual else None
    if converted is not None:
        return converted
    rows: list[Any] = []
    first = width = None
    for step, cell in enumerate(cells):
        if missing.is_missing(cell):
            rows.append(None)
            continue
        nested = _is_nested(cell)
        parts = [_number(part, step, textual, missing) for part in (cell if nested else [cell])]
        shape = len(parts) if nested else None
        if first is not None and shape != width:
            what = f"expected {_described(width)} as in step {first + 1}, got {_described(shape)}"
            raise ValueProblem(what, "give every step as many numbers", step=step)
        first, width = (step if first is None else first), shape
        rows.append(parts if nested else parts[0])
    _refuse_truths(rows)
    blank = np.nan if width is None else [np.nan] * width
    return np.array([blank if row is None else row for row in rows], np.float64)


def _converted(cells: Sequence[Any], missing: MissingValues) -> Numbers | None:
    """Return the numbers of cells of text, or None if not all are numbers or missing."""
    if set(map(type, cells)) != {str}:
        return None
    empty = [cell in missing.texts for cell in cells]
    cells = ["nan" if gap else cell for cell, gap in zip(cells, empty, strict=True)] if any(empty) else cells
    try:
        found = np.array(cells, np.float64) if plain_digits(cells) else None
    except ValueError:
        return None
    if found is None or np.isnan(found).sum() != sum(empty):  # an unlisted NaN is no number
        return None
    return missing.blanked(found)


def plain_digits(cells: Iterable[Any]) -> bool:
    """Return whether text has none of what only Python accepts in a number: 1_000, digits of other scripts."""
    text = cells if isinstance(cells, str) else "".join(map(str, cells))
    return "_" not in text and text.isascii()


def _refuse_truths(cells: Sequence[Any]) -> None:
    """Refuse true and false among numbers; a column of booleans alone becomes 1 and 0."""
    nested = [(step, cell if isinstance(cell, list) else [cell]) for step, cell in enumerate(cells)]
    parts = [(step, part) for step, cell in nested for part in cell if part is not None and part == part]
    truths = [(step, part) for step, part in parts if isinstance(part, bool | np.bool_)]
    if 0 < len(truths) < len(parts):
        step, part = truths[0]
        raise ValueProblem(f"expected a number, got {str(part).lower()}", "write 1 or 0 if it is one", step=step)


def _described(width: int | None) -> str:
    return "one number" if width is None else f"a list of {width}"


def _number(part: Any, step: int, textual: bool, missing: MissingValues) -> Any:
    """Return a number as it is, NaN if it is missing, or raise."""
    if missing.is_missing(part):
        return np.nan
    if isinstance(part, str) and not textual:
        raise ValueProblem(f"expected a number, got the string {part!r:.40}", "write it without quotes", step=step)
    if isinstance(part, list | dict):
        raise ValueProblem(
            "expected a number, got a list or an object", "write one flat list of numbers per step", step=step
        )
    try:
        value = float(part if not isinstance(part, str) or plain_digits(part) else "")
    except (TypeError, ValueError):  # TypeError: Python objects such as complex numbers
        form = notation_of(part) if isinstance(part, str) and textual else None
        fix = "correct it, or add it to data.missing.values" if form is None else f"{form.name}: {form.fix}"
        raise ValueProblem(f"{part!r:.40} is not a number", fix, step=step) from None
    except OverflowError:
        raise ValueProblem(f"{part!s:.20}… is too large", "scale the column down", step=step) from None
    if value != value:
        raise ValueProblem(f"{part} is not a finite number", MISSING_FIX, step=step)
    return part


def vector(value: Any, *, textual: bool, missing: MissingValues = _DEFAULT, what: str = "a number") -> Numbers:
    """Return the number, or the list of numbers, of a whole sequence as (1, D); none may be missing."""
    value = single(value, textual=textual)
    cells = value if isinstance(value, list | np.ndarray) else [value]
    try:
        values = complete(numbers(cells, textual=textual, missing=missing), cells, what=what)
    except ValueProblem as problem:
        raise ValueProblem(problem.what, problem.fix) from None
    if values.shape[1] != 1:
        raise ValueProblem("a list of lists", "write one number or one flat list of numbers for the sequence")
    return values.reshape(1, -1)


def table(value: Any) -> Numbers:
    """Return numbers (T, D) of a list of lists; a flat list is one step (1, D)."""
    nested = (isinstance(value, list) and value and isinstance(value[0], list)) or getattr(value, "ndim", 1) == 2
    return complete(numbers(value, textual=False), value) if nested else vector(value, textual=False)


def first(value: Any, *, textual: bool) -> Any:
    """Return the one value of a sequence, which formats with one step per line repeat at every step, unchecked."""
    return value[0] if textual and isinstance(value, list | Cells | np.ndarray) and len(value) else value


def single(value: Any, *, textual: bool, otherwise: str = "target: {per: step}") -> Any:
    """Return the one value of a sequence, which formats with one step per line must repeat at every step.

    `otherwise` is what to set if the values are meant to differ.
    """
    one = first(value, textual=textual)
    for step, cell in enumerate(value if textual and isinstance(value, list | Cells | np.ndarray) else ()):
        if cell != one:
            what = f"expected one value for the sequence, got {one!r:.40} and {cell!r:.40}"
            raise ValueProblem(what, f"repeat the same value, or set {otherwise}", step=step)
    return one


def taken(cells: Any, places: NDArray[np.intp]) -> Any:
    """Return the cells at some places."""
    if isinstance(cells, Cells):
        return cells.take(places)
    return cells[places] if isinstance(cells, np.ndarray) else [cells[place] for place in places]


def steps(value: Any) -> Any:
    """Return the list or array of steps, which must not be empty."""
    if not isinstance(value, list | np.ndarray | Cells):
        raise ValueProblem(
            f"expected a list with one value per step, got {value!r:.40}", "write a list, [value] for one step"
        )
    if not len(value):
        raise ValueProblem("an empty sequence", "give it at least one step, or delete the sequence")
    return value
