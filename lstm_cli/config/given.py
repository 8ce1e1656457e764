"""What the user set in a config: its keys as YAML, without comments and defaults."""

from collections.abc import Mapping
from typing import Any

from lstm_cli.config.config import Config
from lstm_cli.config.load import completed, set_keys, with_taken
from lstm_cli.config.overrides import apply_overrides
from lstm_cli.config.scalars import write_yaml
from lstm_cli.config.yaml_reader import Unreadable, read_yaml
from lstm_cli.errors import ConfigError


def given_yaml(config: Config) -> str:
    """Return the keys that the user set, in the config's file, on the command line or in an earlier session, as YAML.

    An earlier session's command line is known only by its effect: keys whose values are not those of the file.
    """
    given = given_keys(config)
    values = config.model_dump(mode="json")
    try:
        given = _with_changes(given, completed(given), values)
    except ConfigError:  # a file of an earlier version, with keys that this one does not know
        given = values
    return write_yaml(given, compact=True) if given else ""


def given_keys(config: Config) -> dict[str, Any]:
    """Return the keys that the user set in the config's file, on the command line or in Python, as given.

    Among them are those that the config takes over from the run that it starts from.
    """
    try:
        raw: Any = read_yaml(config.source.text.encode()).value
    except Unreadable:
        raw = None
    given: dict[str, Any] = dict(raw) if isinstance(raw, dict) else {} if config.source.text else set_keys(config)
    apply_overrides(given, config.source.overrides, {})
    given.pop("sweep", None)  # it is about many runs, and may hold a password
    return with_taken(given, config.source.taken)


def _with_changes(given: Any, before: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    """Return the given keys, and those whose values differ between two resolved configs."""
    found = dict(given) if isinstance(given, dict) else {}
    for key, value in now.items():
        other = before.get(key)
        if value == other:
            continue
        if isinstance(value, dict) and isinstance(other, dict) and isinstance(found.get(key, {}), dict):
            value = _with_changes(found.get(key), other, value)
        found[key] = value
    return found
