"""The defaults of earlier versions: a run that was started with them is resumed with them."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from lstm_cli.config.config import Config
from lstm_cli.config.given import given_keys
from lstm_cli.config.inherited import inheriting

#: By section and key. What an earlier version wrote into a run it wrote with one of these, or the user set it.
_EARLIER: Mapping[tuple[str, str], Any] = {
    ("optimizer", "name"): "adadelta",
    ("optimizer", "learning_rate"): 0.001,
    ("optimizer", "clip_norm"): 5.0,
    ("train", "epochs"): 50,
    ("train", "batch_size"): 32,
    ("train", "patience"): 10,
}


def with_earlier_defaults(config: Config, before: Config) -> Config:
    """Return the config to resume a run with: keys that it does not set keep the default of when the run was started.

    A network that was chosen from the data stays that one, whatever a later version would choose.

    Parameters
    ----------
    config
        As given for the resumed run.
    before
        The resolved config of the run.
    """
    if config.model.is_chosen:
        config, _ = inheriting(config, before.model_dump(mode="json")["model"])
    given = deepcopy(given_keys(config))
    kept = False
    for (section, key), default in _EARLIER.items():
        old, new = (getattr(getattr(one, section), key) for one in (before, config))
        keys = _section(given, section)
        if old == new or key in keys or old != default:
            continue
        keys[key] = default
        given[section], kept = keys, True
    if not kept:
        return config
    found = Config.model_validate({"data": None, **given})
    found._source = config.source
    return found


def _section(given: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return the keys that a section sets; a bare value is the name of an optimizer."""
    keys = given.get(name) or {}
    return dict(keys) if isinstance(keys, dict) else {"name": keys}
