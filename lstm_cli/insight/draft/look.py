"""Reads data files and finds what they hold, with the readers that training uses."""

from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from lstm_cli.config.config import Config
from lstm_cli.config.formats import TABLES, TEXTS, format_of
from lstm_cli.data.formats import Options, detect
from lstm_cli.data.formats.missing import MissingValues
from lstm_cli.data.formats.raw import TableOptions
from lstm_cli.data.formats.source import Source
from lstm_cli.data.sources import files_of
from lstm_cli.errors import DataError
from lstm_cli.insight.draft.columns import Column
from lstm_cli.insight.draft.facts import columns_of
from lstm_cli.insight.draft.reading import Reading, are_steps, length_of, marks_of_numbers, names_are_values, numbered
from lstm_cli.insight.draft.tables import Arrangement, arrangement, input_name, renamed

#: Lines that are looked at to tell what a text is.
_LINES = 2000


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

    def column(self, name: str | None) -> Column | None:
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
    if form in TABLES:
        return _look_at_table(files, form, table)
    reading = Reading.of(files, form, Options(table=table, split="train"))
    if form in ("json", "jsonl") and are_steps(reading.sequences):
        return _look_at_table(files, form, TableOptions(row="step", encoding=table.encoding))
    return _found(reading, Arrangement())


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
    return _found(Reading.of(files, "text", Options(lines=single, table=table, split="train")), Arrangement())


def _look_at_table(files: list[Path], form: str, table: TableOptions) -> Look:
    """Return what a table holds, or rows of lists in parquet and arrow."""
    if form in ("parquet", "arrow"):
        reading = Reading.of(files, form, Options(table=table, split="train"))
        if not are_steps(reading.sequences):
            return _found(reading, Arrangement())
        table = TableOptions(row="step")
    whole = _as_one(files, form, table)
    arranged, table = arrangement(whole.sequences[0]), whole.options.table
    if arranged.wide and table.columns is not None:
        table, arranged = renamed(table, arranged, whole.sequences)
    arranged = replace(arranged, input=input_name(table, whole.sequences[0]))
    table = arranged.table(table, form)
    options = Options(
        id=arranged.ids,
        wide=((arranged.input, (arranged.wide,)),) if arranged.wide else (),
        input=arranged.input,
        table=table,
        split="train",
        time=arranged.time,
    )
    by_file = len(files) > 1 and not arranged.ids and not arranged.rows
    reading = Reading.of(files, form, options, by_file=by_file)
    reading.drop(arranged.ids, arranged.wide)
    return _found(reading, arranged)


def _as_one(files: list[Path], form: str, table: TableOptions) -> Reading:
    """Return the rows of each file as one long series, with the table's options as they turn out to be."""
    reading = Reading.named(files, form, Options(id=(), table=table, split="train"))
    first, table = reading.sequences[0], reading.options.table
    if table.columns is None and names_are_values(list(first.columns)):
        return _as_one(files, form, numbered(table, len(first.columns)))
    marks = marks_of_numbers(first, table)
    return reading if marks == table else _as_one(files, form, marks)


def _found(reading: Reading, arranged: Arrangement) -> Look:
    return Look(
        files=reading.files,
        form=reading.form,
        table=reading.written,
        arrangement=arranged,
        columns=columns_of(reading.sequences, MissingValues()),
        lengths=[length_of(sequence) + reading.options.lines for sequence in reading.sequences],  # its end is a step
        lines=reading.options.lines,
        bad=reading.errors[0] if reading.errors else None,
        bad_count=len(reading.errors),
    )
