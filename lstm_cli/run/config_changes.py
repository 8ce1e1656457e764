"""Which differences between two configs a resumed run may adopt."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from lstm_cli.config.fields import ResumeRule
from lstm_cli.config.grammar import resume_rules


class Changes(NamedTuple):
    """Keys that differ between two configs, each as ``key: old -> new``."""

    allowed: list[str]
    refused: list[str]


def compare_configs(old: Mapping[str, Any], new: Mapping[str, Any]) -> Changes:
    """Sort the differences between two resolved configs into those that a resumed run may adopt and others.

    The fields of the config mark the keys that may change: those that affect neither the model, nor the data and their
    order, nor the arrays in the optimizer's state, nor the meaning of the best score.
    """
    sides = [(dict(flattened(config)), resume_rules(config)) for config in (old, new)]
    (before, _), (after, _) = sides
    changes = Changes([], [])
    for key in sorted({*before, *after}):
        values = before.get(key, "unset"), after.get(key, "unset")
        if values[0] != values[1]:
            allowed = _may_change(key, *sides)
            (changes.allowed if allowed else changes.refused).append(f"{key}: {values[0]} -> {values[1]}")
    return changes


Side = tuple[Mapping[str, Any], Mapping[str, ResumeRule]]


def _may_change(key: str, old: Side, new: Side) -> bool:
    """Return whether a resumed run may change a key, given the values and the rules of both configs.

    Where two kinds of section, such as two optimizers, share a key, the rule of each is applied to its own value as if
    the other config lacked the key.
    """
    (before, old_rules), (after, new_rules) = old, new
    rule = old_rules.get(key)
    if rule is not None and rule == new_rules.get(key):
        return rule.allows(before.get(key), after.get(key))
    dropped = key not in before or (rule is not None and rule.allows(before[key], None))
    rule = new_rules.get(key)
    added = key not in after or (rule is not None and rule.allows(None, after[key]))
    return dropped and added


def flattened(config: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every dotted key of a config with its value; entries of a list of sections have their index as key."""
    for key, value in config.items():
        if isinstance(value, list | tuple) and all(isinstance(entry, Mapping) for entry in value):
            value = {str(number): entry for number, entry in enumerate(value)} or value
        if isinstance(value, Mapping) and value:
            yield from flattened(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
