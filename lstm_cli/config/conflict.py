"""A conflict between keys, as the checks of a config report it."""

from typing import NamedTuple

from lstm_cli.config.data import DataSpec
from lstm_cli.config.formats import OWN_TARGETS, format_of


class Conflict(NamedTuple):
    """Keys that conflict, the one to report first, and what to do."""

    keys: tuple[str, ...]
    text: str


def is_text(data: DataSpec) -> bool:
    """Return whether the data is plain text, by format or suffix."""
    return format_of_data(data) == "text"


def own_target(data: DataSpec) -> str | None:
    """Return what the data's format says is to be predicted: a column, or ``next``; None: the config has to say it."""
    return OWN_TARGETS.get(format_of_data(data) or "")


def format_of_data(data: DataSpec) -> str | None:
    """Return the format of the data, given or by suffix; None if neither says it."""
    first = data.train if isinstance(data.train, str) else data.train[0]
    return format_of(first) if data.format == "auto" else data.format


def fits_text(data: DataSpec) -> bool:
    """Return whether the columns that are named are those of plain text, which has one."""
    inputs = {spec.of or name for name, spec in data.inputs.items()}
    return inputs <= {"text"} and (data.target is None or {*data.target.names} <= {"text"})
