"""Files of word vectors: a token and its numbers on each line, with or without a first line of their counts.

``3000000 300`` begins a file of word2vec or fastText in text form (``.vec``); GloVe's files have no such line. Files
may be compressed (gz, zst, zip).
"""

import hashlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lstm_cli.data.formats.source import Source
from lstm_cli.errors import DataError, brief

_FIX = "give a text file with a token and its numbers on each line"


@dataclass(frozen=True, eq=False)
class Vectors:
    """The vectors of some tokens.

    Attributes
    ----------
    of : dict of str to array (D,)
        By token.
    width
        D.
    digest
        SHA-256 of all lines.
    """

    of: dict[str, NDArray[np.float64]]
    width: int
    digest: str


def width_of(path: Path) -> int:
    """Return how many numbers the vectors of a file have, by its first line."""
    source = _source(path)
    number, line, error = next(source.lines())
    return _width(source, number, line, error)


def read_vectors(path: Path, wanted: Collection[str]) -> Vectors:
    """Return the vectors of those tokens of a file that are wanted; of one that has several, the first.

    Raises
    ------
    DataError
        A line does not have a token and as many finite numbers as the first.
    """
    source, digest, found = _source(path), hashlib.sha256(), dict[str, NDArray[np.float64]]()
    width = 0
    for number, line, error in source.lines():
        digest.update(line.encode() + b"\n")
        if number == 1:
            width = _width(source, number, line, error)
            if _counts(line):
                continue
        parts = line.rstrip(" \t").rsplit(None, width)  # a token may contain blanks
        if not line.strip():
            continue
        if len(parts) != width + 1:
            raise DataError(f"{source.name}:{number}: expected a token and {width} numbers: {_FIX}")
        if parts[0] in wanted and parts[0] not in found:
            found[parts[0]] = _numbers(f"{source.name}:{number}", parts[1:])
    return Vectors(found, width, digest.hexdigest())


def _source(path: Path) -> Source:
    return Source(path, base="the config's folder")


def _counts(line: str) -> bool:
    """Return whether a first line says how many vectors there are, of how many numbers."""
    return len(parts := line.split()) == 2 and all(part.isdecimal() for part in parts)


def _width(source: Source, number: int, line: str, error: DataError | None) -> int:
    """Return the width that the first line shows."""
    parts = line.split()
    width = int(parts[1]) if _counts(line) else len(parts) - 1
    if error is not None or width < 1:
        raise error or DataError(f"{source.name}:{number}: expected a token and its numbers, or two counts: {_FIX}")
    if not _counts(line):
        _numbers(f"{source.name}:{number}", parts[1:])
    return width


def _numbers(where: str, texts: list[str]) -> NDArray[np.float64]:
    try:
        values = np.array([float(text) for text in texts])
    except ValueError as error:
        raise DataError(f"{where}: {brief(error)}: {_FIX}") from None
    if not np.isfinite(values).all():
        raise DataError(f"{where}: a number that is not finite: remove the line")
    return values


def tokens_with_lower(tokens: Collection[str]) -> Iterator[str]:
    """Yield tokens, and what they are in lower case."""
    for token in tokens:
        yield token
        yield token.lower()
