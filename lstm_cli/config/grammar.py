"""What the grammar knows at a place: the sections there and their keys."""

import types
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Annotated, Any, Union, get_args, get_origin

from lstm_cli.config.config import Config
from lstm_cli.config.fields import Section


def sections_at(location: Sequence[str | int]) -> list[type[Section]]:
    """Return the sections that can stand at a location.

    Parameters
    ----------
    location
        Keys and indices from the root; names given by the user and pydantic's tags of a union are passed over.
    """
    found: list[type[Section]] = [Config]
    for part in location:
        if any(part in section.model_fields for section in found):
            fields = [section.model_fields[part] for section in found if part in section.model_fields]
            found = list(dict.fromkeys(inner for field in fields for inner in _sections_in(field.annotation)))
        else:
            found = [section for section in found if tag_of(section) == part] or found
    return found


def tag_of(section: type[Section]) -> str | None:
    """Return the name that tells a section from the others that can stand in its place."""
    field = section.model_fields.get("name")
    return None if field is None else field.default


def keys_at(location: Sequence[str | int]) -> list[str]:
    """Return the keys that can stand in the sections at a location."""
    return list(dict.fromkeys(key for section in sections_at(location) for key in section.model_fields))


@cache
def every_key() -> dict[str, str]:
    """Return the whole dotted key by the last part of it, where only one has that last part."""
    keys = list(_walk(Config, ()))
    last = [key[-1] for key in keys]
    return {key[-1]: ".".join(key) for key in keys if last.count(key[-1]) == 1}


def _sections_in(annotation: Any) -> Iterator[type[Section]]:
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _sections_in(get_args(annotation)[0])
    elif origin in (Union, types.UnionType, dict, tuple):
        for inner in get_args(annotation):
            yield from _sections_in(inner)
    elif isinstance(annotation, type) and issubclass(annotation, Section):
        yield annotation


def _walk(section: type[Section], path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for key, field in section.model_fields.items():
        yield (*path, key)
        if get_origin(field.annotation) not in (dict, tuple):
            for inner in _sections_in(field.annotation):
                yield from (deeper for deeper in _walk(inner, (*path, key)))
