"""Numbers and names as a page shows them in running text."""

import re
from collections.abc import Iterator
from unicodedata import east_asian_width

from lstm_cli.errors import on_one_line

_OPEN = re.compile(r" … \([^)]*$")  # the beginning of a number of steps: " … (64"
_WORDS = re.compile(r"\s+|\S+")
_UNBREAKABLE = re.compile(r"[\w.,:;'\"()]+|[^\w/-]{1,2}")  # words in which a browser finds no place to break
_LONG_PATH = 24  # characters of a word from which on its lines may break after a slash
LONGEST = 28  # characters of a label in a table; the full text is shown when one points at it


def digits(value: float) -> str:
    """Return a number with three digits: 0.95, 18.8, 1,230."""
    if abs(value) >= 1000:
        return f"{value:,.0f}" if abs(value) < 1e9 else f"{value:.3g}"
    return f"{value:.3g}"


def line(text: str) -> str:
    """Return a text on one line, in which blanks can be seen if there is nothing else."""
    shown = on_one_line(text)
    return shown if shown.strip() else shown.replace(" ", "\N{OPEN BOX}")


def cut(text: str, most: int = LONGEST) -> str:
    """Return a text on one line: all of it, or the beginning and the end of a long one, which tell labels apart."""
    end = most // 3
    return line(text if len(text) <= most else f"{text[: most - 1 - end]}…{text[-end:]}")


def begun(text: str, most: int = LONGEST) -> str:
    """Return a text on one line: all of it, or the beginning of a long one, up to the last blank if there is one."""
    if len(text) <= most:
        return line(text)
    start = text[: most - 1]
    start = start[: start.rfind(" ")] if " " in start.strip() else start
    return line(f"{_OPEN.sub('', start)} …")


def capital(text: str) -> str:
    """Return a text that begins with a capital letter, and is otherwise as it was."""
    return text[:1].upper() + text[1:]


def unbroken(text: str) -> Iterator[tuple[str, list[str]]]:
    """Yield the words and the blanks of a text, each with the pieces that no line may break.

    There are none where a browser finds no place to break anyway, and in scripts that break between any two characters.
    """
    for word in _WORDS.findall(text):
        if word.isspace() or _UNBREAKABLE.fullmatch(word) or any(east_asian_width(sign) in "WF" for sign in word):
            yield word, []
        elif len(word) > _LONG_PATH:
            yield word, re.findall(r"[^/]*/+|[^/]+", word)
        else:
            yield word, [word]
