"""What the metrics of an evaluation have counted, as JSON: to put together what several ranks have scored."""

import json
from copy import deepcopy
from typing import Any, TypeVar

import numpy as np

Counted = TypeVar("Counted")


def to_json(metrics: object) -> str:
    """Return the numbers that an accumulator holds, also those of one within it."""
    return json.dumps(_numbers(metrics))


def from_json(text: str, like: Counted) -> Counted:
    """Return an accumulator like another one, with the numbers of `to_json`."""
    found = deepcopy(like)
    _set(found, json.loads(text))
    return found


def _numbers(metrics: object) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in vars(metrics).items():
        if isinstance(value, int | float):
            found[name] = value
        elif isinstance(value, np.ndarray) and value.dtype.kind in "if":
            found[name] = value.tolist()
        elif isinstance(value, dict) and all(isinstance(each, np.ndarray) for each in value.values()):
            found[name] = {key: each.tolist() for key, each in value.items()}
        elif hasattr(value, "merge"):
            found[name] = _numbers(value)
    return found


def _set(metrics: object, numbers: dict[str, Any]) -> None:
    for name, given in numbers.items():
        value = getattr(metrics, name)
        if isinstance(value, np.ndarray):
            value[...] = given
        elif isinstance(value, dict):
            for key, each in given.items():
                value[key][...] = each
        elif isinstance(given, dict):
            _set(value, given)
        else:
            setattr(metrics, name, given)
