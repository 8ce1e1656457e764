"""From raw values to tokens, labels and sets of labels; a wrong value raises a `ValueProblem` with its step.

Labels are kept as they are written, without the blanks around them; 3 and 3.0 are one label, "3" and "3.0" are two.

Legend: T steps, K labels.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_cli.data.formats.cells import Cells
from lstm_cli.data.formats.raw import ValueProblem, label_key
from lstm_cli.data.formats.text import split
from lstm_cli.data.schema import values
from lstm_cli.data.schema.record import Numbers

_EMPTY_CELLS = ("", "_")  # "_" as in conllu


def tokens(value: Any, *, unit: str) -> list[str]:
    """Return the tokens of a list of strings, or of a string split into characters or words."""
    if isinstance(value, str):
        return _cells(split(value, unit))
    cells = _cells(value)
    if set(map(type, cells)) == {str} and all(cells):  # fast path, for texts of a million characters
        return cells
    return [_symbol(cell, step, "token") for step, cell in enumerate(cells)]


def sets(value: Any, *, textual: bool, separator: str = " ") -> list[list[str]]:
    """Return a list of labels per step; in a textual cell they are separated as `elements` says."""
    cells = _cells(value)
    return [elements(cell, textual=textual, separator=separator, step=step) for step, cell in enumerate(cells)]


def elements(cell: Any, *, textual: bool, separator: str = " ", step: int | None = None) -> list[str]:
    """Return the labels of one set; in a textual cell they are separated by ``|``, or else by a blank separator.

    A bar at the end of a cell separates nothing: ``sci fi|`` is one label, whatever the separator.
    """
    if textual and isinstance(cell, str):
        cell = cell.strip()
        if cell in _EMPTY_CELLS:
            return []
        bars = separator == "|" or "|" in cell
        return [part.strip() for part in cell.removesuffix("|").split("|")] if bars else cell.split()
    if not isinstance(cell, list | np.ndarray):
        raise ValueProblem(
            f"expected a list of labels, got {cell!r:.40}", "write [] for none and [label] for one", step=step
        )
    return [_symbol(part, step, "label") for part in (cell.tolist() if isinstance(cell, np.ndarray) else cell)]


def categories(value: Any) -> list[str]:
    """Return the label of every step."""
    if isinstance(value, np.ndarray) and value.shape[1:] == (1,):
        value = value[:, 0]
    if isinstance(value, np.ndarray) and value.ndim == 1 and value.dtype.kind in "iub":  # equal labels are one object
        different, places = np.unique(value, return_inverse=True)
        found: list[str] = np.array(list(map(label_key, different.tolist())), np.object_)[places].tolist()
        return found
    cells = _cells(value)
    if isinstance(value, Cells) and "" not in cells:  # fast path: they are trimmed text
        return cells
    return [_label(cell, step, "label") for step, cell in enumerate(cells)]


def category(value: Any, *, textual: bool) -> str:
    """Return the label of a whole sequence."""
    return _label(values.single(value, textual=textual), None, "label")


def hot_labels(value: Any) -> list[str]:
    """Return the position of the 1 in each vector (T, K) of zeros and a single one."""
    return [str(place) for place in _hot(value, many=False).argmax(axis=1)]


def hot_sets(value: Any) -> list[list[str]]:
    """Return the positions of the ones in each vector (T, K) of zeros and ones."""
    return [[str(place) for place in np.flatnonzero(vector)] for vector in _hot(value, many=True)]


def _hot(value: Any, *, many: bool) -> Numbers:
    """Return vectors (T, K) of zeros and, one or `many`, ones."""
    vectors = values.numbers(value, textual=False)
    wrong = np.flatnonzero(~is_hot(vectors, many=many))
    if len(wrong):
        step = int(wrong[0])
        what = f"expected zeros and {'ones' if many else 'a single 1'}, got {vectors[step].tolist()!s:.40}"
        raise ValueProblem(what, "correct it, or write the labels themselves (the argmax)", step=step)
    return vectors


def is_hot(vectors: np.ndarray, *, many: bool) -> NDArray[np.bool_]:
    """Return which of some vectors (T, K) hold only zeros and, one or `many`, ones (T,)."""
    binary = np.isin(vectors, (0, 1)).all(axis=1)
    return np.asarray(binary if many else binary & (vectors.sum(axis=1) == 1))


def _symbol(value: Any, step: int | None, what: str) -> str:
    """Return a token or label as a string; a fraction is a quantity and is refused."""
    if isinstance(value, float) and not value.is_integer():
        fix = "write strings or whole numbers, or set kind: number for a quantity"
        raise ValueProblem(f"expected a {what}, got the number {value}", fix, step=step)
    return _label(value, step, what)


def _label(value: Any, step: int | None, what: str) -> str:
    if what == "label" and isinstance(value, np.ndarray) and value.size == 1:  # a column of width 1
        value = value.ravel()[0]
    if isinstance(value, list | dict | np.ndarray):
        argmax = ", for one-hot vectors or probabilities the argmax" if what == "label" else ""
        raise ValueProblem(f"expected one {what}, got a list or an object", f"write one {what}{argmax}", step=step)
    if value is None or value == "":
        raise ValueProblem(f"the {what} is missing", values.MISSING_FIX, step=step)
    if isinstance(value, float | np.floating) and not np.isfinite(value):
        raise ValueProblem(f"expected a {what}, got {value}", values.MISSING_FIX, step=step)
    if isinstance(value, str) and what == "label":
        return value.strip() or value  # a blank alone can be a label
    return label_key(value)


def _cells(value: Any) -> list[Any]:
    """Return the list of steps, which must not be empty."""
    cells: list[Any] = values.steps(value).tolist() if isinstance(value, np.ndarray | Cells) else values.steps(value)
    return cells
