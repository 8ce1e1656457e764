"""Columns of the input that are carried through to the predictions."""

import math
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from lstm_cli.data import Encoded
from lstm_cli.data.formats.naming import columns_listed
from lstm_cli.data.formats.raw import RawSequence
from lstm_cli.errors import ConfigError, did_you_mean, nearest, on_one_line
from lstm_cli.predict.wording import PerStep, Row, free


class Kept:
    """Takes columns from sequences on their way in, and adds them to the rows in which these come out, in order.

    Parameters
    ----------
    names
        Columns of the input; None: all.
    ids
        The columns that name a sequence, which every row has already.
    taken
        The keys of a row's own.

    Attributes
    ----------
    names
        The columns to read; None: all.
    """

    def __init__(self, names: Sequence[str] | None, ids: Sequence[str], taken: Sequence[str]) -> None:
        self.names, self._ids, self._taken = names, ids, taken
        self._waiting: deque[Row] = deque()
        self._checked = False

    def take(self, sequence: RawSequence, encoded: Encoded) -> None:
        """Remember the columns of a sequence until its prediction comes out.

        A list with as many values as the sequence has steps has one for each; a closed loop has steps of its own.
        """
        if not self._checked:
            self._checked = True
            check_columns("--keep", self.names or (), sequence)
        names = sequence.names if self.names is None else self.names
        self._waiting.append(
            {
                free(name, self._taken): _values(sequence.columns.get(name), encoded)
                for name in names
                if name not in self._ids
            }
        )

    def added(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Yield the rows with the columns of their sequences."""
        for row in rows:
            own = self._waiting.popleft()
            yield {"id": row["id"], **own, **row}


def check_columns(option: str, names: Iterable[str], sequence: RawSequence) -> None:
    """Raise the `ConfigError` for the first column, named by an option, that a sequence does not have."""
    for name in names:
        if name not in sequence.names:
            hint = did_you_mean(nearest(name, sequence.names))
            what = f"{sequence.where} has no such column, only {columns_listed(sequence.names)}"
            raise ConfigError(f"{option} {on_one_line(name)}: {what}{hint}")


def _values(value: Any, encoded: Encoded) -> Any:
    """Return raw values as JSON has them; one for each step of the input where there is one for each step."""
    if isinstance(value, str) or not isinstance(value, Sequence | np.ndarray):
        return plain_value(value)
    values = [plain_value(cell) for cell in (value.tolist() if isinstance(value, np.ndarray) else value)]
    steps = encoded.offset + encoded.steps + encoded.unpredicted
    per_step = encoded.observed is None and len(values) == steps
    return PerStep(encoded.by_input_step(values)) if per_step else values


def plain_value(value: Any) -> Any:
    """Return a raw value as JSON has it."""
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, list):
        return [plain_value(cell) for cell in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
