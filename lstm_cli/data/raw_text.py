"""Plain text for a model of tokens that was trained on another format: every line that is not blank is a sequence.

    echo "i want a flight" | lstm-predict runs/tagger -

What could be the training data's own format is read as that: a line of jsonl begins with {, a csv file with its header.
"""

import re
from collections.abc import Generator
from pathlib import Path

from lstm_cli.data.formats.detection import named_format
from lstm_cli.data.formats.raw import RawSequence
from lstm_cli.data.formats.source import Source
from lstm_cli.data.formats.text import split
from lstm_cli.data.schema.layout import Column, Layout
from lstm_cli.errors import DataError

#: First bytes of binary and compressed files.
_BINARY = (b"PAR1", b"ARROW1", b"PK\3\4", b"\x93NUMPY", b"\x1f\x8b", b"\x28\xb5\x2f\xfd")


def text_column(layout: Layout) -> Column | None:
    """Return the input whose tokens a line of text has: the only column of the file that a model of tokens reads."""
    own = [column for column in layout.inputs if not column.static]
    if layout.format == "text" or layout.time is not None or len({column.source for column in layout.inputs}) != 1:
        return None
    return own[0] if own and all(column.kind == "tokens" and not column.columns for column in own) else None


def format_by_content(data: Path, layout: Layout) -> str | None:
    """Return the format of what standard input (``-``) or a file named as text holds for a model of tokens.

    ``text``, or ``jsonl`` where the first line begins with {; None: as the name and the training data say.
    """
    column = text_column(layout)
    if column is None or not (str(data) == "-" or (named_format(data) == "text" and data.is_file())):
        return None
    start = Source(data).start()
    if start.startswith(_BINARY) or b"\0" in start:
        return None
    lines = [line for line in start.decode("utf-8-sig", errors="replace").splitlines() if line.strip()]
    if not lines or _is_own(lines, column.source, layout):
        return None
    return "jsonl" if lines[0].lstrip().startswith("{") else "text"


def read_text(source: Source, layout: Layout) -> Generator[RawSequence | DataError, None, None]:
    """Yield a sequence per line that is not blank, with the line's number as id."""
    column, count = text_column(layout), 0
    if column is None:
        what = "the model reads other inputs than the tokens of one column"
        raise DataError(f"{source.name}: a line of text is no sequence here, as {what}: give data as in training")
    for number, line, error in source.lines():
        if line.strip():
            count += 1
            tokens = split(line.strip(), _unit(column, layout))
            yield error or RawSequence(
                f"{source.name}:{number}", number, {column.source: tokens}, (column.source,), textual=True
            )
    if not count:
        raise source.empty()


def _unit(column: Column, layout: Layout) -> str:
    """Return what a token is: as training cut them out of text, and words where they were listed."""
    return (column.unit or layout.unit) if column.text else "word"


def _is_own(lines: list[str], name: str, layout: Layout) -> bool:
    """Return whether the first lines of a source look like the format of the training data."""
    first = lines[0].strip()
    if layout.format in ("jsonl", "json"):
        return first.startswith(("{", "["))
    if layout.format == "conllu":
        return first.startswith("#") or "\t" in first
    if layout.format == "columns":  # sentences of one token a line, with the same number of cells in all of them
        return first.startswith(("#", "-DOCSTART-")) or (
            len(lines) > 1 and len({len(line.split()) for line in lines}) == 1
        )
    if layout.format != "csv":
        return False
    between = r"\s+" if layout.table.delimiter == "space" else r"[,;\t|]"
    return name in [cell.strip(' "') for cell in re.split(between, first)]
