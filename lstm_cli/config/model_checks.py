"""Checks across the keys of the model."""

from collections.abc import Iterator

from lstm_cli.config.config import Config
from lstm_cli.config.conflict import Conflict


def _forget_bias(config: Config) -> Iterator[Conflict]:
    model = config.model
    if model.forget_bias != 1 and all(layer.cell != "lstm" for layer in model.layers):
        yield Conflict(("model.forget_bias", "model.cell"), "only lstm cells have a forget gate: leave it out")


CHECKS = (_forget_bias,)
