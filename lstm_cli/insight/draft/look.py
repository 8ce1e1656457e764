"""Reads data files and finds how they are written, with the readers that training uses."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from lstm_cli.config.config import Config
from lstm_cli.config.formats import TABLES, TEXTS, format_of
from lstm_cli.config.table import MISSING
from lstm_cli.data.formats import Options, detect, read
from lstm_cli.data.formats.head import Unnamed
from lstm_cli.data.formats.missing import MissingValues
from lstm_cli.data.formats.raw import RawSequence, TableOptions
from lstm_cli.data.formats.source import Source
from lstm_cli.data.sources import files_of, named_by_file, names_of
from lstm_cli.errors import DataError
from lstm_cli.insight.draft.columns import Column
from lstm_cli.insight.draft.facts import columns_of
from lstm_cli.insight.draft.tables import Arrangement, arrangement

_NAME_OF_VALUE = re.compile(r"[-+]?[\d.,]+(?:e[-+]?\d+)?|\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}.*", re.IGNORECASE)
#: The share of sequences or rows that may be unreadable, and lines that are looked at to tell what a text is.
_BAD, _LINES = 0.05, 2000


@dataclass(frozen=True, eq=False)
class Look:
    """What data files hold.

    Attributes
    ----------
    files
    form
        Their format.
    table
        How they are written, as far as that must be said.
    arrangement
        How rows become sequences.
    columns
    lengths
        The steps of each sequence.
    lines
        Of text: whether each line is a sequence.
    bad
        The first of a few errors of sequences that cannot be read; None if all can be.
    bad_count
        How many there are.
    encoding
        Of text.
    own
        The name of the input in formats that give it one.
    decimal
        The decimal mark of a table.
    """

    files: list[Path]
    form: str
    table: TableOptions
    arrangement: Arrangement
    columns: list[Column]
    lengths: list[int]
    lines: bool = False
    bad: DataError | None = None
    bad_count: int = 0
    own: str | None = None
    decimal: str = "."

    def column(self, name: str) -> Column | None:
        """Return a column by its name."""
        return next((column for column in self.columns if column.name == name), None)

    @property
    def several(self) -> bool:
        """Whether there are several sequences."""
        return len(self.lengths) > 1

    @property
    def steps(self) -> int:
        """The number of steps of all sequences."""
        return sum(self.lengths)


def look(config: Config) -> Look:
    """Return what the training data of a config holds, of which nothing else is used.

    Raises
    ------
    DataError
        A file is missing or cannot be read.
    """
    files = files_of(config, "data.train", config.data.train)
    table = TableOptions(encoding=_encoding(files[0]))
    form = detect(files[0], table=table)
    if form == "text":
        return _look_at_text(files, table)
    return _Reading(files, form, table).look()


def _encoding(path: Path) -> str:
    """Return the encoding of a file, as far as its beginning shows it."""
    if not path.is_file() or format_of(path) not in (None, *TEXTS):
        return "utf-8"
    with Source(path).open() as stream:
        start = stream.read(1 << 20)
    if start[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    try:
        start[: start.rfind(b"\n") + 1].decode()
    except UnicodeDecodeError:
        return "utf-8" if b"\0" in start else "cp1252"
    return "utf-8"


def _look_at_text(files: list[Path], table: TableOptions) -> Look:
    """Return what text holds: one long series, or short lines without blanks, of which each is a sequence."""
    lines = [line.strip() for _, line, _ in islice(Source(files[0]).lines(), _LINES)]
    filled = [line for line in lines if line]
    single = len(filled) > 9 and sum(len(line.split()) == 1 for line in filled) > 0.9 * len(filled)
    options = Options(columns=None, lines=single, table=table, split="train")
    sequences, error, errors = _sequences(files, "text", options)
    columns = columns_of(sequences, MissingValues())
    lengths = [len(sequence.columns["text"]) for sequence in sequences]
    return Look(files, "text", table, Arrangement(), columns, lengths, single, error, errors, "text")


class _Reading:
    """Reads files of sequences or tables, first to find how, then as found."""

    def __init__(self, files: list[Path], form: str, table: TableOptions) -> None:
        self._files, self._form, self._table = files, form, table

    def look(self) -> Look:
        if self._form in TABLES:
            return self._look_at_table()
        sequences, error, errors = self._read(Options(split="train"))
        if self._form in ("json", "jsonl") and _are_steps(sequences):
            self._table = replace(self._table, row="step")
            return self._look_at_table()
        return self._found(sequences, error, errors, Arrangement())

    def _look_at_table(self) -> Look:
        """Return what a table holds, or rows of lists in parquet and arrow."""
        if self._form in ("parquet", "arrow"):
            sequences, error, errors = self._read(Options(split="train"))
            if not _are_steps(sequences):
                return self._found(sequences, error, errors, Arrangement())
            self._table = replace(self._table, row="step")
        whole = self._as_one()
        found = arrangement(whole[0])
        if found.wide:
            whole, found = self._named(whole, found)
        by_file = len(self._files) > 1 and not found.ids and not found.rows
        table = replace(self._table, row="sequence") if found.rows and not found.wide else self._table
        wide = (("x", (found.wide,)),) if found.wide else ()
        options = Options(id=found.ids, wide=wide, table=table, split="train", input="x", time=found.time)
        sequences, error, errors = self._read(options, by_file=by_file)
        for sequence in sequences if found.wide else ():
            for name in [name for name in sequence.columns if _matches(name, found.wide)]:
                del sequence.columns[name]
        self._table = replace(
            table,
            row="auto" if self._form not in ("json", "jsonl", "parquet", "arrow") and not found.rows else table.row,
        )
        if found.ids:
            for sequence in sequences:
                for name in found.ids:
                    sequence.columns.pop(name, None)
        decimal = next((given.table.decimal for given in whole if given.table is not None), ".")
        return self._found(sequences, error, errors, found, decimal)

    def _as_one(self) -> list[RawSequence]:
        """Return the rows of each file as one long series."""
        options = Options(id=(), table=self._table, split="train")
        try:
            sequences = self._read(options)[0]
        except Unnamed as error:
            self._table = replace(self._table, columns=_numbered(len(error.cells)))
            return self._as_one()
        names = list(sequences[0].columns)
        if self._table.columns is None and sum(bool(_NAME_OF_VALUE.fullmatch(name)) for name in names) > len(names) / 2:
            if not _are_consecutive(names):
                self._table = replace(self._table, columns=_numbered(len(names)))
                return self._as_one()
        return sequences

    def _named(self, whole: list[RawSequence], found: Arrangement) -> tuple[list[RawSequence], Arrangement]:
        """Give the columns of a wide table without a header names that tell the label from the steps."""
        if self._table.columns is None:
            return whole, found
        names = list(self._table.columns)
        columns = {column.name: column for column in columns_of(whole, MissingValues())}
        ends = [name for name in (names[0], names[-1]) if columns[name].kind == "label"]
        steps = iter(range(1, len(names) + 1))
        named = tuple("label" if name == (ends or [""])[0] else f"t{next(steps)}" for name in names)
        self._table = replace(self._table, columns=named)
        return self._as_one(), replace(found, wide="t*")

    def _read(self, options: Options, *, by_file: bool = False) -> tuple[list[RawSequence], DataError | None, int]:
        options = replace(
            options,
            table=replace(
                options.table,
                encoding=self._table.encoding,
                columns=self._table.columns,
                row=options.table.row if options.table.row != "auto" else self._table.row,
            ),
        )
        return _sequences(self._files, self._form, options, by_file=by_file)

    def _found(
        self, sequences: list[RawSequence], error: DataError | None, errors: int, found: Arrangement, decimal: str = "."
    ) -> Look:
        columns = columns_of(sequences, MissingValues(MISSING))
        lengths = [max((len(v) for v in s.columns.values() if _has_steps(v)), default=1) for s in sequences]
        return Look(self._files, self._form, self._table, found, columns, lengths, False, error, errors, None, decimal)


def _has_steps(value: Any) -> bool:
    return not isinstance(value, str) and hasattr(value, "__len__")


def _sequences(
    files: Sequence[Path], form: str, options: Options, *, by_file: bool = False
) -> tuple[list[RawSequence], DataError | None, int]:
    """Return the sequences of files, the first error and how many there are; raise it where there are many."""
    sequences: list[RawSequence] = []
    errors: list[DataError] = []
    for path, name in zip(files, names_of(files), strict=True):
        items = read(Source(path), form, options)
        for item in named_by_file(items, name, options.id) if by_file else items:
            (errors if isinstance(item, DataError) else sequences).append(item)  # type: ignore[arg-type]
    rows = max(len(sequences), *(len(sequence.steps_at or ()) for sequence in sequences), 1)
    if errors and (not sequences or len(errors) > _BAD * rows):
        raise errors[0]
    return sequences, errors[0] if errors else None, len(errors)


def _are_steps(sequences: Sequence[RawSequence]) -> bool:
    """Return whether each object or row holds only single values, and no text of several words."""
    for sequence in sequences[:1000]:
        for value in sequence.columns.values():
            if _has_steps(value) or (isinstance(value, str) and len(value.split()) > 2):
                return False
    numbers = any(isinstance(value, int | float) for value in sequences[0].columns.values())
    return numbers and len(sequences) > 1


def _numbered(count: int) -> tuple[str, ...]:
    return tuple(f"c{place}" for place in range(1, count + 1))


def _are_consecutive(names: Sequence[str]) -> bool:
    """Return whether names are 0, 1, 2 …, which number the steps of a row."""
    numbers = [int(name) for name in names if name.isdecimal()]
    return len(numbers) > 2 and numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def _matches(name: str, pattern: str) -> bool:
    from fnmatch import fnmatchcase

    return fnmatchcase(name, pattern)
