"""The interface of the readers: options for reading a file, raw sequences, and the errors of their values.

A wrong value raises a `ValueProblem` where it is found; the sequence adds the place and turns it into a `DataError`
of the form ``file:line: what: what to do``.
"""

from collections import Counter
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from itertools import repeat
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from lstm_cli.config.table import MISSING
from lstm_cli.data.formats.bunch import Bunch
from lstm_cli.errors import DataError, on_one_line

Split = Literal["train", "valid", "test"]

#: The name of a sequence: a text or a number; of several columns, their texts.
Id = str | int | tuple[str, ...]


@dataclass(frozen=True)
class TableOptions:
    """How a table is written; the fields mean what the keys of the config's section `data.table` do."""

    row: Literal["auto", "step", "sequence"] = "auto"
    delimiter: str = "auto"
    decimal: str = "auto"
    thousands: str | None = None
    header: bool | Literal["auto"] = "auto"
    columns: tuple[str, ...] | None = None
    comment: str | None = None
    skip: int = 0
    encoding: str = "utf-8"


@dataclass(frozen=True)
class Options:
    """How a file is read.

    Attributes
    ----------
    id
        Columns that name a sequence. A table without columns of these names is one long series.
    id_required
        The user named the id column, so that a file without it is an error.
    columns
        The columns to read; None: all.
    wide
        Of inputs whose steps are the columns of a table: their names, and names or patterns of the columns.
    input
        The column that feeds the network; in format npz it determines the number of sequences and steps.
    unit
        Format text: what a token is, ``char`` or ``word``.
    lines
        Format text: each line is a sequence.
    table
        How tables are written.
    missing
        What counts as missing among numbers and targets, as written.
    split
        Which part of a file that holds several splits is read; None at prediction.
    time
        Column of the time of each step, which may hold dates in formats that know them.
    bunches
        Short sequences may come in bunches, each as one `RawSequence`.
    """

    id: tuple[str, ...] = ("id",)
    id_required: bool = False
    columns: frozenset[str] | None = None
    wide: tuple[tuple[str, tuple[str, ...]], ...] = ()
    input: str = "x"
    unit: str = "char"
    lines: bool = False
    table: TableOptions = TableOptions()
    missing: tuple[str | int | float, ...] = MISSING
    split: Split | None = None
    time: str | None = None
    bunches: bool = False

    def wants(self, column: str) -> bool:
        """Return whether a column is needed."""
        return self.columns is None or column in self.columns

    def needs(self, column: str) -> bool:
        """Return whether a column of a table is needed: for itself, as part of an id, or as a step of an input."""
        patterns = [pattern for _, columns in self.wide for pattern in columns]
        return self.wants(column) or column in self.id or any(fnmatchcase(column, pattern) for pattern in patterns)


class ValueProblem(Exception):
    """A problem with one value.

    Parameters
    ----------
    what
        What was expected and what was found.
    fix
        What to do about it.
    step
        Index of the step that has the problem, if it concerns one.
    steps
        All steps that have such a problem, where they are known.
    """

    def __init__(self, what: str, fix: str, *, step: int | None = None, steps: NDArray[np.intp] | None = None) -> None:
        super().__init__(what)
        self.what, self.fix, self.step, self.steps = what, fix, step, steps


class BadRow(DataError):
    """An error of one row of a table, whose sequence may be used without it.

    Parameters
    ----------
    message
        What is wrong.
    sequence, step
        The sequence, and the step that the row is.
    steps
        All steps with such an error, where they are known.
    """

    def __init__(self, message: str, sequence: "RawSequence", step: int, steps: NDArray[np.intp] | None = None) -> None:
        super().__init__(message)
        self._sequence, self._step, self._steps = sequence, step, steps

    @property
    def rest(self) -> "RawSequence":
        """The sequence without the row."""
        return self._sequence.without(self._step)

    @property
    def rest_of_kind(self) -> "RawSequence":
        """The sequence without all rows that have such an error."""
        return self._sequence.without(self._step if self._steps is None else self._steps)


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """Where the steps of a sequence stand in the input, some of whose rows are dropped or in another order.

    Attributes
    ----------
    numbers : int array (T,)
        The number of each step in the input, from 0.
    count
        How many steps the input has.
    """

    numbers: NDArray[np.intp]
    count: int

    def spread(self, values: Sequence[Any]) -> list[Any]:
        """Return one value for each step of the input, None for those that are dropped."""
        found: list[Any] = [None] * self.count
        for number, value in zip(self.numbers.tolist(), values, strict=True):
            found[number] = value
        return found


