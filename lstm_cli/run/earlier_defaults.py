"""The defaults of earlier versions: a run that was started with them is resumed with them."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from lstm_cli.config.config import Config
from lstm_cli.config.given import given_keys
from lstm_cli.config.model import LayerSpec

_LAYERS = (128, 128)
#: By section and key. What an earlier version wrote into a run it wrote with one of these, or the user set it.
_EARLIER: Mapping[tuple[str, str], Any] = {
    ("model", "layers"): _LAYERS,
    ("optimizer", "name"): "adadelta",
    ("optimizer", "learning_rate"): 0.001,
    ("optimizer", "clip_norm"): 5.0,
    ("train", "epochs"): 50,
    ("train", "batch_size"): 32,
    ("train", "patience"): 10,
}


def with_earlier_defaults(config: Config, before: Config) -> Config:
    """Return the config to resume a run with: keys that it does not set keep the default of when the run was started.

    Parameters
    ----------
    config
        As given for the resumed run.
    before
        The resolved config of the run.
    """
    given = deepcopy(given_keys(config))
    kept = False
    for (section, key), default in _EARLIER.items():
        old, new = (getattr(getattr(one, section), key) for one in (before, config))
        keys = _section(given, section)
        if old == new or key in keys or _short(before, section, key) != default:
            continue
        keys[key] = list(default) if isinstance(default, tuple) else default
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


def _short(before: Config, section: str, key: str) -> Any:
    """Return a value as a default is written: layers that have all else from the model as their sizes."""
    if (section, key) != ("model", "layers"):
        return getattr(getattr(before, section), key)
    plain = before.model
    keys = LayerSpec.model_fields.keys() - {"size"}
    own = [layer for layer in plain.layers if any(getattr(layer, name) != getattr(plain, name) for name in keys)]
    return None if own else tuple(layer.size for layer in plain.layers)
