"""From raw values to typed ones: numbers (T, D), tokens, sets; a wrong value is a `ValueProblem` that names its step.

Legend: T steps, D numbers per step.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from lstm_cli.data.formats.raw import ValueProblem, label_key
from lstm_cli.data.formats.text import split
from lstm_cli.data.schema.record import Numbers

_MISSING_FIX = "fill it in or remove the sequence"
_EMPTY_CELLS = ("", "_")  # "_" as in conllu


def step_count(value: Any, unit: str) -> int:
    """Return how many steps a raw value has; a plain string is split into tokens, other single values have none."""
    if isinstance(value, str):
        return len(split(value, unit))
    return len(value) if isinstance(value, list | np.ndarray) else 0


def numbers(value: Any, *, textual: bool) -> Numbers:
    """Return numbers (T, D) of a list of numbers (D is 1) or of equally long lists of numbers."""
    value = _steps(value)
    if isinstance(value, np.ndarray) and value.dtype.kind in "iufb":
        values = value.astype(np.float64)
    else:
        values = _parsed(value, textual)
    if values.ndim == 1:
        values = values[:, np.newaxis]
    if values.ndim != 2:
        raise ValueProblem(f"lists nested {values.ndim} deep", "write one number or one flat list of numbers per step")
    finite = np.isfinite(values)
    if not finite.all():
        step = int(np.flatnonzero(~finite.all(axis=1))[0])
        raise ValueProblem(f"{values[step][~finite[step]][0]} is not a finite number", _MISSING_FIX, step=step)
    return values


def _parsed(cells: Sequence[Any], textual: bool) -> Numbers:
    """Return numbers of a list that did not convert as a whole, or raise for the cell that prevents it."""
    if textual and plain_digits(cells):
        try:
            return np.array(cells, np.float64)
        except ValueError:
            pass
    width = None
    for step, cell in enumerate(cells):
        parts = cell if isinstance(cell, list | np.ndarray) else [cell]
        for part in parts:
            _check_number(part, step, textual)
        shape = len(parts) if isinstance(cell, list | np.ndarray) else None
        if step and shape != width:
            what = f"expected {_described(width)} as in step 1, got {_described(shape)}"
            raise ValueProblem(what, "give every step as many numbers", step=step)
        width = shape
    _refuse_truths(cells)
    return np.array(cells, np.float64)


def plain_digits(cells: Iterable[Any]) -> bool:
    """Return whether text has nothing that only Python accepts in a number: 1_000, digits of other scripts."""
    text = cells if isinstance(cells, str) else "".join(map(str, cells))
    return "_" not in text and text.isascii()


def _refuse_truths(cells: Sequence[Any]) -> None:
    """Refuse true and false among numbers; a column of nothing else is 1 and 0."""
    parts = [(step, part) for step, cell in enumerate(cells) for part in (cell if isinstance(cell, list) else [cell])]
    truths = [(step, part) for step, part in parts if isinstance(part, bool | np.bool_)]
    if 0 < len(truths) < len(parts):
        step, part = truths[0]
        raise ValueProblem(f"expected a number, got {str(part).lower()}", "write 1 or 0 if it is one", step=step)


def _described(width: int | None) -> str:
    return "one number" if width is None else f"a list of {width}"


def _check_number(part: Any, step: int, textual: bool) -> None:
    if part is None or part == "":
        raise ValueProblem("a number is missing", _MISSING_FIX, step=step)
    if isinstance(part, str) and not textual:
        raise ValueProblem(f"expected a number, got the string {part!r:.40}", "write it without quotes", step=step)
    if isinstance(part, list | dict):
        raise ValueProblem(
            "expected a number, got a list or an object", "write one flat list of numbers per step", step=step
        )
    try:
        float(part if not isinstance(part, str) or plain_digits(part) else "")
    except (TypeError, ValueError):  # TypeError: what only Python has, such as complex numbers
        fix = "correct it; decimals have a point, not a comma"
        raise ValueProblem(f"{part!r:.40} is not a number", fix, step=step) from None
    except OverflowError:
        raise ValueProblem(f"{part!s:.20}… is too large", "scale the column down", step=step) from None


def tokens(value: Any, *, unit: str) -> list[str]:
    """Return the tokens of a list of strings, or of a string split into characters or words."""
    if isinstance(value, str):
        return _cells(split(value, unit))
    cells = _cells(value)
    if set(map(type, cells)) == {str} and all(cells):  # as in a text of a million characters: a loop would be slow
        return cells
    return [_symbol(cell, step, "token") for step, cell in enumerate(cells)]


def sets(value: Any, *, textual: bool) -> list[list[str]]:
    """Return a list of labels per step; in a textual cell they are separated by spaces or ``|``."""
    cells = _cells(value)
    return [elements(cell, textual=textual, step=step) for step, cell in enumerate(cells)]


def elements(cell: Any, *, textual: bool, step: int | None = None) -> list[str]:
    """Return the labels of one set."""
    if textual and isinstance(cell, str):
        if cell in _EMPTY_CELLS:
            return []
        return [part.strip() for part in cell.split("|")] if "|" in cell else cell.split()
    if not isinstance(cell, list | np.ndarray):
        raise ValueProblem(
            f"expected a list of labels, got {cell!r:.40}", "write [] for none and [label] for one", step=step
        )
    return [_symbol(part, step, "label") for part in (cell.tolist() if isinstance(cell, np.ndarray) else cell)]


def categories(value: Any) -> list[str]:
    """Return the label of every step."""
    cells = _cells(value)
    return [_label(cell, step, "label") for step, cell in enumerate(cells)]


def category(value: Any, *, textual: bool) -> str:
    """Return the label of a whole sequence."""
    return _label(single(value, textual=textual), None, "label")


def vector(value: Any, *, textual: bool) -> Numbers:
    """Return the number, or the list of numbers, of a whole sequence as (1, D)."""
    value = single(value, textual=textual)
    cells = value if isinstance(value, list | np.ndarray) else [value]
    try:
        values = numbers(cells, textual=textual)
    except ValueProblem as problem:
        raise ValueProblem(problem.what, problem.fix) from None
    if values.shape[1] != 1:
        raise ValueProblem("a list of lists", "write one number or one flat list of numbers for the sequence")
    return values.reshape(1, -1)


def table(value: Any) -> Numbers:
    """Return numbers (T, D) of a list of lists; a flat list is one step (1, D)."""
    nested = (isinstance(value, list) and value and isinstance(value[0], list)) or getattr(value, "ndim", 1) == 2
    return numbers(value, textual=False) if nested else vector(value, textual=False)


def single(value: Any, *, textual: bool) -> Any:
    """Return the value that a sequence has: formats with one step per line repeat it in every step."""
    if not (textual and isinstance(value, list)):
        return value
    for step, cell in enumerate(value):
        if cell != value[0]:
            what = f"expected one value for the sequence, got {value[0]!r:.40} and {cell!r:.40}"
            raise ValueProblem(what, "repeat the same value, or set target: {per: step}", step=step)
    return value[0]


def _symbol(value: Any, step: int | None, what: str) -> str:
    """Return one of many that a step may be or have; a fraction is a quantity and none of them."""
    if isinstance(value, float) and not value.is_integer():
        fix = "write strings or whole numbers, or set kind: number for a quantity"
        raise ValueProblem(f"expected a {what}, got the number {value}", fix, step=step)
    return _label(value, step, what)


def _label(value: Any, step: int | None, what: str) -> str:
    if value is None or value == "":
        raise ValueProblem(f"the {what} is missing", _MISSING_FIX, step=step)
    if isinstance(value, list | dict | np.ndarray):
        raise ValueProblem(f"expected one {what}, got a list or an object", f"write one {what}", step=step)
    if isinstance(value, float | np.floating) and not np.isfinite(value):
        raise ValueProblem(f"expected a {what}, got {value}", _MISSING_FIX, step=step)
    return label_key(value)


def _cells(value: Any) -> list[Any]:
    """Return the list of steps, which must not be empty."""
    cells: list[Any] = _steps(value).tolist() if isinstance(value, np.ndarray) else _steps(value)
    return cells


def _steps(value: Any) -> Any:
    """Return the list or array of steps, which must not be empty."""
    if not isinstance(value, list | np.ndarray):
        raise ValueProblem(
            f"expected a list with one value per step, got {value!r:.40}", "write a list, [value] for one step"
        )
    if not len(value):
        raise ValueProblem("an empty sequence", "give it at least one step, or delete the sequence")
    return value
