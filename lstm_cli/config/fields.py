"""The building blocks of sections: base class, types of values, and markers of keys that a resumed run may change."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, TypeVar

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

from lstm_cli.config.source import got

LARGEST = 2**31 - 1


class Section(BaseModel):
    """A part of the config: its keys with their types, defaults and descriptions.

    An empty section has all its defaults. Where `shorthand` names a key, a bare value sets that key alone. A
    resumed run may change only the keys whose types are marked with `MayChange`, `MayMove` or another `ResumeRule`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
    shorthand: ClassVar[str | None] = None

    @classmethod
    def long_form(cls, value: Any) -> Any:
        """Return the mapping that an empty or a bare value is short for; other values unchanged."""
        if value is None:
            return {}
        return {cls.shorthand: value} if cls.shorthand and not isinstance(value, dict | list | Section) else value

    @model_validator(mode="before")
    @classmethod
    def _expand(cls, value: Any) -> Any:
        return cls.long_form(value)


@dataclass(frozen=True)
class ResumeRule:
    """Marks a field, in the metadata of its type, as one that a resumed run may change. Other fields keep their values.

    Attributes
    ----------
    condition
        What follows "may change" in words, such as "except to 0"; empty for always.
    allows
        Whether it may change from one value to another; None represents a value that one of the configs lacks.
    """

    condition: str
    allows: Callable[[Any, Any], bool]


def _moved(old: Any, new: Any) -> bool:
    return isinstance(old, str | list) and isinstance(new, str | list)


T = TypeVar("T")
OneOrMore = Annotated[list[T], Field(min_length=1)]
MayChange = Annotated[T, ResumeRule("", lambda old, new: True)]
MayMove = Annotated[T, ResumeRule("to a file with the same content", _moved)]


def expected(what: str) -> WrapValidator:
    """Return a validator whose one message says what was expected, in place of pydantic's many.

    A message of our own about the value, as `refuse` makes it, stays.
    """

    def check(value: Any, inner: ValidatorFunctionWrapHandler) -> Any:
        try:
            return inner(value)
        except ValidationError as error:
            for found in error.errors(include_url=False):
                if found["type"] == "problem":  # says more than what was expected
                    raise refuse(found["ctx"]["problem"]) from None
            raise PydanticCustomError("expected", "{what}", {"what": what}) from None

    return WrapValidator(check)


def refuse(problem: str) -> PydanticCustomError:
    """Return the error for a value whose problem needs its own message."""
    return PydanticCustomError("problem", "{problem}", {"problem": problem})


def whole(low: int) -> Any:
    """Return the constraints of a whole number of at least `low`."""
    return Field(strict=True, ge=low, le=LARGEST)


#: What people write for large numbers that YAML reads as text: ``10^15``, ``10**15``, ``1,000`` and ``1_000``.
_CALCULATED = re.compile(r"\d[\d,_ ]*(?:(?:\^|\*\*|[eE]\+?)\d+|[,_ ]\d+)")


def _explained(value: Any) -> Any:
    """Refuse numbers that are too large, and texts that stand for whole numbers, with what to write instead."""
    whole_float = isinstance(value, float) and value.is_integer()
    if (whole_float or isinstance(value, int)) and value > LARGEST:
        raise refuse(f"got {got(value)}, expected a whole number of at most {LARGEST:,}")
    if isinstance(value, str) and _CALCULATED.fullmatch(value[:60]):
        raise refuse(f"got {got(value)}, which is text: write a whole number of at most {LARGEST} in digits alone")
    return value


_LARGE = BeforeValidator(_explained)
Positive = Annotated[int, whole(1), expected("a whole number of 1 or more"), _LARGE]
Natural = Annotated[int, whole(0), expected("a whole number of 0 or more"), _LARGE]
Flag = Annotated[bool, Field(strict=True), expected("true or false")]
AboveZero = Annotated[float, Field(strict=True, gt=0), expected("a number above 0")]
NotNegative = Annotated[float, Field(strict=True, ge=0), expected("a number of 0 or more")]
Share = Annotated[float, Field(strict=True, ge=0, le=1), expected("a number from 0 to 1")]
Rate = Annotated[float, Field(strict=True, ge=0, lt=1), expected("a number of 0 or more, below 1")]
Factor = Annotated[float, Field(strict=True, gt=0, lt=1), expected("a number between 0 and 1")]
Column = Annotated[str, Field(strict=True, min_length=1), expected("the name of a column")]
Label = Annotated[str, Field(strict=True), expected("a label")]


