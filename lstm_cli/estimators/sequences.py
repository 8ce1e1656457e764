"""What scikit-learn calls X, as sequences.

Legend: N sequences, T steps, I numbers per step.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_array, validate_data

Sequences = list[NDArray[Any]]


def sequences_of(estimator: Any, X: Any, *, fitting: bool) -> Sequences:
    """Return X as a list of arrays: numbers (T, I), or tokens (T,).

    Sets `n_features_in_` of the estimator when it is fitted, and compares with it later: the columns of a table, whose
    steps they are, or else I.

    Parameters
    ----------
    estimator : BaseEstimator
    X : list of arrays (T, I), (T,) or of lists of strings; array (N, T, I); array, list or data frame (N, T)
    fitting : bool

    Raises
    ------
    ValueError, TypeError
        X is something else, holds values that are not finite, or sequences unlike those of training.
    """
    least = {"ensure_min_samples": 2 if fitting else 1, "estimator": estimator}
    items = _items(X)
    if items is not None:
        check_array(np.zeros((len(items), 1)), **least)
        found, inputs, tabular = _ragged(items), None, False
    elif getattr(X, "ndim", 2) == 3:
        found, inputs, tabular = list(check_array(X, allow_nd=True, dtype=np.float64, **least)), None, False
    elif fitting or estimator._inputs.tabular:
        table = validate_data(
            estimator, X, reset=fitting, dtype=np.float64, ensure_min_samples=least["ensure_min_samples"]
        )
        found, inputs, tabular = list(table[:, :, np.newaxis]), table.shape[1], True
    else:
        found, inputs, tabular = list(check_array(X, dtype=np.float64, **least)[:, :, np.newaxis]), None, False
    _check_inputs(estimator, Inputs.of(found, tabular=tabular), inputs, fitting=fitting)
    return found


class Inputs:
    """What all sequences have in common.

    Parameters
    ----------
    width : int or None
        I; None: a token at each step.
    tabular : bool
        Whether they were the rows of a table.
    """

    def __init__(self, width: int | None, *, tabular: bool) -> None:
        self.width, self.tabular = width, tabular

    @classmethod
    def of(cls, found: Sequences, *, tabular: bool) -> "Inputs":
        """Return what sequences have in common, or raise the `ValueError` that names one that differs."""
        widths = [None if array.ndim == 1 else array.shape[1] for array in found]
        for index, (array, width) in enumerate(zip(found, widths, strict=True)):
            if not len(array):
                raise ValueError(f"sequence {index} has no steps: leave it out")
            if width != widths[0] or width == 0:
                raise ValueError(f"sequence {index} has {named(width)} at each step, sequence 0 {named(widths[0])}")
        return cls(widths[0], tabular=tabular)


def named(width: int | None) -> str:
    """Return what each step has, for messages."""
    return "a token" if width is None else "1 number" if width == 1 else f"{width} numbers"


def _check_inputs(estimator: Any, inputs: Inputs, columns: int | None, *, fitting: bool) -> None:
    """Remember what sequences have in common, or compare it with that of training."""
    if fitting:
        estimator._inputs = inputs
        estimator.n_features_in_ = columns or inputs.width or 1
    elif inputs.width != estimator._inputs.width:
        name, expected = type(estimator).__name__, named(estimator._inputs.width)
        raise ValueError(f"X has {named(inputs.width)} at each step, but {name} is expecting {expected} as input")


def _items(X: Any) -> Sequence[Any] | None:
    """Return the sequences of a list, or an array of objects, if they are no rows of a table."""
    if isinstance(X, np.ndarray) and (X.dtype != object or X.ndim != 1):
        return None
    if not isinstance(X, list | tuple | np.ndarray) or not len(X):
        return None
    if isinstance(X[0], str):
        raise ValueError("sequence 0 is a text: give a list of tokens, such as text.split() or list(text), for each")
    items = [item if isinstance(item, np.ndarray) else _array(item) for item in X]
    if any(item.ndim == 0 for item in items):
        return None
    textual = items[0].dtype.kind == "U"
    rows = not textual and all(item.ndim == 1 for item in items) and len({len(item) for item in items}) == 1
    return None if rows and not isinstance(X, np.ndarray) else items


def _array(item: Any) -> NDArray[Any]:
    """Return a sequence that is no array as one; lists of different lengths as one of objects."""
    try:
        return np.asarray(item)
    except ValueError:
        return np.asarray(item, object)


def _ragged(items: Sequence[Any]) -> Sequences:
    return [_sequence(index, np.asarray(item)) for index, item in enumerate(items)]


def _sequence(index: int, array: NDArray[Any]) -> NDArray[Any]:
    """Return the numbers (T, I) or tokens (T,) of a sequence, or raise the `ValueError` that says what is wrong."""
    if array.dtype == object and array.size and all(isinstance(value, str) for value in array.flat):
        array = array.astype(str)
    if array.dtype.kind == "U" and array.ndim == 1:
        return array
    if array.ndim not in (1, 2):
        what = f"expected numbers (steps, inputs) or a list of tokens, got shape {array.shape}"
        raise ValueError(f"sequence {index}: {what}")
    steps = array[:, np.newaxis] if array.ndim == 1 else array
    if not steps.size:
        raise ValueError(f"sequence {index} has no steps: leave it out")
    found: NDArray[Any] = check_array(steps, dtype=np.float64, input_name=f"sequence {index}")
    return found
