"""A conflict between keys, as the checks of a config report it."""

from typing import NamedTuple

from lstm_cli.config.data import DataSpec
from lstm_cli.config.formats import format_of


class Conflict(NamedTuple):
    """Keys that conflict, the one to report first, and what to do."""

    keys: tuple[str, ...]
    text: str


def is_text(data: DataSpec) -> bool:
    """Return whether the data is plain text, by format or suffix."""
    first = data.train if isinstance(data.train, str) else data.train[0]
    return (format_of(first) if data.format == "auto" else data.format) == "text"
