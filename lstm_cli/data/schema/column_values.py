"""What the parsing of inputs, targets and weights shares: a column's value, and numbers of the expected dimension."""

from collections.abc import Callable
from typing import Any, TypeVar

from lstm_cli.data.formats.naming import columns_listed
from lstm_cli.data.formats.raw import RawSequence, ValueProblem
from lstm_cli.data.schema.layout import Column, TargetColumn
from lstm_cli.data.schema.record import Numbers
from lstm_cli.errors import counted

Parsed = TypeVar("Parsed")


def parsed(
    sequence: RawSequence, name: str, read: Callable[[Any], Parsed], *, fix: str = "fill it in or remove the sequence"
) -> Parsed:
    """Return a column's value converted by `read`; a problem becomes the error of the sequence, `fix` that of null."""
    try:
        return read(_value(sequence, name, fix))
    except ValueProblem as problem:
        raise sequence.error(name, problem) from None


def _value(sequence: RawSequence, name: str, fix: str) -> Any:
    """Return the raw value of a column, which must be present."""
    value = sequence.columns.get(name)
    if value is None and name in sequence.columns:
        raise ValueProblem("the value is null", fix)
    if value is None:
        raise ValueProblem(f"the column is missing (there are {columns_listed(sequence.names)})", "add it")
    return value


def transformable(given: Numbers, column: Column | TargetColumn) -> Numbers:
    """Return numbers (T, D) if they have the column's dimension and its transforms are defined for them."""
    given = of_width(given, column.width, "the dimension that training has")
    column.chain.apply(given)  # raises if a value has no logarithm, now that its line is known
    return given


def of_width(given: Numbers, width: int, fix: str) -> Numbers:
    """Return numbers (T, D) if D is as expected."""
    if given.shape[1] != width:
        what = f"expected {counted(width, 'number')}, got {given.shape[1]}"
        raise ValueProblem(what, f"give every sequence {fix}")
    return given
