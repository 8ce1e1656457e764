"""A config whose section `model` continues that of another run: keys that it does not give are the run's."""

from collections.abc import Mapping
from typing import Any

from lstm_cli.config.config import Config
from lstm_cli.config.load import with_section
from lstm_cli.config.model import ModelSpec


def inheriting(config: Config, model: Mapping[str, Any]) -> tuple[Config, list[str]]:
    """Return the config with what its section `model` does not give from a run's, and the names of these keys.

    A layer of the run has the run's own values of what differs from layer to layer; a key that the config gives
    for the whole model applies to every layer that had the run's value of it.

    Parameters
    ----------
    config
        As loaded.
    model
        The section `model` of the run, with all keys.

    Raises
    ------
    ConfigError
        The keys of both together contradict each other.
    """
    given = config.model.model_fields_set
    filled = {key: value for key, value in model.items() if key not in given and key != "pretrained"}
    if not filled:
        return config, []
    if "layers" in filled:
        filled["layers"] = [_without_own(layer, model, given) for layer in model["layers"]]
    defaults = ModelSpec().model_dump(mode="json")
    return with_section(config, "model", filled), [key for key in filled if model[key] != defaults[key]]


def _without_own(layer: Mapping[str, Any], model: Mapping[str, Any], given: set[str]) -> dict[str, Any]:
    """Return a layer of a run without the values that it had from the run's model, where the config gives others."""
    return {key: value for key, value in layer.items() if key not in given or value != model[key]}
