"""A terminal as lines of at most 80 columns: its width, what fits into it, and colour where it has any."""

import os
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any

WIDEST = 80
NARROWEST = 20

BOLD, GREEN, YELLOW, FAINT = "1", "32", "33", "2"


class Screen:
    """What a terminal can show.

    Parameters
    ----------
    stream
        The terminal.
    """

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.is_dumb = os.environ.get("TERM") == "dumb"
        self._coloured = not self.is_dumb and not os.environ.get("NO_COLOR")

    @property
    def width(self) -> int:
        """The columns to use: the last one of the terminal stays free, as some wrap there."""
        try:
            columns = os.get_terminal_size(self._stream.fileno()).columns
        except (OSError, ValueError, AttributeError):
            columns = 0
        return WIDEST if columns < 1 or columns > WIDEST else max(columns - 1, NARROWEST)

    def paint(self, text: str, *codes: str) -> str:
        """Return a text in a colour, as it is where there are none."""
        return f"\x1b[{';'.join(codes)}m{text}\x1b[0m" if self._coloured and text else text

    def shown(self, text: str) -> str:
        """Return a text without signs that the terminal's encoding lacks."""
        try:
            text.encode(getattr(self._stream, "encoding", None) or "utf-8")
        except (UnicodeEncodeError, LookupError):
            return text.replace(" · ", ", ").replace("…", "...")
        return text


def columns(text: str) -> int:
    """Return how many columns of a terminal a text takes: two for East Asian wide characters, none for accents."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(c) else 1 + (unicodedata.east_asian_width(c) in "WF") for c in text)


def cut(text: str, width: int) -> str:
    """Return a text that takes at most `width` columns; … marks where the rest is left out."""
    if columns(text) <= width:
        return text
    while text and columns(text) >= width:
        text = text[:-1]
    return f"{text}…"


def wrapped(parts: Sequence[str], width: int, *, between: str = " ", indent: str = "", end: str = "") -> Iterator[str]:
    """Yield lines of parts that stay whole.

    Parameters
    ----------
    parts
        Words, or longer pieces.
    width
        The most columns of a line, unless a single part takes more.
    between
        Separates two parts on a line.
    indent
        Begins every line but the first.
    end
        Ends every line but the last.
    """
    line = ""
    for place, part in enumerate(parts):
        longer = f"{line}{between}{part}" if line.strip() else f"{line}{part}"
        room = width - (columns(end) if place < len(parts) - 1 else 0)
        if line.strip() and columns(longer) > room:
            yield line + end
            longer = indent + part
        line = longer
    yield line
