"""The columns of a data set in the section `data`: inputs, target and transforms."""

import re
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, get_args

from pydantic import Field, PlainSerializer, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from lstm_cli.config.fields import (
    Column,
    Flag,
    Natural,
    OneOrMore,
    Positive,
    Section,
    any_number,
    either,
    refuse,
    several,
)

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
    unit: Literal["char", "word"] | None = Field(
        default=None, description="Tokens in strings: what one step is; null: as `data.unit` says."
    )
    static: Flag = Field(
        default=False, description="Whether the column has one value per sequence, which every step repeats."
    )
    known: Flag = Field(
        default=False,
        description="Whether the values of the steps to be predicted are known, such as a weather forecast; they are "
        "inputs too.",
    )
    columns: Annotated[tuple[Column, ...], any_number(accepts=Column | list[Column])] = Field(
        default=(), description="Columns of a table, or patterns such as `t*`, that hold the steps of a row's sequence."
    )

    @property
    def token_keys(self) -> list[str]:
        """The keys that are set and apply to tokens only."""
        fields = type(self).model_fields
        return [key for key in _TOKEN_KEYS if getattr(self, key) != fields[key].default]


_TOKEN_KEYS = ("of", "last", "min_count", "lowercase", "unit")


TargetKind = Literal["auto", "category", "number", "set"]


class PartSpec(Section):
    """One of several target columns."""

    shorthand: ClassVar[str | None] = "kind"

    kind: TargetKind = Field(default="auto", description="What the column holds, as in `data.target.kind`.")


def _by_column(value: Any) -> Any:
    """Expand a list of columns to a mapping of their names to their settings."""
    if not isinstance(value, list):
        return value
    if not all(isinstance(name, str) and name for name in value):
        raise PydanticCustomError("expected", "{what}", {"what": "names of columns, or a mapping of names to settings"})
    if len(set(value)) < len(value):
        raise refuse("a column is listed twice")
    return {name: {} for name in value}


Names = Annotated[list[str], WithJsonSchema({"type": "array", "items": {"type": "string"}, "uniqueItems": True})]
Parts = Annotated[
    dict[Column, PartSpec], either(_by_column, accepts=Names | dict[Column, PartSpec | TargetKind | None])
]


class TargetSpec(Section):
    """What the network learns to predict."""

    column: Column | None = Field(default=None, description="Column that holds the target; null with `next`.")
    columns: Parts = Field(
        default={}, description="Instead of `column`: several columns, which one network predicts together."
    )
    next: Flag = Field(default=False, description="Whether the target is the next step of the inputs.")
    kind: TargetKind = Field(
        default="auto",
        description="What the target is, which determines the loss and the metrics; `auto` infers it from the data.",
    )
    per: Literal["auto", "step", "sequence"] = Field(
        default="auto",
        description="Whether there is a target for each step or one per sequence; `auto`: for each step if there are "
        "as many values as steps.",
    )
    ahead: Natural = Field(
        default=0,
        description="How many steps ahead of the inputs the target is; with `next` or a horizon at least 1.",
    )
    horizon: Positive = Field(
        default=1, description="Numbers per step: how many consecutive values are predicted at once, `ahead` the first."
    )

    @classmethod
    def long_form(cls, value: Any) -> Any:
        """Return the mapping that a column name, ``next``, or several columns by themselves are short for."""
        if isinstance(value, list) and len(value) == 1:
            return {"column": value[0]}
        if isinstance(value, list) or (isinstance(value, dict) and cls._names_columns(value)):
            return {"columns": value}
        return {"next": True} if value == "next" else {"column": value} if isinstance(value, str) else value

    @classmethod
    def _names_columns(cls, value: dict[str, Any]) -> bool:
        """Return whether a mapping is one of columns to their settings, not of keys of the target."""
        kinds = (None, *get_args(TargetKind))
        settings = all(isinstance(part, dict) or part in kinds for part in value.values())
        return bool(value) and settings and not value.keys() & cls.model_fields.keys()

    @property
    def names(self) -> tuple[str, ...]:
        """The target columns; none where the target is the next step of the inputs."""
        return (*self.columns,) if self.column is None else (self.column,)


class TransformSpec(NamedTuple):
    """A transform of a numeric column, undone in every output; `lag` is the distance of a difference in steps."""

    name: str
    lag: int

    def __str__(self) -> str:
        return f"{self.name}({self.lag})" if self.name == "seasonal_difference" else self.name


_TRANSFORMS = ["log", "difference", "seasonal_difference(12)"]
_TRANSFORM = r"(log)|(difference)|seasonal_difference\( *([1-9][0-9]{0,8}) *\)"


def _parse_transform(value: Any) -> TransformSpec:
    if isinstance(value, TransformSpec):
        return value
    found = re.fullmatch(_TRANSFORM, str(value))
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
    WithJsonSchema({"type": "string", "pattern": f"^(?:{_TRANSFORM})$", "examples": _TRANSFORMS}),
]


def _inputs(value: Any) -> Any:
    """Expand a name, or a list of names, to a mapping of names to their settings."""
    if value is None:
        return {}
    return _by_column([value] if isinstance(value, str) else value)


Inputs = Annotated[
    dict[Column, InputSpec], either(_inputs, accepts=str | Names | dict[Column, InputSpec | InputKind | None])
]
_Columns = dict[Column, PartSpec | TargetKind | None]
Target = Annotated[
    TargetSpec | None, either(lambda value: value, accepts=Column | Names | TargetSpec | _Columns | None)
]
Transforms = Annotated[tuple[TransformStep, ...], several(accepts=TransformStep | OneOrMore[TransformStep])]
