"""The reference of the config, from its typed sections: keys, values in words, defaults and descriptions."""

import inspect
import json
import re
import types
from collections.abc import Iterator
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

from pydantic import BeforeValidator, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from lstm_cli.config.config import Config
from lstm_cli.config.fields import ResumeRule, Section
from lstm_cli.config.formats import SUFFIXES
from lstm_cli.config.grammar import sections_in
from lstm_cli.config.json_schema import shown_default

HEAD = """\
<!-- Written by docs/generate.py from lstm_cli/config. -->

# Config

Every key of a config file. The commented files in `configs/` show them in use. `KEY=VALUE` on the command line sets
one of them by its dotted path, such as `train.epochs=5`. Only `data.train` is required, and `data.target` unless the
data is text. An unknown key is an error that names the nearest known one, and all errors of a file are reported
together. Relative paths, also those in a `KEY=VALUE`, start at the folder of the config file and may lead anywhere. A
section that is left out has its defaults. The column *on resume* says what happens if the key has another value when a
run is continued with `--resume`.
"""

DEPENDENT = """\
## Defaults that depend on other keys

* `train.monitor` is `train.loss` where `data.valid` is null.
* `train.batch_size` is null where `train.batch_steps` is set.
* `data.scale` is `none` in a closed loop with `rollout.dynamics`.
* `data.window` is `rollout.warmup` + `rollout.steps` - 1 in a closed loop without `rollout.dynamics`.
* What a layer does not set is the model's.
"""


class Place(NamedTuple):
    """A section and where it stands in a config; `name` where several can stand there."""

    path: str
    section: type[Section]
    name: str | None = None

    @property
    def title(self) -> str:
        """The heading of the section."""
        return f"{self.path}: {self.name}" if self.name else self.path or "Top level"

    @property
    def anchor(self) -> str:
        """The heading as a link's target."""
        return re.sub(r"[^\w\- ]", "", self.title.lower()).replace(" ", "-")


def config_page() -> str:
    """Return the page, in Markdown."""
    return "\n".join([HEAD, *_sections(list(places(Config, ""))), DEPENDENT, _suffixes()])


def places(section: type[Section], path: str, name: str | None = None) -> Iterator[Place]:
    """Yield a section and all sections inside it, in the order of their keys."""
    yield Place(path, section, name)
    for key, field in section.model_fields.items():
        inside = list(_sections_in(field.annotation))
        for inner, suffix in inside:
            at = _named(f"{path}.{key}{suffix}".lstrip("."))
            yield from places(inner, at, inner.model_fields["name"].default if len(inside) > 1 else None)


