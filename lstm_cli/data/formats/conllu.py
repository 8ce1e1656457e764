"""Format conllu: the ten tab-separated columns of Universal Dependencies, a blank line after every sentence.

Multiword ranges (1-2) and empty nodes (3.1) are skipped. Comments ``# key = value`` become columns with
one value per sentence; ``sent_id`` is its id.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import chain

from lstm_cli.data.formats.naming import sequence_id
from lstm_cli.data.formats.raw import Options, RawSequence, StepLines
from lstm_cli.data.formats.source import Source
from lstm_cli.errors import DataError

COLUMNS = ("form", "lemma", "upos", "xpos", "feats", "head", "deprel", "deps", "misc")
_SKIPPED = re.compile(r"\d+[-.]\d+")

#: A line's number, its text and the error of its encoding.
Line = tuple[int, str, DataError | None]


def read(source: Source, options: Options) -> Iterator[RawSequence | DataError]:
    """Yield one sequence per sentence."""
    count = 0
    for sentence in blocks(source.lines()):
        count += 1
        yield _sequence(source, options, count, sentence)
    if not count:
        raise source.empty()


def blocks(lines: Iterable[Line]) -> Iterator[list[Line]]:
    """Yield the lines between blank ones."""
    block: list[Line] = []
    for line in chain(lines, [(0, "", None)]):
        if line[1].strip():
            block.append(line)
        elif block:
            yield block
            block = []


def _sequence(source: Source, options: Options, count: int, sentence: list[Line]) -> RawSequence | DataError:
    comments: dict[str, str] = {}
    words, numbers = [], []
    for number, line, error in sentence:
        if error is not None:
            return error
        if line.startswith("#"):
            key, _, value = line[1:].partition("=")
            comments[key.strip()] = value.strip()
            continue
        cells = line.split("\t")
        if len(cells) != len(COLUMNS) + 1:
            fix = "separate ten columns by tabs, and write _ for an empty one"
            return DataError(f"{source.name}:{number}: expected 10 cells, got {len(cells)}: {fix}")
        if cells[0].isdecimal():
            words.append(cells[1:])
            numbers.append(number)
        elif not _SKIPPED.fullmatch(cells[0]):
            fix = "number the words 1, 2, 3 …"
            return DataError(f"{source.name}:{number}: expected a word's number, got {cells[0]!r}: {fix}")
    where = f"{source.name}:{sentence[0][0]}"
    if not words:
        return DataError(f"{where}: the sentence has no words: delete it or give it one")
    name = sequence_id(where, comments.get, comments.get("sent_id", count), options)
    if isinstance(name, DataError):
        return name
    columns = comments | dict(zip(COLUMNS, map(list, zip(*words, strict=True)), strict=True))
    kept = {column: value for column, value in columns.items() if options.wants(column)}
    return RawSequence(where, name, kept, tuple(columns), True, StepLines(source.name, numbers))
