"""Writes rows of predictions as jsonl or csv, or text: to a file, completely or not at all, or to standard output."""

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from lstm_cli.errors import ConfigError
from lstm_cli.predict.table import Table
from lstm_cli.predict.wording import Row
from lstm_cli.run.files import WholeFile, disk_errors

#: Suffixes of files with a row for each sequence or step.
SUFFIXES = (".csv", ".jsonl", ".json")


def write_rows(rows: Iterable[Row], out: Path | None, table: Table) -> None:
    """Write rows as they come, as csv if the name of `out` ends so, else as jsonl.

    Parameters
    ----------
    rows : iterable of mappings
        With `id`, `prediction`, columns of the input and, if present, `probabilities` or `output`.
    out : Path or None
        None is standard output.
    table : Table
        How rows become lines of csv.

    Raises
    ------
    ConfigError
        The file's suffix names no format.
    DiskError
        The file cannot be written; an existing one is unchanged.
    """
    write_lines(table.lines(rows) if is_csv(out) else jsonl_lines(rows), out)


def write_lines(lines: Iterable[str], out: Path | None, *, at_once: bool = False) -> None:
    """Write lines as they come; a lone surrogate, which JSON can represent and UTF-8 cannot, as its JSON escape.

    With `at_once` standard output is flushed after each.
    """
    write_pieces((line.encode(errors="backslashreplace") for line in lines), out, at_once=at_once)


def is_csv(out: Path | None, expected: str = ".jsonl, .csv or .conllu") -> bool:
    """Return whether predictions are written as csv, not as jsonl; `expected` are the suffixes that a message names."""
    if out is not None and out.suffix not in SUFFIXES:
        raise ConfigError(f"-o {out}: expected a name that ends in {expected}")
    return out is not None and out.suffix == ".csv"


def write_text(pieces: Iterable[str], out: Path | None) -> None:
    """Write text piece by piece; None is standard output, where each piece is flushed at once."""
    write_pieces((piece.encode() for piece in pieces), out, at_once=True)


def write_pieces(pieces: Iterable[bytes], out: Path | None, *, at_once: bool = False) -> None:
    """Write bytes piece by piece, flushing standard output at the end, or with `at_once` after each."""
    if out is not None:
        with WholeFile(out) as file:
            for piece in pieces:
                file.write(piece)
        return
    _print(b"", flushed=True)  # what was printed before comes first
    for piece in pieces:
        _print(piece, flushed=at_once)
    _print(b"", flushed=True)


def _print(piece: bytes, *, flushed: bool) -> None:
    with disk_errors(Path("standard output")):
        sys.stdout.buffer.write(piece)
        if flushed:
            sys.stdout.flush()


def jsonl_lines(rows: Iterable[Row]) -> Iterator[str]:
    """Yield rows as lines of JSON."""
    return (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
