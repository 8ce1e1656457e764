"""The JSON Schema of the config, draft 2020-12: for editors, which complete and check a config while it is written.

It is pydantic's, with what the loader accepts beyond it: short forms of sections, empty sections, and sections whose
`name` may be left out. What the loader finds by comparing keys with each other is not in it.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, get_origin

from pydantic.fields import FieldInfo

from lstm_cli.config.config import Config
from lstm_cli.config.fields import Section
from lstm_cli.config.grammar import sections_in

DRAFT = "https://json-schema.org/draft/2020-12/schema"
#: The schema as a file of this package, which ``docs/generate.py`` writes.
FILE = Path(__file__).with_name("lstm-config.schema.json")
_LINE = re.compile(r"# yaml-language-server:[^\n]*\n")
_REF = "#/$defs/"
_ANNOTATIONS = ("title", "description", "default")

Node = dict[str, Any]


def schema_line(place: str = "") -> str:
    """Return the first line of a config from which editors know its schema, without its line end.

    Parameters
    ----------
    place
        Where the schema is: an address, or a path relative to the config. By default the file of this installation:
        it needs no network, and is the schema of the version that will read the config.
    """
    return f"# yaml-language-server: $schema={place or FILE.as_uri()}"


def with_schema_line(text: str) -> str:
    """Return a config's text with the line of this installation's schema at its top, in place of one that is there."""
    return f"{schema_line()}\n{_LINE.sub('', text, count=1)}"


def schema_text() -> str:
    """Return the schema as JSON, with its last line end."""
    return json.dumps(json_schema(), indent=1, ensure_ascii=False) + "\n"


def json_schema() -> Node:
    """Return the JSON Schema of a config as plain values."""
    made = Config.model_json_schema()
    classes = {section.__name__: section for section in _sections(Config)}
    implied = {type(field.default).__name__ for section in classes.values() for field in section.model_fields.values()}
    definitions = {name: _section(classes[name], node, implied) for name, node in made.pop("$defs").items()}
    root = _section(Config, made, implied)
    forms = {name: _bare(classes[name], node) for name, node in definitions.items()}
    root, definitions = _expanded(root, forms), {name: _expanded(node, forms) for name, node in definitions.items()}
    about = "A config of lstm-cli: everything that defines a run."
    return {"$schema": DRAFT, **root, "title": "lstm-cli config", "description": about, "$defs": definitions}


def plain_default(value: Any) -> Any:
    """Return a default as a config file would have it, a section in its short form, or empty."""
    if isinstance(value, Section):
        return getattr(value, value.shorthand) if value.shorthand else {}
    if isinstance(value, Mapping):
        return {key: plain_default(inner) for key, inner in value.items()}
    if type(value) is tuple:
        return [plain_default(inner) for inner in value]
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def shown_default(field: FieldInfo) -> Any:
    """Return the default of a key as it is written in YAML."""
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    return extra.get("default", plain_default(field.get_default()))


def _sections(section: type[Section]) -> Iterator[type[Section]]:
    """Yield a section and all sections inside it."""
    yield section
    for field in section.model_fields.values():
        for inner in sections_in(field.annotation):
            yield from _sections(inner)


def _section(section: type[Section], node: Node, implied: set[str]) -> Node:
    """Return a section's node with a description and a default at every key, and with what may be left out.

    Of sections that their `name` tells apart, one is `implied` where no name is given.
    """
    properties = {}
    for key, inner in node["properties"].items():
        field = section.model_fields[key]
        found = {name: value for name, value in inner.items() if name not in _ANNOTATIONS}
        about = field.description or next(f"{part.__doc__}" for part in sections_in(field.annotation))
        found["description"] = about.partition("\n\n")[0]
        if not field.is_required():
            found["default"] = shown_default(field)
        properties[key] = found
    required = list(node.get("required", []))
    name = section.model_fields.get("name")
    if name is not None and get_origin(name.annotation) is Literal and "const" in properties["name"]:
        required += ["name"] * (section.__name__ not in implied)
    shape: Node = {"type": "object"} if required else {"type": ["object", "null"]}
    about = node["description"].partition("\n\n")[0]
    return {
        "title": section.__name__.removesuffix("Spec"),
        "description": about,
        **shape,
        "properties": properties,
        **({"required": required} if required else {}),
        "additionalProperties": False,
    }


def _bare(section: type[Section], node: Node) -> Node | None:
    """Return the schema of the bare value that stands for a section; None if none does."""
    if section.shorthand is None:
        return None
    return {key: value for key, value in node["properties"][section.shorthand].items() if key not in _ANNOTATIONS}


def _expanded(node: Any, forms: Mapping[str, Node | None]) -> Any:
    """Return a node in which each section may also be given by the bare value that stands for it."""
    if isinstance(node, list):
        return [_expanded(inner, forms) for inner in node]
    if not isinstance(node, dict):
        return node
    choices = list(_choices(node))
    rest = {key: value for key, value in node.items() if key not in ("anyOf", "oneOf", "discriminator", "$ref")}
    found: Node = {key: _inside(key, value, forms) for key, value in rest.items()}
    if len(choices) == 1 and forms.get(_name(choices[0])) is None:
        return {**choices[0], **found}
    bare = [form for choice in choices if (form := forms.get(_name(choice))) is not None]
    named = [form["const"] for form in bare if "const" in form]
    if named:  # the names replace any string
        choices = [choice for choice in choices if choice != {"type": "string"}]
        bare = [{"enum": named}]
    bare = [form for form in bare if form not in choices]
    choices = [choice if "$ref" in choice else _expanded(choice, forms) for choice in choices]
    return {"anyOf": [*bare, *choices], **found} if choices else found


def _inside(key: str, value: Any, forms: Mapping[str, Node | None]) -> Any:
    if key == "properties":
        return {name: _expanded(inner, forms) for name, inner in value.items()}
    return _expanded(value, forms) if key in ("items", "additionalProperties", "propertyNames") else value


def _choices(node: Node) -> Iterator[Node]:
    """Yield the alternatives of a node, those inside them too."""
    if "$ref" in node:
        yield {"$ref": node["$ref"]}
    for choice in (*node.get("anyOf", ()), *node.get("oneOf", ())):
        if choice.keys() & {"anyOf", "oneOf"}:
            yield from _choices(choice)
        else:
            yield {key: value for key, value in choice.items() if key not in _ANNOTATIONS}


def _name(node: Node) -> str:
    return str(node.get("$ref", "")).removeprefix(_REF)
