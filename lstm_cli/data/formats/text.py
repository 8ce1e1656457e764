"""Format text: characters or words; every line a sequence, or the whole file one long series."""

from collections.abc import Iterator

from lstm_cli.data.formats.raw import Options, RawSequence
from lstm_cli.data.formats.source import Source
from lstm_cli.errors import DataError

#: Ends a line, and with `lines: true` begins one: no line can hold it, and generated text prints as it should.
BOUNDARY = "\n"


def read(source: Source, options: Options) -> Iterator[RawSequence | DataError]:
    """Yield a sequence per line that is not blank, named after the line's number, or one for the whole file."""
    if not options.lines:
        yield RawSequence(f"{source.name}:1", 1, {"text": split(source.text(), options.unit)}, ("text",), True)
        return
    count = 0
    for number, line, error in source.lines():
        if line.strip():
            count += 1
            yield error or RawSequence(
                f"{source.name}:{number}", number, {"text": split(line, options.unit)}, ("text",), True
            )
    if not count:
        raise source.empty()


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
