"""What naive predictors know of the training data, for each target column."""

from collections.abc import Mapping
from typing import Any

from lstm_cli.data import Batches
from lstm_cli.data.schema.schema import Schema
from lstm_cli.scores.naive import Naive
from lstm_cli.typed_json import WrongValue, shown

#: By the name of the target column; of a single target under no name.
Naives = Mapping[str, Naive]

_COLUMNS = "columns"


def fitted(batches: Batches) -> Naives:
    """Return what the targets that count in training batches say."""
    return {column: Naive.fitted(own) for column, own in batches.views().items()}


def to_json(naives: Naives) -> dict[str, Any]:
    """Return it as JSON."""
    if "" in naives:
        return naives[""].to_json()
    return {_COLUMNS: {column: naive.to_json() for column, naive in naives.items()}}


def from_json(content: Any, schema: Schema) -> Naives:
    """Return what `to_json` described, or raise the `WrongValue` that says what is wrong, also for the schema."""
    if not schema.parts:
        return {"": Naive.from_json(content, schema)}
    names = list(schema.layout.target_columns)
    given = content.get(_COLUMNS) if isinstance(content, dict) else None
    if not isinstance(given, dict) or list(given) != names:
        raise WrongValue(f"expected an entry for each of {len(names)} target columns, got {shown(given)}", _COLUMNS)
    return {name: Naive.from_json(given[name], part) for name, part in zip(names, schema.parts, strict=True)}
