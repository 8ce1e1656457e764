"""A conflict between keys, as the checks of a config find it."""

from pathlib import PurePath
from typing import NamedTuple

from lstm_cli.spec.data import DataSpec


class Conflict(NamedTuple):
    """Keys that do not go together, the first being the one to report, and what to do."""

    keys: tuple[str, ...]
    text: str


def is_text(data: DataSpec) -> bool:
    """Return whether the data is plain text, by format or suffix."""
    return data.format == "text" or (data.format == "auto" and PurePath(data.train).suffix.lower() == ".txt")
