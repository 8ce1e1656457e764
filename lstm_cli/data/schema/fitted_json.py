"""What was fitted to the training data as JSON: the contents of vocabulary.json and scaling.json.

Both are read for a layout, whose columns they must have, in the same order and with the same sizes.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from lstm_cli.data.schema.layout import Column, Layout
from lstm_cli.data.schema.preprocessing import Scaling
from lstm_cli.data.schema.record import Numbers
from lstm_cli.data.schema.schema import Schema
from lstm_cli.data.schema.vocabulary import Labels, Vocabulary
from lstm_cli.errors import on_one_line
from lstm_cli.typed_json import WrongValue, expected, shown

Part = TypeVar("Part")


@dataclass(frozen=True)
class Words:
    """The content of vocabulary.json: tokens and sets by input, the labels of each target, and their weights."""

    tokens: dict[str, Vocabulary]
    sets: dict[str, Labels]
    labels: list[Labels | None]
    class_weights: list[tuple[float, ...] | None]


@dataclass(frozen=True)
class Scales:
    """The content of scaling.json: scaling and means by input, and the scaling of each target column."""

    scaling: dict[str, Scaling]
    means: dict[str, Numbers]
    own: list[Scaling | None]


def words_to_json(schema: Schema) -> dict[str, Any]:
    """Return what `words_from_json` reads; without weights of classes unless they have some."""
    weighted = any(part.target.class_weights is not None for part in schema.columns.values())
    return {
        "tokens": {name: vocabulary.to_json() for name, vocabulary in schema.tokens.items()},
        "sets": {name: list(labels.names) for name, labels in schema.sets.items()},
        "labels": _by_column(schema, lambda one: None if one.labels is None else list(one.labels.names)),
        **({"class_weights": _by_column(schema, _weights_to_json)} if weighted else {}),
    }


def words_from_json(content: dict[str, Any], layout: Layout) -> Words:
    """Return what vocabulary.json says, or raise the `WrongValue` that says where it does not fit the layout."""
    tokens = _by_input(content, "tokens", _of_kind(layout, "tokens"), _vocabulary)
    sets = _by_input(content, "sets", _of_kind(layout, "set"), lambda given, of: Labels.from_json(given, of.label_type))
    try:
        labels = [_labels(given, view) for given, view in _of_targets(_get(content, "labels"), layout)]
    except WrongValue as error:
        raise error.within("labels") from None
    try:
        given = content.get("class_weights", dict.fromkeys(layout.target_columns) if layout.parts else None)
        weights = [_class_weights(own) for own, _ in _of_targets(given, layout)]
    except WrongValue as error:
        raise error.within("class_weights") from None
    return Words(tokens, sets, labels, weights)


def _class_weights(given: Any) -> tuple[float, ...] | None:
    """Return the weights of the labels of a target column."""
    if given is None:
        return None
    if type(given) is not list or not all(type(weight) is float and 0 < weight < math.inf for weight in given):
        raise WrongValue("expected numbers above 0")
    return tuple(given)


def _weights_to_json(schema: Schema) -> list[float] | None:
    weights = schema.target.class_weights
    return None if weights is None else list(weights)


def _labels(given: Any, layout: Layout) -> Labels | None:
    """Return the labels of a target column."""
    target = layout.target
    labelled = not target.is_next and target.kind != "number"
    if labelled != (given is not None) or given == []:
        raise expected("a list of labels" if labelled else "null", given)
    return None if given is None else Labels.from_json(given, target.label_type)


def scales_to_json(schema: Schema) -> dict[str, Any]:
    """Return what `scales_from_json` reads; without means if no input is filled, as in files of earlier versions."""
    means = {name: mean.tolist() for name, mean in schema.means.items()}
    return {
        "inputs": {name: scaling.to_json() for name, scaling in schema.scaling.items()},
        "target": _by_column(schema, _scaling_to_json),
        **({"means": means} if means else {}),
    }


def scales_from_json(content: dict[str, Any], layout: Layout) -> Scales:
    """Return what scaling.json says, or raise the `WrongValue` that says where it does not fit the layout."""
    scaling = _by_input(content, "inputs", _of_kind(layout, "number"), _scaling)
    means = _by_input({"means": {}, **content}, "means", layout.filled, _mean)
    try:
        own = [_own(given, view, scaling) for given, view in _of_targets(_get(content, "target"), layout)]
    except WrongValue as error:
        raise error.within("target") from None
    return Scales(scaling, means, own)


def _own(given: Any, layout: Layout, scaling: dict[str, Scaling]) -> Scaling | None:
    """Return the scaling of a target column."""
    target = layout.target
    needed = not target.is_next and target.kind == "number"
    if needed != (given is not None):
        raise expected("a center and a spread" if needed else "null", given)
    own = None if given is None else _wide(Scaling.from_json(given), target.width)
    if own is not None:
        _check_shared(own, scaling, layout)
    return own


def _scaling_to_json(schema: Schema) -> Any:
    own = None if schema.target.is_next else schema.target.scaling
    return None if own is None else own.to_json()


def _by_column(schema: Schema, value: Callable[[Schema], Any]) -> Any:
    """Return what JSON has of the target; of several target columns, by their names."""
    if schema.parts:
        return {part.layout.target.name: value(part) for part in schema.parts}
    return value(schema)


def _of_targets(given: Any, layout: Layout) -> list[tuple[Any, Layout]]:
    """Return what JSON has of each target, with the layout that has it as its only target."""
    if not layout.parts:
        return [(given, layout)]
    names = list(layout.target_columns)
    if type(given) is not dict or list(given) != names:
        raise WrongValue(f"expected one entry for each of {len(names)} target columns, got {shown(given)}")
    return list(zip(given.values(), layout.views, strict=True))


def _check_shared(own: Scaling, scaling: dict[str, Scaling], layout: Layout) -> None:
    """Refuse a scaling of the target other than that of the input that it is, or is a part of."""
    shared = scaling.get(layout.target.name)
    if layout.closed_loop is not None:
        shared = scaling[layout.inputs[0].name].part(layout.closed_loop.elements)
    if shared is None:
        return
    if not (np.array_equal(own.center, shared.center) and np.array_equal(own.spread, shared.spread)):
        raise WrongValue("not the scaling of the input that is predicted")


def _of_kind(layout: Layout, kind: str) -> list[Column]:
    return [column for column in layout.inputs if column.kind == kind]


def _vocabulary(content: Any, column: Column) -> Vocabulary:
    vocabulary = Vocabulary.from_json(content)
    if vocabulary.spelling != column.spelling:
        raise WrongValue("lowercase or last differ from schema.json")
    return vocabulary


def _scaling(content: Any, column: Column) -> Scaling:
    scaling = _wide(Scaling.from_json(content), column.width)
    if column.calendar is not None and (scaling.center.any() or (scaling.spread != 1).any()):
        raise WrongValue("the calendar is not scaled")
    return scaling


def _wide(scaling: Scaling, width: int) -> Scaling:
    if len(scaling.center) != width:
        raise WrongValue(f"expected {width} centers and spreads, as schema.json says, got {len(scaling.center)}")
    return scaling


def _mean(content: Any, column: Column) -> Numbers:
    return Scaling.from_json({"center": content, "spread": [1.0] * column.width}).center


def _get(content: dict[str, Any], key: str) -> Any:
    if key not in content:
        raise WrongValue("missing", key)
    return content[key]


def _by_input(
    content: dict[str, Any], key: str, columns: Iterable[Column], convert: Callable[[Any, Column], Part]
) -> dict[str, Part]:
    """Return what an object has for each of some inputs, in their order, which is that of the network's inputs."""
    given, made = _get(content, key), {}
    names = [column.name for column in columns]
    if type(given) is not dict or list(given) != names:
        found = list(given) if type(given) is dict else given
        raise WrongValue(f"expected one entry for each of {len(names)} inputs, got {shown(found)}", key)
    for column, value in zip(columns, given.values(), strict=True):
        try:
            made[column.name] = convert(value, column)
        except WrongValue as error:
            raise error.within(on_one_line(column.name)[:60]).within(key) from None
    return made
