"""One sequence as a reader returns it, with its raw columns, and the error for what is wrong with it.

What is wrong with a value is a `ValueProblem` where it is found; the sequence adds the place and makes it a `DataError`
of the form ``file:line: what: what to do``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lstm_cli.errors import DataError


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
    """One sequence as it stands in a file.

    Attributes
    ----------
    where
        Place of the row: ``file:line``.
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
        return flaw_at(self.where, column, problem)


def flaw_at(where: str, column: str, problem: ValueProblem) -> DataError:
    """Return the error to report for a problem in a column of the row at a place."""
    step = "" if problem.step is None else f"step {problem.step + 1}: "
    return DataError(f"{where}: {column}: {step}{problem.what}: {problem.fix}")


class StepLines(Sequence[str]):
    """Places of steps, made only when asked for: a file's name and the line of each step."""

    def __init__(self, file: str, lines: Sequence[int]) -> None:
        self._file, self._lines = file, lines

    def __len__(self) -> int:
        return len(self._lines)

    def __getitem__(self, index: Any) -> Any:
        return f"{self._file}:{self._lines[index]}"