@dataclass(slots=True)
class RawSequence:
    """One sequence as it is written in a file.

    Attributes
    ----------
    where
        Place of the sequence: ``file:line``.
    id
        Its name: the value of the id column, or of all of them, or its number counted from 1.
    columns
        Raw values of the needed columns by name: JSON values, lists of cells, or arrays.
    names
        All columns that the file has.
    textual
        Values are text that may represent numbers (csv, conllu), so that ``"12"`` is also a number.
    steps_at
        Place of every step, in formats that write one step per line.
    labels
        Columns that hold labels whatever they look like, as the file says (``@classLabel`` in ts).
    rows
        The steps are rows of a table: one that cannot be used may be left out.
    table
        How the table is written, as far as the file shows it.
    places
        Where its steps stand in the input; None: they are all of them, in their order.
    bunch
        These are several sequences end to end; id and place are those of the first. None: it is one.
    """

    where: str
    id: Id
    columns: dict[str, Any]
    names: Sequence[str] = ()
    textual: bool = False
    steps_at: Sequence[str] | None = None
    labels: frozenset[str] = frozenset()
    rows: bool = False
    table: TableOptions | None = None
    places: Places | None = None
    bunch: Bunch | None = None

    @property
    def count(self) -> int:
        """How many sequences these are."""
        return 1 if self.bunch is None else len(self.bunch)

    def each(self) -> "Generator[RawSequence, None, None]":
        """Yield the sequences of a bunch one by one."""
        if self.bunch is None:
            yield self
            return
        bunch = self.bunch
        cut = {name: bunch.cut(values, whole=name in bunch.whole) for name, values in self.columns.items()}
        steps_at = repeat(None) if self.steps_at is None else bunch.cut(self.steps_at)
        for where, name, steps in zip(bunch.places, bunch.ids, steps_at, strict=False):
            columns = {column: next(values) for column, values in cut.items()}
            yield replace(self, where=where, id=name, columns=columns, steps_at=steps, bunch=None)

    def take(self, steps: NDArray[np.intp], count: int) -> "RawSequence":
        """Return the sequence with some of its steps, or with all in another order; `count` is how many it has."""
        columns = {name: _taken(value, steps, count) for name, value in self.columns.items()}
        before = self.places or Places(np.arange(count), count)
        places = Places(before.numbers[steps], before.count)
        return replace(self, columns=columns, steps_at=_taken(self.steps_at, steps, count), places=places)

    def without(self, step: "int | NDArray[np.intp]") -> "RawSequence":
        """Return the sequence without a step, or several, in formats that write one step per line."""
        count = len(self.steps_at or ())
        return self.take(np.delete(np.arange(count), step), count)

    def error(self, column: str, problem: ValueProblem) -> DataError:
        """Return the error to report for a problem in a column."""
        if problem.step is not None and self.steps_at is not None and problem.step < len(self.steps_at):
            message = f"{self.steps_at[problem.step]}: {on_one_line(column)}: {problem.what}: {problem.fix}"
            return BadRow(message, self, problem.step, problem.steps) if self.rows else DataError(message)
        return problem_at(self.where, column, problem)


def _taken(values: Any, steps: NDArray[np.intp], count: int) -> Any:
    """Return some steps of a column that has `count` of them; another value as it is."""
    if not isinstance(values, Sequence | np.ndarray) or isinstance(values, str) or len(values) != count:
        return values
    if isinstance(values, np.ndarray):
        return values[steps]
    return values.take(steps) if hasattr(values, "take") else [values[step] for step in steps]


def problem_at(where: str, column: str, problem: ValueProblem) -> DataError:
    """Return the error to report for a problem in a column of the sequence at a place."""
    step = "" if problem.step is None else f"step {problem.step + 1}: "
    return DataError(f"{where}: {on_one_line(column)}: {step}{problem.what}: {problem.fix}")


class StepLines(Sequence[str]):
    """Places of steps, formatted only on access: a file's name and the line of each step."""

    def __init__(self, file: str, lines: Sequence[int] | NDArray[np.int64]) -> None:
        self._file, self._lines = file, lines

    def __len__(self) -> int:
        return len(self._lines)

    def take(self, steps: NDArray[np.intp]) -> "StepLines":
        """Return the places of some of the steps."""
        return StepLines(self._file, np.asarray(self._lines)[steps])

    def __getitem__(self, index: Any) -> Any:
        return f"{self._file}:{self._lines[index]}"


def repeated(names: Iterable[str]) -> list[str]:
    """Return the names that stand more than once, in order."""
    return sorted(name for name, count in Counter(names).items() if count > 1)


def label_key(value: Any) -> str:
    """Return the string by which a label is looked up: 3, 3.0 and "3" are the same label."""
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value)
