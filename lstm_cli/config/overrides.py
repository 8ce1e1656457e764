"""``KEY=VALUE`` from the command line, set into the raw values of a config."""

from collections.abc import MutableMapping, Sequence
from typing import Any

from lstm_cli.config.grammar import sections_at
from lstm_cli.config.source import dotted, got
from lstm_cli.config.yaml_reader import MAX_DEPTH, Path, Place, Unreadable, read_yaml
from lstm_cli.errors import brief


def apply_overrides(
    raw: dict[str, Any], overrides: Sequence[str], places: MutableMapping[Path, Place | str]
) -> list[str]:
    """Apply each override to the raw values in turn and record its place; return the problems found.

    Parameters
    ----------
    raw
        Values of the config, changed in place.
    overrides
        Dotted key, ``=``, value as YAML. In the key, an entry of a list is its index from 0.
    places
        By path: the place in the file, or the override that set it; changed in place.
    """
    problems = []
    for text in overrides:
        try:
            path = _set(raw, *_parse(text))
        except Unreadable as error:
            problems.append(f"command line: {brief(text)}: {error.problem}")
            continue
        for below in [place for place in places if place[: len(path)] == path]:
            del places[below]
        for depth in range(1, len(path) + 1):
            places.setdefault(path[:depth], text)
    return problems


def _parse(text: str) -> tuple[list[str], Any]:
    key, equals, value = text.partition("=")
    parts = key.split(".")
    if _has_foreign_bytes(key):
        raise Unreadable("bytes that are not UTF-8: give the key as the documentation writes it")
    if not equals or not all(parts) or len(parts) > MAX_DEPTH:
        raise Unreadable("expected KEY=VALUE, such as train.epochs=5")
    if _has_foreign_bytes(value):
        raise Unreadable("bytes that are not UTF-8: give this value in UTF-8, or in a config")
    document = read_yaml(value.encode())
    if document.problems:
        raise Unreadable(document.problems[0][2])
    return parts, document.value


def _has_foreign_bytes(text: str) -> bool:
    """Return whether a text of the command line had bytes that are not UTF-8, which Python shows as surrogates."""
    return any("\ud800" <= character <= "\udfff" for character in text)


def _set(raw: dict[str, Any], parts: Sequence[str], value: Any) -> Path:
    """Set one value; missing sections on the way are created, bare values expanded to their long form."""
    node: Any = raw
    path: Path = ()
    for part in parts[:-1]:
        index = _index(node, part, path)
        path = (*path, index)
        child = node.get(index) if isinstance(node, dict) else node[index]
        if not isinstance(child, dict | list):
            node[index] = child = _long_form(child, path)
        node = child
    index = _index(node, parts[-1], path)
    node[index] = value
    return (*path, index)


def _index(node: Any, part: str, path: Path) -> str | int:
    if isinstance(node, dict):
        return part
    if part.isdecimal() and int(part[:9]) < len(node):
        return int(part[:9])
    raise Unreadable(f"{dotted(path)} is a list of {len(node)}: give an index from 0, or the whole list")


def _long_form(value: Any, path: Path) -> dict[str, Any]:
    sections = sections_at(path)
    longer = sections[0].long_form(value) if sections and value is not None else {} if value is None else value
    if not isinstance(longer, dict):
        raise Unreadable(f"{dotted(path)} is {got(value)}, which has no keys of its own")
    return longer
