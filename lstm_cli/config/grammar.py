"""Queries on the grammar: the sections at a location, their keys, and which keys a resumed run may change."""

import types
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Annotated, Any, Union, get_args, get_origin

from lstm_cli.config.config import Config
from lstm_cli.config.fields import ResumeRule, Section


def sections_at(location: Sequence[str | int]) -> list[type[Section]]:
    """Return the sections that may appear at a location.

    Parameters
    ----------
    location
        Keys and indices from the root; names given by the user and pydantic's union tags may appear in between.
    """
    found: list[type[Section]] = [Config]
    for part in location:
        fields = [section.model_fields[part] for section in found if part in section.model_fields]
        if fields:
            found = list(dict.fromkeys(inner for field in fields for inner in sections_in(field.annotation)))
        else:
            found = [section for section in found if tag_of(section) == part] or found
    return found


def tag_of(section: type[Section]) -> str | None:
    """Return the name that distinguishes a section from the alternatives at its location."""
    field = section.model_fields.get("name")
    return None if field is None else field.default


def keys_at(location: Sequence[str | int]) -> list[str]:
    """Return the keys that may appear in the sections at a location."""
    return list(dict.fromkeys(key for section in sections_at(location) for key in section.model_fields))


@cache
def every_key() -> dict[str, str]:
    """Return the dotted keys by their last part, for those whose last part is unique."""
    keys = list(_walk(Config, ()))
    last = [key[-1] for key in keys]
    return {key[-1]: ".".join(key) for key in keys if last.count(key[-1]) == 1}


def settable_keys() -> dict[str, str]:
    """Return the dotted keys that have a value of their own rather than keys below them, with their descriptions."""
    found: dict[str, str] = {}
    for path in _walk(Config, ()):
        fields = [
            section.model_fields[path[-1]] for section in sections_at(path[:-1]) if path[-1] in section.model_fields
        ]
        if not any(True for field in fields for _ in sections_in(field.annotation)):
            found.setdefault(".".join(path), next((field.description or "" for field in fields), ""))
    return found


def resume_rules(config: Mapping[str, Any]) -> dict[str, ResumeRule]:
    """Return the rule of every key that a resumed run may change, by dotted key; other keys may not change.

    Parameters
    ----------
    config
        Plain values of a config, with all its keys and the names that distinguish its sections.
    """
    return dict(_rules(config, Config, ""))


def _rules(values: Mapping[str, Any], section: type[Section], prefix: str) -> Iterator[tuple[str, ResumeRule]]:
    for key, value in values.items():
        field = section.model_fields.get(key)
        if field is None:
            continue
        yield from ((f"{prefix}{key}", mark) for mark in field.metadata if isinstance(mark, ResumeRule))
        if isinstance(value, Mapping) and get_origin(field.annotation) not in (dict, tuple):
            inner = list(sections_in(field.annotation))
            chosen = inner if len(inner) == 1 else [part for part in inner if tag_of(part) == value.get("name")]
            for part in chosen:
                yield from _rules(value, part, f"{prefix}{key}.")


def sections_in(annotation: Any) -> Iterator[type[Section]]:
    """Yield the sections that a type contains, in unions, lists and mappings too."""
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from sections_in(get_args(annotation)[0])
    elif origin in (Union, types.UnionType, dict, tuple):
        for inner in get_args(annotation):
            yield from sections_in(inner)
    elif isinstance(annotation, type) and issubclass(annotation, Section):
        yield annotation


def _walk(section: type[Section], path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for key, field in section.model_fields.items():
        yield (*path, key)
        if get_origin(field.annotation) not in (dict, tuple):
            for inner in sections_in(field.annotation):
                yield from (deeper for deeper in _walk(inner, (*path, key)))
