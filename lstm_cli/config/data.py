"""The section `data`: where the sequences come from, what the network reads and what it learns to predict."""

import re
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

from pydantic import Field, PlainSerializer, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from lstm_cli.config.fields import (
    Column,
    FilePath,
    Flag,
    MayChange,
    MayMove,
    Natural,
    Positive,
    Section,
    either,
    expected,
    refuse,
    several,
)
from lstm_cli.config.formats import FormatOrAuto

HeldOut = Annotated[
    FilePath | Annotated[int, Field(strict=True, ge=1)] | Annotated[float, Field(strict=True, gt=0, lt=1)] | None,
    expected("a path, a share between 0 and 1, a count of 1 or more, or null"),
]

InputKind = Literal["auto", "number", "tokens", "set"]


class InputSpec(Section):
    """One input column, read at each step."""

    shorthand: ClassVar[str | None] = "kind"

    kind: InputKind = Field(default="auto", description="What the column holds; `auto` infers it from the data.")
    of: Column | None = Field(default=None, description="Column to read from; null: the one of the same name.")
    last: Positive | None = Field(
        default=None, description="Tokens: keep only the last N characters of each; null: all."
    )
    min_count: Positive = Field(
        default=1, description="Tokens: those seen fewer than N times in `train` become the unknown token."
    )
    lowercase: Flag = Field(default=False, description="Tokens: whether to convert them to lower case.")

    @property
    def token_keys(self) -> list[str]:
        """The keys that are set and apply to tokens only."""
        fields = type(self).model_fields
        return [key for key in fields if key != "kind" and getattr(self, key) != fields[key].default]


class TargetSpec(Section):
    """What the network learns to predict."""

    column: Column | None = Field(default=None, description="Column that holds the target; null with `next`.")
    next: Flag = Field(default=False, description="Whether the target is the next step of the inputs.")
    kind: Literal["auto", "category", "number", "set"] = Field(
        default="auto",
        description="What the target is, which determines the loss and the metrics; `auto` infers it from the data.",
    )
    per: Literal["auto", "step", "sequence"] = Field(
        default="auto",
        description="Whether there is a target for each step or one per sequence; `auto`: for each step if there are "
        "as many values as steps.",
    )
    ahead: Natural = Field(
        default=0, description="How many steps ahead of the inputs the target is; with `next` at least 1."
    )

    @classmethod
    def long_form(cls, value: Any) -> Any:
        """Return the mapping that a column name, or ``next``, is short for."""
        return {"next": True} if value == "next" else {"column": value} if isinstance(value, str) else value


class TransformSpec(NamedTuple):
    """A transform of a numeric column, undone in every output; `lag` is the distance of a difference in steps."""

    name: str
    lag: int

    def __str__(self) -> str:
        return f"{self.name}({self.lag})" if self.name == "seasonal_difference" else self.name


def _parse_transform(value: Any) -> TransformSpec:
    if isinstance(value, TransformSpec):
        return value
    found = re.fullmatch(r"(log)|(difference)|seasonal_difference\( *([1-9]\d{0,8}) *\)", str(value))
    if found is None:
        raise PydanticCustomError("expected", "{what}", {"what": "log, difference or seasonal_difference(STEPS)"})
    log, _, lag = found.groups()
    if lag:
        return TransformSpec("seasonal_difference", int(lag))
    return TransformSpec("log", 0) if log else TransformSpec("difference", 1)


TransformStep = Annotated[
    TransformSpec,
    PlainValidator(_parse_transform),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "examples": ["log", "difference", "seasonal_difference(12)"]}),
]


def _inputs(value: Any) -> Any:
    """Expand a name, or a list of names, to a mapping of names to their settings."""
    if value is None:
        return {}
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list):
        return names
    if not all(isinstance(name, str) for name in names):
        raise PydanticCustomError("expected", "{what}", {"what": "names of columns, or a mapping of names to settings"})
    if len(set(names)) < len(names):
        raise refuse("a column is listed twice")
    return {name: {} for name in names}


Inputs = Annotated[
    dict[Column, InputSpec], either(_inputs, accepts=str | list[str] | dict[str, InputSpec | InputKind | None])
]
Target = Annotated[TargetSpec | None, either(lambda value: value, accepts=str | TargetSpec | None)]
Transforms = Annotated[tuple[TransformStep, ...], several(accepts=str | list[str])]


class DataSpec(Section):
    """Where the sequences come from, what the network reads and what it learns to predict."""

    train: MayMove[FilePath] = Field(description="The training data file, relative to the config file.")
    valid: MayMove[HeldOut] = Field(
        default=0.2,
        description="Validation data: a file, or the share or number of training sequences to hold out (of one long "
        "series, steps at its end); null: none.",
    )
    test: MayMove[HeldOut] = Field(
        default=None, description="Test data, given like `valid`; scored once at the end, with the best checkpoint."
    )
    format: FormatOrAuto = Field(default="auto", description="Format of the data files; `auto`: by their suffix.")
    inputs: Inputs = Field(
        default={}, description="Columns that the network reads at each step; empty: the format's own."
    )
    target: Target = Field(
        default=None,
        description="What to predict: a column, `next` for the next step of the inputs, or a mapping; text implies "
        "`next`.",
    )
    id: Column = Field(
        default="id",
        description="Column that identifies a sequence; in csv, adjacent rows with the same id form one sequence.",
    )
    scale: Literal["none", "standard", "minmax"] = Field(
        default="standard",
        description="Scaling of numeric inputs and targets, fitted on `train` only, undone in every output.",
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
        default="stop", description="What to do with a sequence that cannot be read or used."
    )
    unit: Literal["char", "word"] = Field(default="char", description="Text: what one step is.")
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
    carry_state: Flag = Field(
        default=False, description="With `window`: whether each window starts from the final state of the previous one."
    )
