"""The section `data`: where the sequences come from, what the network reads and what it learns to predict."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidatorFunctionWrapHandler, WrapValidator, model_validator

from lstm_cli.config.columns import Inputs, Target, Transforms
from lstm_cli.config.fields import (
    Column,
    FilePath,
    Flag,
    MayChange,
    MayMove,
    Natural,
    OneOrMore,
    Positive,
    Section,
    any_number,
    expected,
    several,
)
from lstm_cli.config.formats import FormatOrAuto
from lstm_cli.config.table import MissingSpec, TableSpec

#: A path, a pattern such as logs/*.csv, a folder, or a list of them.
Files = FilePath | OneOrMore[FilePath]
_Amount = Annotated[int, Field(strict=True, ge=1)] | Annotated[float, Field(strict=True, gt=0, lt=1)]


class HeldOutSpec(Section):
    """A held-out part of the training data: how much, and what stays together."""

    share: Annotated[_Amount, expected("a share between 0 and 1, or a count of 1 or more")] = Field(
        description="The share or number of sequences, or with `by: time` of the last steps of every series."
    )
    by: Column = Field(
        default="sequence",
        description="What is held out: whole sequences (`sequence`), the last steps of every series (`time`), or "
        "all sequences with the same value of this column.",
    )


def _mapping(value: Any, inner: ValidatorFunctionWrapHandler) -> Any:
    """Read a mapping as a `HeldOutSpec`, so that a message names its wrong key."""
    return HeldOutSpec.model_validate(value) if isinstance(value, dict) else inner(value)


HeldOut = Annotated[
    Files | _Amount | HeldOutSpec | None,
    expected("a path, a list of paths, a share between 0 and 1, a count of 1 or more, {share: 0.2, by: …}, or null"),
    WrapValidator(_mapping),
]


def _fold(value: str) -> str:
    """Refuse a fold that does not exist."""
    number, count = map(int, value.split("/"))
    if count < 2 or number > count:
        raise ValueError(value)
    return value


#: Which fold, of how many.
Fold = Annotated[
    str,
    Field(strict=True, pattern=r"^[1-9][0-9]{0,3}/[1-9][0-9]{0,3}$"),
    AfterValidator(_fold),
    expected("a fold such as 2/5: its number and how many there are, 2 or more"),
]

Columns = Annotated[tuple[Column, ...], several(accepts=Column | OneOrMore[Column])]
Calendar = Literal["hour", "weekday", "day", "month", "year"]


class DataSpec(Section):
    """Where the sequences come from, what the network reads and what it learns to predict.

    With `split` nothing else is held out by default.
    """

    @property
    def fold_numbers(self) -> tuple[int, int] | None:
        """Which fold is held out, from 1, and of how many; None: there are no folds."""
        return None if self.fold is None else (int(self.fold.split("/")[0]), int(self.fold.split("/")[1]))

    @model_validator(mode="before")
    @classmethod
    def _nothing_more_held_out(cls, value: Any) -> Any:
        return {"valid": None, **value} if isinstance(value, dict) and value.get("split") is not None else value

    train: MayMove[Annotated[Files, expected("a path, or a list of paths")]] = Field(
        description="The training data: a file, a pattern such as `logs/*.csv`, a folder, or a list of them, relative "
        "to the config file."
    )
    valid: MayMove[HeldOut] = Field(
        default=0.2,
        description="Validation data: files, or the share or number of training sequences to hold out (of one long "
        "series, steps at its end), or `{share: 0.2, by: …}`; null: none.",
    )
    test: MayMove[HeldOut] = Field(
        default=None, description="Test data, given like `valid`; scored once at the end, with the best checkpoint."
    )
    fold: Fold | None = Field(
        default=None,
        description="Cross-validation: `2/5` holds out the second fifth of the training sequences as `valid`, kept "
        "together as its `by` says; null: `valid` says how much. The option `--folds` trains all.",
    )
    split: Column | None = Field(
        default=None, description="Column that says `train`, `valid` or `test`: where a sequence belongs."
    )
    split_seed: Natural | None = Field(
        default=None, description="Seed of the choice of what is held out; null: `seed`."
    )
    cache: MayChange[Literal["auto", "always", "never"]] = Field(
        default="auto",
        description="Whether training reads a memory-mapped copy on disk, in place of memory; `auto`: if the data "
        "does not fit into memory.",
    )
    format: FormatOrAuto = Field(
        default="auto", description="Format of the data files; `auto`: by their suffix, then by their content."
    )
    table: TableSpec = Field(default=TableSpec(), description="How tables are written.")
    missing: MissingSpec = Field(default=MissingSpec(), description="Missing values.")
    inputs: Inputs = Field(
        default={}, description="Columns that the network reads at each step; empty: the format's own."
    )
    target: Target = Field(
        default=None,
        description="What to predict: a column, `next` for the next step of the inputs, or a mapping; text implies "
        "`next`.",
    )
    id: Columns = Field(
        default=("id",),
        description="Column, or columns, that identify a sequence; rows of a table with the same id form one sequence.",
        json_schema_extra={"default": "id"},
    )
    time: Column | None = Field(
        default=None, description="Column of dates, times or numbers that orders the steps of a series."
    )
    calendar: Annotated[tuple[Calendar, ...], any_number(accepts=Calendar | list[Calendar])] = Field(
        default=(), description="With `time`: further inputs, each as sine and cosine."
    )
    scale: Literal["none", "standard", "minmax", "series", "window"] = Field(
        default="standard",
        description="Scaling of numeric inputs and targets, undone in every output: `standard` and `minmax` are fitted "
        "on `train` only; `series` takes each sequence's own mean and deviation, `window` each window's last value and "
        "deviation.",
    )
    max_length: Positive | None = Field(
        default=None, description="Maximum number of steps in a sequence; null: no limit."
    )
    on_long: Literal["stop", "cut", "split"] = Field(
        default="stop",
        description="What to do with longer sequences; `cut` and `split` apply to training sequences only, since "
        "whole sequences are scored.",
    )
    on_error: MayChange[Literal["stop", "skip"]] = Field(
        default="stop", description="What to do with a sequence, or a row of a table, that cannot be read or used."
    )
    unit: Literal["char", "word"] = Field(
        default="char", description="Text, and strings in other formats: what one step is."
    )
    lines: Flag = Field(
        default=False, description="Text: whether each line is a sequence of its own, with an end symbol."
    )
    transform: dict[Column, Transforms] = Field(
        default={},
        description="Transforms by numeric column: `log`, `difference`, `seasonal_difference(12)` or a list of them; "
        "undone in every output.",
    )
    window: Positive | None = Field(
        default=None, description="One long series or text: length of the training windows in steps."
    )
    stride: Positive | None = Field(
        default=None,
        description="With `window`: steps from the start of one window to the next; null: the window's, or 1 with "
        "`scale: window`, whose windows have one output each.",
    )
    carry_state: Flag = Field(
        default=False, description="With `window`: whether each window starts from the final state of the previous one."
    )
