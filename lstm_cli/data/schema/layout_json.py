"""The layout of a data set as JSON: the content of schema.json."""

from dataclasses import asdict, fields
from typing import Any

from lstm_cli.data.formats.raw import TableOptions
from lstm_cli.data.schema.layout import ClosedLoopLayout, Column, Layout, LossColumns, TargetColumn
from lstm_cli.data.schema.preprocessing import Chain, Transform
from lstm_cli.data.schema.vocabulary import Spelling

#: Attributes that are left out of the file where they have their default, as files of earlier versions do.
_OPTIONAL = {
    "id_given", "closed_loop", "table", "missing", "time", "time_form", "scale", "window",
    "unit", "text", "separator", "hot",
    "static", "known", "columns", "fill", "indicator", "calendar", "horizon", "skip_missing",
}  # fmt: skip

#: The keys of the file that differ from the names of the attributes.
_KEYS = {"target": "answer", "closed_loop": "loop"}


def layout_to_json(layout: Layout) -> dict[str, Any]:
    """Return everything as JSON values, under the keys that all versions of the file have."""
    content = _contents(layout) | {
        "inputs": [_contents(column) for column in layout.inputs],
        "target": _contents(layout.target),
        "id": layout.id[0] if len(layout.id) == 1 else list(layout.id),
    }
    return {_KEYS.get(name, name): value for name, value in content.items()}


def layout_from_json(content: dict[str, Any]) -> Layout:
    """Return the layout that `layout_to_json` described."""
    names = {key: name for name, key in _KEYS.items()}
    given = {names.get(key, key): value for key, value in content.items()}
    loop = given.get("closed_loop")
    parts: dict[str, Any] = {
        "inputs": tuple(_column(column) for column in given["inputs"]),
        "target": TargetColumn(**{**given["target"], "chain": _chain(given["target"]["chain"])}),
        "loss": LossColumns(**given["loss"]),
        "id": _names(given["id"]),
        "closed_loop": None if loop is None else ClosedLoopLayout(**{**loop, "elements": tuple(loop["elements"])}),
    }
    if "table" in given:
        columns = given["table"]["columns"]
        parts["table"] = TableOptions(**{**given["table"], "columns": columns and tuple(columns)})
    if "missing" in given:
        parts["missing"] = tuple(given["missing"])
    return Layout(**{**given, **parts})


def _contents(part: Layout | Column | TargetColumn) -> dict[str, Any]:
    """Return the attributes as JSON values, without optional ones that have their default."""
    defaults: dict[str, Any] = {item.name: item.default for item in fields(part)} | {"table": TableOptions()}
    optional = _OPTIONAL - {"unit"} if isinstance(part, Layout) else _OPTIONAL
    given = asdict(part)
    return {
        name: value for name, value in given.items() if name not in optional or getattr(part, name) != defaults[name]
    }


def _names(content: str | list[str]) -> tuple[str, ...]:
    """Return the id columns; earlier versions wrote one name."""
    return (content,) if isinstance(content, str) else tuple(content)


def _column(content: dict[str, Any]) -> Column:
    content = {**content, "columns": tuple(content.get("columns", ()))}
    return Column(**{**content, "chain": _chain(content["chain"]), "spelling": Spelling(**content["spelling"])})


def _chain(content: dict[str, Any]) -> Chain:
    return Chain(tuple(Transform(**transform) for transform in content["transforms"]))
