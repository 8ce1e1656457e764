"""What is wrong with a config, in words: from pydantic's errors to paths and sentences."""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from pydantic import ValidationError

from lstm_cli.config.grammar import every_key, keys_at, sections_at, tag_of
from lstm_cli.config.source import Source, dotted, got
from lstm_cli.config.yaml_reader import Path
from lstm_cli.errors import did_you_mean, nearest


class Problem(NamedTuple):
    """One thing wrong with a config.

    Attributes
    ----------
    path
        Where in the config.
    text
        Returns what is wrong; called only for the few problems shown, as suggestions take time.
    at_key
        Whether the key itself is wrong, not its value.
    """

    path: Path
    text: Callable[[], str]
    at_key: bool = False


_EXPECTED = {
    "model_type": "a mapping of keys to values",
    "model_attributes_type": "a mapping of keys to values",
    "dict_type": "a mapping of names to values",
}


def problems_of(error: ValidationError, raw: Any, source: Source) -> list[Problem]:
    """Return what pydantic found to be wrong with the raw values of a config."""
    return [_problem(details, raw, source) for details in error.errors(include_url=False)]


def _problem(details: Mapping[str, Any], raw: Any, source: Source) -> Problem:
    kind, location = details["type"], details["loc"]
    path, value = _follow(location, raw)
    if kind == "extra_forbidden":
        return Problem(path, partial(_unknown_key, location, path, source), at_key=True)
    if kind == "missing":
        return Problem((*path, location[-1]), partial(_missing, location))
    if kind == "union_tag_invalid" and isinstance(value, Mapping):
        path, value = (*path, "name"), value["name"]
    return Problem(path, partial(_wrong_value, kind, value, details))


def _wrong_value(kind: str, value: Any, details: Mapping[str, Any]) -> str:
    context = details.get("ctx", {})
    if kind == "problem":
        return str(context["problem"])
    if kind in ("literal_error", "union_tag_invalid"):
        names = re.findall(r"'([^']*)'", context["expected" if kind == "literal_error" else "expected_tags"])
        meant = nearest(value, names) if isinstance(value, str) else None
        return f"got {got(value)}, expected one of {', '.join(names)}{did_you_mean(meant)}"
    expected = context["what"] if kind == "expected" else _EXPECTED.get(kind, details["msg"])
    return f"got {got(value)}, expected {expected}"


def _missing(location: Sequence[str | int]) -> str:
    description = sections_at(location[:-1])[0].model_fields[str(location[-1])].description or "a value."
    return f"missing: give {description[0].lower()}{description[1:-1]}"


def _follow(location: Sequence[str | int], raw: Any) -> tuple[Path, Any]:
    """Return the path and value of a location, passing over tags of unions and keys that a short form leaves out."""
    path: Path = ()
    for part in location:
        if isinstance(raw, Mapping) and part in raw:
            path, raw = (*path, part), raw[part]
        elif isinstance(raw, list) and isinstance(part, int) and part < len(raw):
            path, raw = (*path, part), raw[part]
    return path, raw


def _unknown_key(location: Sequence[str | int], path: Path, source: Source) -> str:
    key, sections = str(location[-1]), sections_at(location[:-1])
    tag = tag_of(sections[0]) if len(sections) == 1 else None
    owner = f" of {tag}" if tag else ""
    known = keys_at(location[:-1])
    elsewhere = every_key().get(key)
    meant = nearest(key, known) or (elsewhere if elsewhere != dotted(path) else None)
    hint = did_you_mean(meant) or (f", expected one of {', '.join(known)}" if known else "")
    return f"unknown key{owner}{hint}{_renamed_by(path, source)}"


def _renamed_by(path: Path, source: Source) -> str:
    """Return what to do where the command line changed the name that determines the keys of a section."""
    override, place = source.places.get((*path[:-1], "name")), source.places.get(path)
    if not isinstance(override, str) or isinstance(place, str):
        return ""
    key, _, name = override.partition("=")
    section = key.removesuffix(".name")
    return f"; the command line says {override}: to drop the file's other keys, say '{section}={{name: {name}}}'"