def _sections_in(annotation: Any) -> Iterator[tuple[type[Section], str]]:
    """Yield the sections that a value can be, each with what its place adds to the key's path."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        yield from _sections_in(arguments[0])
    elif origin in (Union, types.UnionType):
        for inner in arguments:
            yield from _sections_in(inner)
    elif origin in (dict, tuple):
        for inner in arguments:
            yield from (
                (found, (".COLUMN" if origin is dict else _ENTRY) + deeper) for found, deeper in _sections_in(inner)
            )
    elif isinstance(annotation, type) and issubclass(annotation, Section):
        yield annotation, ""


_BY_NAME = "One of the following; its `name`, or the name alone in place of the section, decides which keys it has."


def _sections(found: list[Place]) -> Iterator[str]:
    """Yield the sections in turn, those of one path that a name tells apart below a heading of their own."""
    for before, place in zip([None, *found], found, strict=False):
        if place.name and (before is None or before.path != place.path):
            yield f"{_level(place.path)} {place.path}\n\n{_BY_NAME}\n"
        yield _section(place)


def _level(path: str) -> str:
    return "##" if "." not in path else "###"


def _section(place: Place) -> str:
    """Return one section with the table of its keys. A further fact about every key is a further column here."""
    columns = {"key": _key, "value": _value, "default": _default, "meaning": _meaning, "on resume": _on_resume}
    rows = [
        "| " + " | ".join(cell(place, key, field) for cell in columns.values()) + " |"
        for key, field in place.section.model_fields.items()
    ]
    table = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns), *rows]
    level = _level(place.path) + ("#" if place.name else "")
    return "\n".join([f"{level} {place.title}", "", _about(place.section), "", *table, ""])


def _about(section: type[Section]) -> str:
    text = inspect.cleandoc(section.__doc__ or "").replace("`load_config`", "`lstm_cli.config.load_config`")
    short = None if _by_name(section) else section.shorthand
    return f"{text}\n\nA bare value stands for `{short}` alone." if short else text


def _key(place: Place, key: str, field: FieldInfo) -> str:
    return f"`{key}`"


def _meaning(place: Place, key: str, field: FieldInfo) -> str:
    return (field.description or "").replace("|", "\\|")


def _on_resume(place: Place, key: str, field: FieldInfo) -> str:
    """Return whether a resumed run may change the key; nothing for a section whose keys differ in it."""
    for mark in field.metadata:
        if isinstance(mark, ResumeRule):
            return f"may change {mark.condition}".strip()
    return "" if any(map(_may_change_in_part, sections_in(field.annotation))) else "refused"


def _may_change_in_part(section: type[Section]) -> bool:
    """Return whether a resumed run may change some key of a section."""
    fields = section.model_fields.values()
    return any(isinstance(mark, ResumeRule) for field in fields for mark in field.metadata) or any(
        _may_change_in_part(inner) for field in fields for inner in sections_in(field.annotation)
    )


def _default(place: Place, key: str, field: FieldInfo) -> str:
    if field.is_required():
        return "required" if not list(_sections_in(field.annotation)) else ""
    default = field.get_default()
    if isinstance(default, Section) and not default.shorthand:
        return ""
    return f"`{_yaml(shown_default(field))}`"


def _yaml(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _value(place: Place, key: str, field: FieldInfo) -> str:
    """Return what the key accepts. Where an error message says what it expected, that is it."""
    accepts = [step.json_schema_input_type for step in field.metadata if isinstance(step, BeforeValidator)]
    accepts = [accepted for accepted in accepts if accepted is not PydanticUndefined]
    at = f"{place.path}.{key}".lstrip(".") + _ENTRY * (get_origin(field.annotation) is tuple)
    return _words(accepts[0] if accepts else _annotated(field), at)


def _annotated(field: FieldInfo) -> Any:
    return Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation


def _named(place: str) -> str:
    """Return the place of an entry of a mapping by what its names are: columns, or in a space keys of the config."""
    return place.replace("space.COLUMN", "space.KEY")


_ENTRY = ".N"  # what the place of a list's entries adds to its key's path


class _Nothing:
    """A value that no key accepts."""


def _words(annotation: Any, at: str) -> str:
    """Return what values of a type are: as its error message says it, else put together from the types inside."""
    if (said := _expected(annotation)) is not None:
        return said
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _words(arguments[0], at)
    if origin in (Union, types.UnionType):
        return _either(arguments, at)
    if origin in (list, tuple):
        return f"a list of: {_words(arguments[0], at if at.endswith(_ENTRY) else at + _ENTRY)}"
    if origin is dict:
        inner = _named(f"{at}.COLUMN")
        return f"a mapping from {inner.rpartition('.')[2].lower()}s to: {_words(arguments[1], inner)}"
    if annotation in _PLAIN:
        return _PLAIN[annotation]
    name = annotation.model_fields["name"].default if _by_name(annotation) else None
    return f"[{name or 'keys'}](#{_described(Place(at, annotation, name)).anchor})"


def _described(place: Place) -> Place:
    """Return where a section has its heading: elsewhere if the place is a short form of a key that has it."""
    known = [other for other in places(Config, "") if other.section is place.section]
    return place if place in known or len(known) != 1 else known[0]


def _either(annotations: tuple[Any, ...], at: str) -> str:
    parts = dict.fromkeys(_words(inner, at) for inner in annotations if inner is not type(None))
    named = all(_by_name(inner) for inner in annotations)
    null = ["null"] if type(None) in annotations else []
    return "the keys of " + ", ".join(parts) if named else ", or ".join([*parts, *null])


_PLAIN = {str: "a name", int: "a whole number", float: "a number"}


def _by_name(annotation: Any) -> bool:
    """Return whether a type is one of several sections that their `name` tells apart."""
    field = (
        annotation.model_fields.get("name")
        if isinstance(annotation, type) and issubclass(annotation, Section)
        else None
    )
    return field is not None and get_origin(field.annotation) is Literal and len(get_args(field.annotation)) == 1


def _expected(annotation: Any) -> str | None:
    """Return what the error message about a wrong value says was expected; None if it is pydantic's own."""
    try:
        TypeAdapter(annotation).validate_python(_Nothing())
    except ValidationError as error:
        (details, *_) = error.errors()
    else:
        raise AssertionError(f"{annotation} accepts anything")
    kind, context = details["type"], details.get("ctx", {})
    if details["loc"] or kind not in ("expected", "literal_error"):
        return None
    if kind == "literal_error":
        names = re.findall(r"'([^']*)'", context["expected"])
        words = " \\| ".join(f"`{name}`" for name in names)
    else:
        words = context["what"]
    null = _accepts_null(annotation) and "null" not in words
    return words + (", or null" if null else "")


def _accepts_null(annotation: Any) -> bool:
    try:
        TypeAdapter(annotation).validate_python(None)
    except ValidationError:
        return False
    return True


def _suffixes() -> str:
    rows = [f"| `{name}` | {', '.join(f'`{suffix}`' for suffix in suffixes)} |" for name, suffixes in SUFFIXES.items()]
    return "\n".join(["## Suffixes that `format: auto` knows", "", "| format | suffixes |", "|---|---|", *rows, ""])
