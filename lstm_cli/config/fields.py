"""What sections of the config are made of: their base class, and types of values that say what they expect."""

import re
from typing import Annotated, Any, ClassVar, NamedTuple

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
    model_validator,
)
from pydantic_core import PydanticCustomError

LARGEST = 2**31 - 1


class Section(BaseModel):
    """A part of the config: its keys with their types, defaults and descriptions.

    An empty section is one with all its defaults. Where `shorthand` names a key, a bare value stands for it alone.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
    shorthand: ClassVar[str | None] = None

    @classmethod
    def long_form(cls, value: Any) -> Any:
        """Return the mapping that an empty or a bare value stands for; other values as they are."""
        if value is None:
            return {}
        return {cls.shorthand: value} if cls.shorthand and not isinstance(value, dict | list | Section) else value

    @model_validator(mode="before")
    @classmethod
    def _lengthen(cls, value: Any) -> Any:
        return cls.long_form(value)


def expected(what: str) -> WrapValidator:
    """Say what a value should have been, in place of pydantic's words for each way of being wrong."""

    def check(value: Any, inner: ValidatorFunctionWrapHandler) -> Any:
        try:
            return inner(value)
        except ValidationError:
            raise PydanticCustomError("expected", "{what}", {"what": what}) from None

    return WrapValidator(check)


def refuse(problem: str) -> PydanticCustomError:
    """Return the error for a value whose problem is more than not being what was expected."""
    return PydanticCustomError("problem", "{problem}", {"problem": problem})


def whole(low: int) -> Any:
    """Return the parts of the type of a whole number of `low` or more."""
    return Field(strict=True, ge=low, le=LARGEST)


Positive = Annotated[int, whole(1), expected("a whole number of 1 or more")]
Natural = Annotated[int, whole(0), expected("a whole number of 0 or more")]
Flag = Annotated[bool, Field(strict=True), expected("true or false")]
AboveZero = Annotated[float, Field(strict=True, gt=0), expected("a number above 0")]
NotNegative = Annotated[float, Field(strict=True, ge=0), expected("a number of 0 or more")]
Share = Annotated[float, Field(strict=True, ge=0, le=1), expected("a number from 0 to 1")]
Rate = Annotated[float, Field(strict=True, ge=0, lt=1), expected("a number of 0 or more, below 1")]
Factor = Annotated[float, Field(strict=True, gt=0, lt=1), expected("a number between 0 and 1")]
Column = Annotated[str, Field(strict=True, min_length=1), expected("the name of a column")]


def _readable_path(path: str) -> str:
    """Refuse what names no file; ``..`` and absolute paths are the user's own to write."""
    if "\0" in path:
        raise refuse("a path cannot hold the character NUL")
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", path):
        raise refuse(f"got {path!r}, expected a file on this machine: download it first")
    return path


FilePath = Annotated[str, Field(strict=True, min_length=1), expected("a path"), AfterValidator(_readable_path)]


class Every(NamedTuple):
    """An interval: a count of a unit, which is ``epoch``, ``steps`` or ``seconds``."""

    count: float
    unit: str

    def __str__(self) -> str:
        if self.unit == "epoch":
            return "epoch" if self.count == 1 else f"{self.count} epochs"
        if self.unit == "steps":
            return f"{self.count} steps"
        for name, seconds in (("h", 3600), ("min", 60), ("s", 1)):
            if self.count % seconds == 0:
                return f"{self.count / seconds:.0f}{name}"
        return f"{self.count:.3f}s"


_INTERVAL = re.compile(r"(?:(\d{1,9}) *)?(epochs?|steps?)|(\d{1,15}(?:\.\d{1,3})?) *(s|seconds?|min|minutes?|h|hours?)")
_SECONDS = {"s": 1, "m": 60, "h": 3600}


def _parse_interval(value: Any) -> Every | None:
    if isinstance(value, Every):
        return value
    found = _INTERVAL.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return None
    count, unit, time, scale = found.groups()
    if time:
        return Every(round(float(time) * _SECONDS[scale[0]], 3), "seconds")
    return Every(int(count or 1), "epoch" if unit.startswith("epoch") else "steps")


def interval(*, timed: bool) -> Any:
    """Return the type of an interval in epochs or steps, and in time where `timed`."""
    what = "'epoch', 'N epochs', 'N steps'" + (", or a time such as 10min" if timed else "")

    def parse(value: Any) -> Every:
        every = _parse_interval(value)
        if every is None or every.count <= 0 or (every.unit == "seconds" and not timed):
            raise PydanticCustomError("expected", "{what}", {"what": what})
        return every

    schema = WithJsonSchema({"type": "string", "examples": ["epoch", "500 steps", *(["10min"] if timed else [])]})
    return Annotated[Every, PlainValidator(parse), PlainSerializer(str, return_type=str), schema]


def _fill_list(value: Any) -> Any:
    """Let a bare value stand for a list of one, and refuse an empty list."""
    if value in ([], ()):
        raise PydanticCustomError("expected", "{what}", {"what": "a list of at least one"})
    return value if isinstance(value, list | tuple) else [value]


def several(*, accepts: Any) -> BeforeValidator:
    """Return the step that makes a list of at least one; `accepts` is the type given, for the JSON schema."""
    return either(_fill_list, accepts=accepts)


def either(before: Any, *, accepts: Any) -> BeforeValidator:
    """Return a step that brings short forms to the long one; `accepts` is their type, for the JSON schema."""
    return BeforeValidator(before, json_schema_input_type=accepts)
