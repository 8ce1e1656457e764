"""What is wrong with a config, in words: from pydantic's errors to paths and sentences."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from pydantic import ValidationError

from lstm_cli.spec.grammar import every_key, keys_at, nearest, sections_at, tag_of
from lstm_cli.spec.source import Source, dotted, got
from lstm_cli.spec.yaml_reader import Path


class Problem(NamedTuple):
    """One thing wrong: where in the config, what; `at_key`: the key itself is wrong, not its value."""

    path: Path
    text: str
    at_key: bool = False


_EXPECTED = {
    "model_type": "a mapping of keys to values",
    "model_attributes_type": "a mapping of keys to values",
    "dict_type": "a mapping of names to values",
    "tuple_type": "a list",
    "too_short": "a list of at least one",
    "too_long": "a shorter list",
}


def problems_of(error: ValidationError, raw: Any, source: Source) -> list[Problem]:
    """Return what pydantic found wrong with the raw values of a config."""
    return [_problem(details, raw, source) for details in error.errors(include_url=False)]


def _problem(details: Mapping[str, Any], raw: Any, source: Source) -> Problem:
    kind, location, context = details["type"], details["loc"], details.get("ctx", {})
    path, value = _follow(location, raw)
    match kind:
        case "problem":
            return Problem(path, context["problem"])
        case "missing":
            description = sections_at(location[:-1])[0].model_fields[location[-1]].description
            return Problem((*path, location[-1]), f"missing: give {description[0].lower()}{description[1:-1]}")
        case "extra_forbidden":
            return Problem(path, _unknown_key(location, path, source), at_key=True)
        case "literal_error":
            return Problem(path, _not_one_of(value, re.findall(r"'([^']*)'", context["expected"])))
        case "union_tag_invalid":
            names = re.findall(r"'([^']*)'", context["expected_tags"])
            name = value.get("name") if isinstance(value, Mapping) else value
            return Problem((*path, "name") if isinstance(value, Mapping) else path, _not_one_of(name, sorted(names)))
        case _:
            expected = context["what"] if kind == "expected" else _EXPECTED.get(kind, details["msg"])
            return Problem(path, f"got {got(value)}, expected {expected}")


def _follow(location: Sequence[str | int], raw: Any) -> tuple[Path, Any]:
    """Return the path and value of a location, passing over tags of unions and keys that a short form leaves out."""
    path: Path = ()
    for part in location:
        if isinstance(raw, Mapping) and part in raw:
            path, raw = (*path, part), raw[part]
        elif isinstance(raw, list) and isinstance(part, int) and part < len(raw):
            path, raw = (*path, part), raw[part]
    return path, raw


def _not_one_of(value: Any, names: Sequence[str]) -> str:
    meant = nearest(value, names) if isinstance(value, str) else None
    return f"got {got(value)}, expected one of {', '.join(names)}" + (f" (did you mean {meant}?)" if meant else "")


def _unknown_key(location: Sequence[str | int], path: Path, source: Source) -> str:
    key, sections = str(location[-1]), sections_at(location[:-1])
    tag = tag_of(sections[0]) if len(sections) == 1 else None
    owner = f" of {tag}" if tag else ""
    known = keys_at(location[:-1])
    elsewhere = every_key().get(key)
    meant = nearest(key, known) or (elsewhere if elsewhere != dotted(path) else None)
    hint = f" (did you mean {meant}?)" if meant else f", expected one of {', '.join(known)}" if known else ""
    return f"unknown key{owner}{hint}{_renamed_by(path, source)}"


def _renamed_by(path: Path, source: Source) -> str:
    """Return what to do where the command line changed the name that decides which keys a section has."""
    override, place = source.places.get((*path[:-1], "name")), source.places.get(path)
    if not isinstance(override, str) or isinstance(place, str):
        return ""
    key, _, name = override.partition("=")
    section = key.removesuffix(".name")
    return f"; the command line says {override}: to drop the file's other keys, say '{section}={{name: {name}}}'"
