"""From JSON to dataclasses: every value has the type that its field says, or the error names its key; and back."""

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

_LARGEST = 1 << 63  # of whole numbers, which arrays hold

T = TypeVar("T")
Converter = Callable[[Any], Any]


class WrongValue(ValueError):
    """A value is not what its place allows: the key, as in ``inputs.3.width``, and the problem."""

    def __init__(self, problem: str, key: str = "") -> None:
        super().__init__(f"{key}: {problem}" if key else problem)
        self.problem, self.key = problem, key

    def within(self, part: object) -> "WrongValue":
        """Return the error as seen from outside the object or list that holds the value under this key."""
        return WrongValue(self.problem, f"{part}.{self.key}" if self.key else str(part))


def built(kind: type[T], content: Any, optional: Collection[str] = ()) -> T:
    """Return the dataclass that JSON describes: an object with its fields as keys.

    Parameters
    ----------
    kind
        A dataclass whose fields are other dataclasses, tuples, mappings of strings, unions, literals, strings, booleans
        and numbers, or anything where the hint is Any. Whole numbers are taken for floats, and nothing else is
        converted.
    content
        What `json.loads` returned.
    optional
        Fields that may be left out, in `kind` and in all dataclasses inside: they have their defaults.

    Raises
    ------
    WrongValue
        A value has another type, a key is missing, or there is no such key.
    """
    return cast(T, _converter(cast(Any, kind), frozenset(optional))(content))


def plain(value: Any) -> Any:
    """Return dataclasses as JSON, without fields that have their defaults; a number that is not finite is null."""
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: plain(own) for each in fields(value) if (own := getattr(value, each.name)) != _default(each)}
    if isinstance(value, Mapping):
        return {str(name): plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _default(each: Field[Any]) -> Any:
    return each.default if each.default_factory is MISSING else each.default_factory()


def expected(what: str, value: Any) -> WrongValue:
    """Return the error for a value that is something else than what was expected."""
    return WrongValue(f"expected {what}, got {shown(value)}")


def shown(value: Any) -> str:
    """Return a value of JSON for a message: short, on one line, whatever it is."""
    if isinstance(value, dict | list):
        return f"{'an object' if isinstance(value, dict) else 'a list'} of {len(value)}"
    if type(value) is int and abs(value) >= 10**30:
        return "a number of more than 30 digits"
    text = "null" if value is None else str(value).lower() if isinstance(value, bool) else ascii(value)
    return text if len(text) <= 40 else f"{text[:40]}…"


@cache
def _converter(hint: Any, optional: frozenset[str]) -> Converter:
    """Return the function that converts a value of JSON to a type, or raises `WrongValue`."""
    origin, arguments = get_origin(hint), get_args(hint)
    if is_dataclass(hint):
        return _of_dataclass(cast(type, hint), optional)
    if origin is Literal:
        return _of_literal(arguments)
    if origin in (Union, UnionType):
        return _of_union([_converter(argument, optional) for argument in arguments], hint)
    if origin is tuple:
        return _of_list(_converter(arguments[0], optional))
    if origin is Mapping:
        return _of_mapping(_converter(arguments[1], optional))
    return _SINGLE[hint]


def _of_dataclass(kind: type, optional: frozenset[str]) -> Converter:
    hints = get_type_hints(kind)
    parts = {field.name: _converter(hints[field.name], optional) for field in fields(kind)}
    needed = [
        field.name
        for field in fields(kind)
        if field.name not in optional or (field.default is MISSING and field.default_factory is MISSING)
    ]

    def convert(value: Any) -> Any:
        if type(value) is not dict:
            raise expected("an object", value)
        made = {}
        for name, given in value.items():
            part = parts.get(name)
            if part is None:
                raise WrongValue("no such key").within(ascii(name)[1:-1][:40])
            try:
                made[name] = part(given)
            except WrongValue as error:
                raise error.within(name) from None
        for name in needed:
            if name not in made:
                raise WrongValue("missing").within(name)
        return kind(**made)

    return convert


def _of_literal(allowed: tuple[Any, ...]) -> Converter:
    types = {type(choice) for choice in allowed}

    def convert(value: Any) -> Any:
        if type(value) not in types or value not in allowed:
            raise expected(f"one of {', '.join(map(str, allowed))}", value)
        return value

    return convert


def _of_union(choices: list[Converter], hint: Any) -> Converter:
    def convert(value: Any) -> Any:
        found: WrongValue | None = None
        for choice in choices:
            try:
                return choice(value)
            except WrongValue as error:
                found = error if found is None or error.key else found
        raise found or expected(str(hint), value)

    return convert


def _of_list(part: Converter) -> Converter:
    def convert(value: Any) -> tuple[Any, ...]:
        if type(value) is not list:
            raise expected("a list", value)
        made = []
        for number, given in enumerate(value):
            try:
                made.append(part(given))
            except WrongValue as error:
                raise error.within(number) from None
        return tuple(made)

    return convert


def _of_mapping(part: Converter) -> Converter:
    def convert(value: Any) -> dict[str, Any]:
        if type(value) is not dict:
            raise expected("an object", value)
        made = {}
        for name, given in value.items():
            try:
                made[name] = part(given)
            except WrongValue as error:
                raise error.within(ascii(name)[1:41]) from None
        return made

    return convert


def _single(kind: type, what: str) -> Converter:
    def convert(value: Any) -> Any:
        if type(value) is not kind:
            raise expected(what, value)
        return value

    return convert


def _int(value: Any) -> int:
    if type(value) is not int or abs(value) >= _LARGEST:
        raise expected("a whole number", value)
    return value


def _float(value: Any) -> float:
    if type(value) not in (int, float) or (type(value) is int and abs(value) >= 10**300):
        raise expected("a number", value)
    return float(value)


_SINGLE: dict[Any, Converter] = {
    str: _single(str, "a text"),
    bool: _single(bool, "true or false"),
    int: _int,
    NoneType: _single(NoneType, "null"),
    float: _float,
    Any: lambda value: value,
}
