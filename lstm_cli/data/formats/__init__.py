"""One file per format: from bytes to rows. Which one reads a file is said by the config or by the file's suffix.

A reader is a generator of rows. A row that cannot be read is yielded as the `DataError` that says why, so that the
caller decides whether to stop or to skip; what makes the rest of the file useless is raised.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

from lstm_cli.config.formats import FORMAT_OF, format_of
from lstm_cli.data.formats import arrow as columnar
from lstm_cli.data.formats import conllu, jsonl, text
from lstm_cli.data.formats import csv as table
from lstm_cli.data.formats import npz as archive
from lstm_cli.data.formats import ts as series
from lstm_cli.data.formats.options import Options
from lstm_cli.data.formats.raw import RawSequence
from lstm_cli.data.formats.source import Source, shown
from lstm_cli.errors import DataError, did_you_mean, nearest

Reader = Callable[[Source, Options], Iterator[RawSequence | DataError]]

READERS: dict[str, Reader] = {
    "jsonl": jsonl.read,
    "csv": table.read,
    "parquet": columnar.read_parquet,
    "arrow": columnar.read_arrow,
    "npz": archive.read,
    "text": text.read,
    "conllu": conllu.read,
    "ts": series.read,
}

#: The column that feeds the network, and the one with the answer, in formats that name their columns themselves.
OWN_INPUT = {"text": "text", "npz": "x", "ts": "x"}

__all__ = ["OWN_INPUT", "READERS", "Options", "detect", "read"]


def detect(path: Path) -> str:
    """Return the format of a file by its suffix."""
    form, suffix = format_of(path), path.suffix.lower()
    if form is not None:
        return form
    hint = did_you_mean(nearest(suffix, FORMAT_OF))
    raise DataError(
        f"{shown(path)}: the suffix {suffix or 'is missing and'!s} does not tell the format{hint}: "
        f"rename the file or set data.format to one of {', '.join(READERS)}"
    )


def read(source: Source, form: str, options: Options) -> Iterator[RawSequence | DataError]:
    """Yield the rows of a source in the given format, `DataError` objects among them for those that cannot be read."""
    return READERS[form](source, options)
