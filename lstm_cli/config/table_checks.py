"""Checks across the keys of tables: how they are written, and inputs that take many of their columns."""

import codecs
from collections.abc import Iterator

from lstm_cli.config.config import Config
from lstm_cli.config.conflict import Conflict, format_of_data
from lstm_cli.config.formats import TABLES, TEXTS
from lstm_cli.config.table import TableSpec

#: Formats whose cells are text.
_CELLS = ("csv", "columns")


def _header(config: Config) -> Iterator[Conflict]:
    table = config.data.table
    keys = ("data.table.header", "data.table.columns", "data.table")
    if table.header is True and table.columns is not None:
        yield Conflict(keys, "the header names the columns: leave data.table.columns out, or set header: false")
    if table.header is False and table.columns is None:
        yield Conflict(keys, "without a header the columns have no names: list them in data.table.columns")
    names = table.columns or []
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        yield Conflict(keys[1:], f"two columns are named {twice!r}: rename one of them")


def _numbers(config: Config) -> Iterator[Conflict]:
    table = config.data.table
    keys = ("data.table.thousands", "data.table.decimal", "data.table")
    if table.thousands is not None and table.thousands == table.decimal:
        yield Conflict(keys, f"{table.thousands!r} is the decimal mark: set one of them to another character")
    elif table.thousands is not None and (table.thousands.isdigit() or table.thousands in "+-eE"):
        yield Conflict(keys, f"{table.thousands!r} is a part of numbers: give the character between the groups")


def _characters(config: Config) -> Iterator[Conflict]:
    table = config.data.table
    try:
        codecs.lookup(table.encoding)
    except LookupError:
        text = f"got {table.encoding!r}, expected an encoding such as utf-8, cp1252, utf-16"
        yield Conflict(("data.table.encoding", "data.table"), text)
    if table.delimiter in ('"', "\n", "\r"):
        yield Conflict(("data.table.delimiter", "data.table"), f"{table.delimiter!r} cannot separate cells: correct it")


def _format(config: Config) -> Iterator[Conflict]:
    """Find keys of text tables in a format that is none."""
    data, form = config.data, format_of_data(config.data)
    if form is None or form in ("csv", "text"):  # the content of text may turn out to be a table
        return
    for key, field in TableSpec.model_fields.items():
        readable = {"row": (*TABLES, "jsonl", "json"), "encoding": TEXTS}.get(key, _CELLS)
        if getattr(data.table, key) == field.default or form in readable:
            continue
        formats = ", ".join(readable)
        yield Conflict(
            (f"data.table.{key}", "data.table", "data.format"), f"only for {formats}, not {form}: leave it out"
        )


def _wide(config: Config) -> Iterator[Conflict]:
    """Find keys that conflict with inputs whose steps are columns."""
    data, form = config.data, format_of_data(config.data)
    for name, spec in data.inputs.items():
        if not spec.columns:
            continue
        key = f"data.inputs.{name}"
        keys = (f"{key}.columns", key, "data.inputs")
        if data.table.row == "step":
            yield Conflict((*keys, "data.table.row"), "a row is a sequence then: set data.table.row: sequence, or auto")
        if spec.of is not None:
            yield Conflict((f"{key}.of", *keys), "the columns are what is read: leave of out")
        if data.time is not None:
            yield Conflict(
                (*keys, "data.time"), "the steps of a row are in the order of the columns: leave data.time out"
            )
        if form is not None and form not in (*TABLES, "text"):
            yield Conflict(keys, f"only for tables ({', '.join(TABLES)}), not {form}: leave it out")


CHECKS = (_header, _numbers, _characters, _format, _wide)
