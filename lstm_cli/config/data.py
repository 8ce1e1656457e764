"""The section `data`: where sequences come from, what feeds the network, what it should learn."""

import re
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

from pydantic import Field, PlainSerializer, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from lstm_cli.config.fields import Column, FilePath, Flag, Natural, Positive, Section, either, expected, refuse, several
from lstm_cli.config.formats import FORMATS

Held = Annotated[
    FilePath | Annotated[int, Field(strict=True, ge=1)] | Annotated[float, Field(strict=True, gt=0, lt=1)] | None,
    expected("a path, a share between 0 and 1, a count of 1 or more, or null"),
]

InputKind = Literal["auto", "number", "tokens", "set"]


class InputSpec(Section):
    """One column that feeds the network at each step."""

    shorthand: ClassVar[str | None] = "kind"

    kind: InputKind = Field("auto", description="What the column holds; auto reads it off the data.")
    of: Column | None = Field(None, description="Column it is read from; null: the one of its own name.")
    last: Positive | None = Field(None, description="Tokens: how many of their last characters make it; null: all.")
    min_count: Positive = Field(1, description="Tokens seen less often in train are the unknown token.")
    lowercase: Flag = Field(False, description="Whether tokens are brought to lower case.")

    @property
    def spells(self) -> list[str]:
        """The keys that are set and mean something for tokens only."""
        fields = type(self).model_fields
        return [key for key in fields if key != "kind" and getattr(self, key) != fields[key].default]


class TargetSpec(Section):
    """What the network learns to predict."""

    column: Column | None = Field(None, description="Column that holds the target; null with `next`.")
    next: Flag = Field(False, description="Whether the target is the next step of the inputs.")
    kind: Literal["auto", "category", "number", "set"] = Field(
        "auto", description="What the target is; fixes loss and metrics. auto reads it off the data."
    )
    per: Literal["auto", "step", "sequence"] = Field(
        "auto", description="A target for each step or one a sequence; auto: as many values as steps means per step."
    )
    ahead: Natural = Field(0, description="Steps that the target lies ahead of the inputs; with `next` 1 or more.")

    @classmethod
    def long_form(cls, value: Any) -> Any:
        """Return the mapping that the name of a column, or ``next``, stands for."""
        return {"next": True} if value == "next" else {"column": value} if isinstance(value, str) else value


class Transform(NamedTuple):
    """A step done to a numeric column and undone in every output; `lag` is the distance of a difference."""

    name: str
    lag: int

    def __str__(self) -> str:
        return f"{self.name}({self.lag})" if self.name == "seasonal_difference" else self.name


def _parse_transform(value: Any) -> Transform:
    if isinstance(value, Transform):
        return value
    found = re.fullmatch(r"(log)|(difference)|seasonal_difference\( *([1-9]\d{0,8}) *\)", str(value))
    if found is None:
        raise PydanticCustomError("expected", "{what}", {"what": "log, difference or seasonal_difference(STEPS)"})
    log, _, lag = found.groups()
    if lag:
        return Transform("seasonal_difference", int(lag))
    return Transform("log", 0) if log else Transform("difference", 1)


TransformStep = Annotated[
    Transform,
    PlainValidator(_parse_transform),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "examples": ["log", "difference", "seasonal_difference(12)"]}),
]


def _inputs(value: Any) -> Any:
    """Bring a name, or a list of names, to a mapping of names to their settings."""
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
    """Where sequences come from, what feeds the network, what it should learn."""

    train: FilePath = Field(description="The file of the training sequences, relative to the config file.")
    valid: Held = Field(
        0.2,
        description="A path, the share of train held out, or how many sequences are (by sequence; of one long series, "
        "steps of its end); null: none.",
    )
    test: Held = Field(None, description="As `valid`; scored once at the end with the best checkpoint.")
    format: Literal["auto", *FORMATS] = Field("auto", description="Format of the files; auto: by suffix.")  # ty: ignore
    inputs: Inputs = Field({}, description="Columns that feed the network at each step; none: what the format implies.")
    target: Target = Field(
        None, description="A column, `next` for the next step of the inputs, or the long form; text implies `next`."
    )
    id: Column = Field("id", description="Column that names a sequence; csv: its equal neighbours form one sequence.")
    scale: Literal["none", "standard", "minmax"] = Field(
        "standard", description="Scaling of numeric inputs and targets, fitted on train only, undone in every output."
    )
    max_length: Positive | None = Field(None, description="Steps that a sequence may have; null: any number.")
    on_long: Literal["stop", "cut", "split"] = Field(
        "stop", description="What is done with longer sequences; cut and split: of train, as scores are of whole ones."
    )
    on_error: Literal["stop", "skip"] = Field("stop", description="What is done with a row that cannot be read.")
    unit: Literal["char", "word"] = Field("char", description="Format text: what a step is.")
    lines: Flag = Field(False, description="Format text: whether each line is a sequence, with an end symbol.")
    transform: dict[Column, Transforms] = Field(
        {}, description="Steps by numeric column: log, difference, seasonal_difference(12); undone in every output."
    )
    window: Positive | None = Field(None, description="One long series or text: length of the training windows.")
    carry_state: Flag = Field(False, description="With `window`: whether the state flows from window to window.")
