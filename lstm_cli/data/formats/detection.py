"""Which format a file has, where neither the config nor a suffix of its own says it: by its content.

A suffix other than that of plain text decides. The content decides for plain text, since tables are often named .txt,
and for unknown suffixes.
"""

import json
import re
from collections import Counter
from itertools import pairwise
from pathlib import Path

from lstm_cli.config.formats import FORMAT_OF, FORMATS, format_of
from lstm_cli.config.table import MISSING
from lstm_cli.data.formats import compressed, foreign
from lstm_cli.data.formats.raw import TableOptions
from lstm_cli.data.formats.source import Source
from lstm_cli.errors import DataError, did_you_mean, nearest, shown_path

_START = 1 << 16
_ROWS = 100
_MAGIC = {b"PAR1": "parquet", b"ARROW1": "arrow", b"\x93NUMPY": "npy"}
_NUMBER = re.compile(r"[-+]?(\d[\d.,' ]*|\.\d+)(e[-+]?\d+)?%?", re.IGNORECASE)
_EMPTY = (*MISSING, "-")
_QUOTED = re.compile(r'"[^"]*"')
_BLANKS = re.compile(r"[ \t]+")


def detect(path: Path, *, table: TableOptions = TableOptions(), text: bool = False) -> str:
    """Return the format of a file by its suffix, then by its content.

    Parameters
    ----------
    path
    table
        How the config says that tables are written; whatever it says, the file is then one.
    text
        Whether the config fits plain text, so that a table in a file that is named as text is text.
    """
    source, form = Source(path), named_format(path)
    if form is not None and (form != "text" or text or not path.is_file()):
        return form
    start = _start(source) if path.is_file() else b""
    foreign.refuse_content(source.name, start)
    found = _by_content(start, table, only_tables=form == "text")
    if found is not None or form is not None:
        return found or str(form)
    if not path.exists():
        raise source.absent()
    suffix = path.suffix.lower()
    reason = f"from the suffix {suffix}{did_you_mean(nearest(suffix, FORMAT_OF))}" if suffix else "without a suffix"
    raise DataError(
        f"{source.name}: cannot infer the format {reason}: "
        f"rename the file or set data.format to one of {', '.join(FORMATS)}"
    )


def named_format(path: Path) -> str | None:
    """Return the format that the name of a file says, or that of the file in an archive; None if neither does."""
    form, name = format_of(path), shown_path(path)
    if form is None:
        foreign.refuse_suffix(name, path)
        if path.suffix.lower() == ".zip" and path.is_file():
            with path.open("rb") as stream:
                return format_of(compressed.content_name(name, path, stream))
    return form


def check_content(source: Source, form: str) -> None:
    """Refuse a file whose first bytes say that it is of another kind than the format that it is read as."""
    if source.path is None or not source.path.is_file():
        return
    with source.open() as stream:
        start = stream.read(200)
    foreign.refuse_content(source.name, start)
    found = _by_magic(start)
    if found is not None and found != form:
        raise DataError(f"{source.name}: holds {found}, not {form}: rename the file, or set data.format: {found}")


def _start(source: Source) -> bytes:
    with source.open() as stream:
        return stream.read(_START)


def _by_magic(start: bytes) -> str | None:
    if start.startswith(b"PK\3\4"):
        return "npz" if b".npy" in start else None
    return next((form for magic, form in _MAGIC.items() if start.startswith(magic)), None)


def _by_content(start: bytes, table: TableOptions, *, only_tables: bool) -> str | None:
    """Return the format of a content that begins so; with `only_tables`, only if it is a table."""
    magic = _by_magic(start)
    if magic is not None or not start or b"\0" in start:
        return magic
    lines = re.split(r"\r\n|\r|\n", start.decode("utf-8-sig", errors="replace"))
    lines = lines[:-1] if len(start) == _START else lines
    if not only_tables:
        marked = _by_marks(lines)
        if marked is not None:
            return marked
    if _has_columns(lines):
        return "columns"
    return "csv" if table != TableOptions(encoding=table.encoding) or _is_table(lines) else None


def _by_marks(lines: list[str]) -> str | None:
    """Return the format of lines that begin as only one format does."""
    filled = [line.strip() for line in lines if line.strip()]
    first = filled[0] if filled else ""
    if first.startswith("{"):
        return "jsonl" if _is_json(first) and len(filled) > 1 else "json"
    if re.match(r"\[\s*(\{|$)", first):
        return "json"
    headed = [line.lower() for line in filled if not line.startswith(("#", "%"))]
    if "@data" in headed and headed[0].startswith("@"):
        head = headed[: headed.index("@data")]
        return "tsf" if any(line.startswith(("@frequency", "@horizon")) for line in head) else "ts"
    words = [line for line in filled if not line.startswith("#")]
    return "conllu" if words and all(re.match(r"\d+([-.]\d+)?(\t[^\t]+){9}$", word) for word in words) else None


def _is_json(line: str) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True


def _has_columns(lines: list[str]) -> bool:
    """Return whether lines are sentences of one token a line, the last of its columns a tag."""
    if lines and lines[0].startswith("-DOCSTART-"):
        return True
    filled = [_BLANKS.split(line.strip()) for line in lines if line.strip()]
    ends = sum(bool(line.strip()) and not after.strip() for line, after in pairwise(lines))
    if ends < 2 or len(filled) < 2 * ends or len({len(cells) for cells in filled}) != 1 or len(filled[0]) < 2:
        return False
    if all(_NUMBER.fullmatch(cell) for cells in filled for cell in cells):
        return False
    return len(filled[0]) > 2 or len({cells[-1] for cells in filled}) <= 0.7 * len(filled)  # verses have no tags


def _is_table(lines: list[str]) -> bool:
    """Return whether lines hold as many cells each, and some column numbers."""
    rows = [_QUOTED.sub('""', line) for line in lines if line.strip() and not line.startswith(("#", "%"))][:_ROWS]
    if len(rows) < 2:
        return False
    for delimiter in "\t;,":
        if _is_even([row.split(delimiter) for row in rows], least=0.01 if delimiter != "\t" or len(rows) < 3 else 0):
            return True
    return len(rows) > 2 and _is_even([_BLANKS.split(row.strip()) for row in rows], least=0.51)


def _is_even(rows: list[list[str]], *, least: float) -> bool:
    """Return whether rows have equally many cells below a header, and at least that share of columns are numbers."""
    header, *body = rows
    widths = Counter(map(len, body))
    width = widths.most_common(1)[0][0]
    if width < 2 or len(widths) > 1 or len(header) not in (width, width - 1):
        return False
    numeric = sum(_is_numeric([row[place].strip() for row in body]) for place in range(width))
    return numeric >= least * width


def _is_numeric(cells: list[str]) -> bool:
    numbers = sum(bool(_NUMBER.fullmatch(cell)) for cell in cells)
    return numbers > 0 and numbers + sum(cell in _EMPTY for cell in cells) == len(cells)
