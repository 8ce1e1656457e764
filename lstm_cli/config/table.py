"""The sections `data.table` and `data.missing`: how tables are written, and which of their cells have no value."""

from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag

from lstm_cli.config.fields import Column, Flag, Natural, Section, any_number, expected

Character = Annotated[str, Field(strict=True, min_length=1, max_length=1)]


class TableSpec(Section):
    """How tables are written: csv and other text tables, and what a row of any table is."""

    row: Literal["auto", "step", "sequence"] = Field(
        default="auto",
        description="What a row is; `auto`: a step, or a sequence where an input has `columns`, and in jsonl and json.",
    )
    delimiter: Annotated[
        Literal["auto", "tab", "space"] | Character, expected("auto, one character, tab, or space for runs of blanks")
    ] = Field(default="auto", description="What separates cells; `space`: runs of blanks.")
    decimal: Literal["auto", ".", ","] = Field(default="auto", description="The decimal mark of numbers.")
    thousands: Annotated[Character | None, expected("one character, or null")] = Field(
        default=None, description="What groups the digits of large numbers; null: nothing."
    )
    header: Annotated[Literal["auto"] | Flag, expected("auto, true or false")] = Field(
        default="auto", description="Whether the first row names the columns; `auto`: unless all its cells are numbers."
    )
    columns: Annotated[list[Column] | None, expected("a list of the names of all columns, or null")] = Field(
        default=None, description="Names of all columns, in order, of a table without a header."
    )
    comment: Annotated[str | None, Field(min_length=1), expected("what comment lines begin with, or null")] = Field(
        default=None, description="Lines that begin with this are skipped."
    )
    skip: Natural = Field(default=0, description="Lines to skip before the header.")
    encoding: Annotated[str, Field(strict=True, min_length=1), expected("the name of an encoding")] = Field(
        default="utf-8", description="Character encoding of text files."
    )


Fill = Literal["stop", "previous", "linear", "mean", "zero"]
Fills = Annotated[
    Annotated[Fill, Tag("<fill>")] | Annotated[dict[Column, Fill], Tag("<fills>")],
    Discriminator(lambda value: "<fills>" if isinstance(value, dict) else "<fill>"),
]
#: What counts as missing by default: as R, pandas, Excel, SQL and Weka write it.
MISSING: tuple[str | int | float, ...] = ("", "NA", "N/A", "NaN", "nan", "null", "?")


_Written = Annotated[str | int | float, expected("text, or a number that is finite; others in quotes, as in the cells")]


class MissingSpec(Section):
    """Which values count as missing, and what is done about them."""

    values: Annotated[tuple[_Written, ...], any_number(accepts=str | int | float | list[str | int | float])] = Field(
        default=MISSING,
        description="Cells of number inputs and of the target that count as missing, besides empty ones, as written.",
    )
    fill: Fills = Field(
        default="stop",
        description="How missing numbers of inputs are filled, for all or by column: `previous` value, `linear` "
        "between neighbours, the `mean` of the training data, or `zero`; `stop`: a missing value is an error.",
    )
    indicator: Flag = Field(
        default=False, description="Whether each filled input has a further input that is 1 where it was missing."
    )
    target: Literal["stop", "skip"] = Field(
        default="stop",
        description="What to do about a missing target: an error, or the step (or sequence) does not count.",
    )