def _readable_path(path: str) -> str:
    """Refuse a string that cannot be the path of a file; ``..`` and absolute paths are up to the user."""
    if "\0" in path:
        raise refuse("a path cannot hold the character NUL")
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", path):
        raise refuse(f"got {path!r}, expected a file on this machine: download it first")
    return path


_NO_ADDRESS = r"^(?![A-Za-z][A-Za-z0-9+.\-]+://)[^\x00]+$"
FilePath = Annotated[
    str,
    Field(strict=True, min_length=1),
    expected("a path"),
    AfterValidator(_readable_path),
    WithJsonSchema({"type": "string", "pattern": _NO_ADDRESS}),
]


@dataclass(frozen=True)
class Every:
    """An interval: every `count` epochs, updates (``steps``) or seconds."""

    count: float
    unit: Literal["epoch", "steps", "seconds"]

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


def _interval(*, timed: bool) -> Callable[[Any], Every]:
    """Return the parser of an interval in epochs or steps, and in time where `timed`."""
    what = "'epoch', 'N epochs', 'N steps'" + (", or a time such as 10min" if timed else "")

    def parse(value: Any) -> Every:
        every = _parse_interval(value)
        if every is None or every.count <= 0 or (every.unit == "seconds" and not timed):
            raise PydanticCustomError("expected", "{what}", {"what": what})
        return every

    return parse


_COUNTED = r"(?:0*[1-9][0-9]* *)?(?:epochs?|steps?)"
_TIMED = r"(?=[0-9.]*[1-9])[0-9]{1,15}(?:\.[0-9]{1,3})? *(?:s|seconds?|min|minutes?|h|hours?)"
EpochsOrSteps = Annotated[
    Every,
    PlainValidator(_interval(timed=False)),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "pattern": f"^{_COUNTED}$", "examples": ["epoch", "500 steps"]}),
]
Interval = Annotated[
    Every,
    PlainValidator(_interval(timed=True)),
    PlainSerializer(str, return_type=str),
    WithJsonSchema(
        {"type": "string", "pattern": f"^(?:{_COUNTED}|{_TIMED})$", "examples": ["epoch", "500 steps", "10min"]}
    ),
]


def _parse_time(value: Any) -> Every:
    every = _parse_interval(value)
    if every is None or every.count <= 0 or every.unit != "seconds":
        raise PydanticCustomError("expected", "{what}", {"what": "a time such as 10min or 2h"})
    return every


Duration = Annotated[
    Every,
    PlainValidator(_parse_time),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "pattern": f"^{_TIMED}$", "examples": ["10min", "2h"]}),
]


def _fill_list(value: Any) -> Any:
    """Return a list of one for a bare value, and refuse an empty list."""
    if value in ([], ()):
        raise PydanticCustomError("expected", "{what}", {"what": "a list of at least one"})
    return value if isinstance(value, list | tuple) else [value]


def several(*, accepts: Any) -> BeforeValidator:
    """Return a validator that accepts a bare value for a list of one; `accepts` is the type in the JSON schema."""
    return either(_fill_list, accepts=accepts)


def _as_list(value: Any) -> Any:
    return value if isinstance(value, list | tuple) else [value]


def any_number(*, accepts: Any) -> BeforeValidator:
    """Return a validator that accepts a bare value for a list of one, and an empty list too; see `several`."""
    return either(_as_list, accepts=accepts)


def either(before: Any, *, accepts: Any) -> BeforeValidator:
    """Return a validator that expands short forms with `before`; `accepts` is their type in the JSON schema."""
    return BeforeValidator(before, json_schema_input_type=accepts)
