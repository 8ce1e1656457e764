"""Format text: characters or words; every line a sequence, or the whole file one long series."""

from collections.abc import Iterator
from itertools import chain, islice

import numpy as np

from lstm_cli.data.formats.bunch import MOST, Bunch, compact
from lstm_cli.data.formats.raw import Options, RawSequence, StepLines
from lstm_cli.data.formats.source import Source
from lstm_cli.errors import DataError

#: Ends a line, and with `lines: true` also begins one. No line can contain it, and generated text prints correctly.
BOUNDARY = "\n"


def read(source: Source, options: Options) -> Iterator[RawSequence | DataError]:
    """Yield a sequence per line that is not blank, with the line's number as id, or one for the whole file."""
    if not options.lines:
        yield RawSequence(f"{source.name}:1", 1, {"text": split(source.text(), options.unit)}, ("text",), True)
        return
    filled, count = (line for line in source.lines() if line[1].strip()), 0
    while group := list(islice(filled, MOST if options.bunches else 1)):
        count += len(group)
        if options.bunches and not any(error for _, _, error in group):
            yield _bunch(source.name, group, options.unit)
            continue
        for number, line, error in group:
            tokens = split(line, options.unit)
            yield error or RawSequence(f"{source.name}:{number}", number, {"text": tokens}, ("text",), True)
    if not count:
        raise source.empty()


def _bunch(file: str, group: list[tuple[int, str, DataError | None]], unit: str) -> RawSequence:
    """Return lines as a bunch."""
    pieces = [split(line, unit) for _, line, _ in group]
    numbers = compact([number for number, _, _ in group])
    bunch = Bunch(numbers, StepLines(file, numbers), np.array(list(map(len, pieces)), np.int64))
    return RawSequence(bunch.places[0], numbers[0], {"text": list(chain(*pieces))}, ("text",), True, bunch=bunch)


def split(text: str, unit: str) -> list[str]:
    """Return the tokens of a text: its characters, or its words and line ends."""
    if unit == "char":
        return list(text)
    lines = [line.split() for line in text.split(BOUNDARY)]
    tokens = [token for words in lines for token in (*words, BOUNDARY)]
    return tokens[:-1]


def join(tokens: list[str], unit: str, *, after: str = "") -> str:
    """Return the text of tokens as the continuation of a text: words are separated by single spaces."""
    if unit == "char":
        return "".join(tokens)
    before = [after[-1:], *tokens]
    spaces = [" " if last not in ("", BOUNDARY) and token != BOUNDARY else "" for last, token in zip(before, tokens)]
    return "".join(space + token for space, token in zip(spaces, tokens, strict=True))
