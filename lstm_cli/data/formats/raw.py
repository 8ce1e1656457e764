"""What every reader is given and yields: how to read a file, raw sequences, and the errors for what is wrong in them.

What is wrong with a value is a `ValueProblem` where it is found; the sequence adds the place and makes it a `DataError`
of the form ``file:line: what: what to do``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lstm_cli.errors import DataError


@dataclass(frozen=True)
class Options:
    """How a file is read.

    Attributes
    ----------
    id
        Column that names a sequence. A csv file without a column of this name is one long series.
    id_required
        The user named the id column, so a file without it is wrong.
    unique_ids
        Format csv: an id that comes back after others is an error. Costs memory for every id.
    columns
        The columns that are needed; others are not kept. None keeps all.
    input
        The column that feeds the network: it tells format npz how many sequences and steps there are.
    unit
        Format text: what a token is, ``char`` or ``word``.
    lines
        Format text: each line is a sequence.
    """

    id: str = "id"
    id_required: bool = False
    unique_ids: bool = True
    columns: frozenset[str] | None = None
    input: str = "x"
    unit: str = "char"
    lines: bool = False

    def wants(self, column: str) -> bool:
        """Return whether a column is needed."""
        return self.columns is None or column in self.columns


class ValueProblem(Exception):
    """Something wrong with one value.

    Parameters
    ----------
    what
        What was expected and what is there.
    fix
        What to do about it.
    step
        Index of the step where it is, if it is in one.
    """

    def __init__(self, what: str, fix: str, *, step: int | None = None) -> None:
        super().__init__(what)
        self.what, self.fix, self.step = what, fix, step


@dataclass(slots=True)
class RawSequence:
    """One sequence as it is written in a file.

    Attributes
    ----------
    where
        Place of the sequence: ``file:line``.
    id
        Its name: the value of the id column, or its number counted from 1.
    columns
        Raw values of the needed columns by name: what JSON has, lists of cells, or arrays.
    names
        All columns that the file has.
    textual
        Values are text that may stand for numbers (csv, conllu), so ``"12"`` is also a number.
    steps_at
        Place of every step, in formats that write one step per line.
    """

    where: str
    id: str | int
    columns: dict[str, Any]
    names: Sequence[str] = ()
    textual: bool = False
    steps_at: Sequence[str] | None = None

    def error(self, column: str, problem: ValueProblem) -> DataError:
        """Return the error to report for a problem in a column."""
        if problem.step is not None and self.steps_at is not None and problem.step < len(self.steps_at):
            return DataError(f"{self.steps_at[problem.step]}: {column}: {problem.what}: {problem.fix}")
        return problem_at(self.where, column, problem)


def problem_at(where: str, column: str, problem: ValueProblem) -> DataError:
    """Return the error to report for a problem in a column of the sequence at a place."""
    step = "" if problem.step is None else f"step {problem.step + 1}: "
    return DataError(f"{where}: {column}: {step}{problem.what}: {problem.fix}")


class StepLines(Sequence[str]):
    """Places of steps, formatted only on access: a file's name and the line of each step."""

    def __init__(self, file: str, lines: Sequence[int]) -> None:
        self._file, self._lines = file, lines

    def __len__(self) -> int:
        return len(self._lines)

    def __getitem__(self, index: Any) -> Any:
        return f"{self._file}:{self._lines[index]}"


def label_key(value: Any) -> str:
    """Return the string by which a label is looked up: 3, 3.0 and "3" are the same label."""
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value)
