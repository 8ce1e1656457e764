"""The layout of a data set as JSON: the content of schema.json."""

from dataclasses import asdict, fields
from typing import Any

from lstm_cli.data.formats.raw import TableOptions
from lstm_cli.data.schema.layout import Column, Layout, TargetColumn
from lstm_cli.data.schema.layout_check import check_layout
from lstm_cli.typed_json import WrongValue, built

#: Attributes that are left out of the file where they have their default, as files of earlier versions do.
_OPTIONAL = {
    "id_given", "closed_loop", "table", "missing", "time", "time_form", "scale", "window",
    "unit", "text", "separator", "hot",
    "parts", "static", "known", "columns", "fill", "indicator", "calendar", "horizon", "skip_missing",
}  # fmt: skip

#: The keys of the file that differ from the names of the attributes.
_KEYS = {"target": "answer", "closed_loop": "loop"}


def layout_to_json(layout: Layout) -> dict[str, Any]:
    """Return everything as JSON values, under the keys that all versions of the file have."""
    content: dict[str, Any] = _contents(layout) | {
        "inputs": [_contents(column) for column in layout.inputs],
        "target": _contents(layout.target),
        "id": layout.id[0] if len(layout.id) == 1 else list(layout.id),
    }
    if layout.parts:
        content["parts"] = [_contents(part) for part in layout.parts]
    return {_KEYS.get(name, name): value for name, value in content.items()}


def layout_from_json(content: dict[str, Any]) -> Layout:
    """Return the layout that `layout_to_json` described.

    Raises
    ------
    WrongValue
        A value that no layout has, or values that do not fit each other.
    """
    names = {key: name for name, key in _KEYS.items()}
    given = {names.get(key, key): value for key, value in content.items()}
    if isinstance(given.get("id"), str):
        given["id"] = [given["id"]]
    try:
        if "unit" not in given:  # which only columns may leave out
            raise WrongValue("missing", "unit")
        layout = built(Layout, given, _OPTIONAL)
        check_layout(layout)
    except WrongValue as error:
        first, dot, rest = error.key.partition(".")
        raise WrongValue(error.problem, f"{_KEYS.get(first, first)}{dot}{rest}") from None
    return layout


def _contents(part: Layout | Column | TargetColumn) -> dict[str, Any]:
    """Return the attributes as JSON values, without optional ones that have their default."""
    defaults: dict[str, Any] = {item.name: item.default for item in fields(part)} | {"table": TableOptions()}
    optional = _OPTIONAL - {"unit"} if isinstance(part, Layout) else _OPTIONAL
    given = asdict(part)
    return {
        name: value for name, value in given.items() if name not in optional or getattr(part, name) != defaults[name]
    }
