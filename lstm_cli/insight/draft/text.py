"""Writes a config as YAML with a comment behind every key, in the layout of the configs that come with the project."""

import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lstm_cli.config.json_schema import schema_line
from lstm_cli.config.scalars import write_yaml
from lstm_cli.errors import on_one_line

#: Where comments begin, and how long a line may be.
_COLUMN, _WIDTH = 40, 120
_PLAIN = re.compile(r"[A-Za-z_/.~][A-Za-z0-9_./*()-]*")


@dataclass(frozen=True)
class Entry:
    """A key of the config.

    Attributes
    ----------
    key
    value
        A plain value, or the entries below the key.
    why
        The comment: what in the data it depends on.
    """

    key: str
    value: Any
    why: str


def config_text(head: Sequence[str], entries: Sequence[Entry]) -> str:
    """Return a config file.

    Parameters
    ----------
    head
        The lines of the comment at its beginning; an empty string is an empty comment line.
    entries
    """
    wrapped = [
        part for line in head for part in textwrap.wrap(on_one_line(line), _WIDTH - 2, drop_whitespace=False) or [""]
    ]
    lines = [f"# {line}".rstrip() for line in wrapped]
    return "\n".join([schema_line(), *lines, "", *_lines(entries, 0), ""])


def _lines(entries: Sequence[Entry], depth: int) -> list[str]:
    lines = []
    for entry in entries:
        nested = isinstance(entry.value, list) and bool(entry.value) and isinstance(entry.value[0], Entry)
        text = f"{'  ' * depth}{_scalar(entry.key)}:" + ("" if nested else f" {inline(entry.value)}")
        lines += _commented(text, entry.why, depth)
        if nested:
            lines += _lines(entry.value, depth + 1)
    return lines


def _commented(text: str, why: str, depth: int) -> list[str]:
    """Return a line with its comment behind it, or above it where both together are too long."""
    why = on_one_line(why)
    if not why:
        return [text]
    line = f"{text.ljust(_COLUMN - 1)} # {why}" if len(text) < _COLUMN else f"{text}  # {why}"
    return [line] if len(line) <= _WIDTH else [f"{'  ' * depth}# {why}", text]


def inline(value: Any) -> str:
    """Return a plain value as YAML on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_scalar(key)}: {inline(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(inline, value)) + "]"
    return _scalar(value)


def _scalar(value: Any) -> str:
    """Return a scalar that reads the same in a list, in a mapping and alone."""
    text = write_yaml([value])[2:].rstrip("\n")
    plain = isinstance(value, str) and _PLAIN.fullmatch(value) and any(map(str.isalnum, value))
    if not isinstance(value, str) or (plain and text == value):
        return text
    return '"' + "".join(map(_escaped, value)) + '"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    return character if character.isprintable() else f"\\U{ord(character):08x}"
