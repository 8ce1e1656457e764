"""Tables of plain text: aligned columns, no wider than a terminal."""

import math
import textwrap
from collections.abc import Sequence
from unicodedata import east_asian_width

from lstm_cli.errors import on_one_line

WIDTH = 80
GAP = "  "
#: The steps ahead whose errors a table shows, those of them that fit, and the last one.
STEPS_AHEAD = (1, 2, 3, 6, 12, 24, 48, 96, 168, 336)


def aligned(rows: Sequence[Sequence[str]], *, left: int = 1, indent: str = "  ", gap: str = GAP) -> list[str]:
    """Return rows of cells as lines: the first `left` columns aligned to the left, the others to the right.

    Rows may have fewer cells than others.
    """
    count = max(map(len, rows), default=0)
    full = [[*row, *[""] * (count - len(row))] for row in rows]
    widths = [max(width_of(row[k]) for row in full) for k in range(count)]
    lines = []
    for row in full:
        cells = [padded(cell, widths[k], right=k >= left) for k, cell in enumerate(row)]
        lines.append((indent + gap.join(cells)).rstrip())
    return lines


def width_of(text: str) -> int:
    """Return how many columns of a terminal a text takes: Chinese characters take two."""
    return sum(2 if east_asian_width(c) in "WF" else 1 for c in text) if not text.isascii() else len(text)


def padded(text: str, width: int, *, right: bool = False) -> str:
    """Return a text with blanks up to a width."""
    blanks = " " * max(0, width - width_of(text))
    return blanks + text if right else text + blanks


def cut(name: object, width: int, *, end: str = "…") -> str:
    """Return a name on one line and no wider than `width`: a longer one has `end` after its beginning."""
    text = on_one_line(name)
    if width_of(text) <= width:
        return text
    kept = text[: max(0, width - len(end))]
    while kept and width_of(kept) > width - len(end):
        kept = kept[:-1]
    return kept + end


def end_of(name: object, width: int) -> str:
    """Return the end of a name, such as a path, on one line and no wider than `width`."""
    return cut(str(on_one_line(name))[::-1], width)[::-1]


def wrapped(text: str, width: int, *, indent: str = "") -> list[str]:
    """Return a sentence as lines of at most `width` columns; all but the first are indented further."""
    return textwrap.wrap(text, width, initial_indent=indent, subsequent_indent=f"{indent}  ")


def figure(value: float | None) -> str:
    """Return a score with about four digits, three of them decimals below 10; - for None and NaN."""
    if value is None or math.isnan(value):
        return "-"
    size = abs(value)
    if (0 < size < 0.0005) or size >= 1e6:
        return f"{value:.3g}"
    decimals = next((3 - k for k, most in enumerate((10, 100, 1000)) if size < most), 0)
    return f"{value:,.{decimals}f}"
