"""Checks across the keys of the model."""

from collections.abc import Iterator
from itertools import pairwise

from lstm_cli.config.config import Config
from lstm_cli.config.conflict import Conflict, own_target


def _forget_bias(config: Config) -> Iterator[Conflict]:
    model = config.model
    if model.forget_bias != 1 and all(layer.cell != "lstm" for layer in model.layers):
        yield Conflict(("model.forget_bias", "model.cell"), "only lstm cells have a forget gate: leave it out")


def _skip(config: Config) -> Iterator[Conflict]:
    """Find layers whose input cannot be added to their output."""
    layers = config.model.layers
    if config.model.skip and len(layers) == 1:
        text = "the one layer has none below: add a layer, or give the layer itself skip: true, which adds the inputs"
        yield Conflict(("model.skip", "model.layers"), text)
    for number, (below, layer) in enumerate(pairwise(layers), start=1):
        if layer.skip and layer.width != below.width:
            text = f"layers.{number} outputs {layer.width} numbers, but {below.width} enter it: give them one width"
            yield Conflict((f"model.layers.{number}.skip", "model.skip", "model.layers"), text)
    if config.rollout is not None:
        for number, layer in enumerate(layers):
            if layer.skip:
                text = "in a closed loop no layer adds its input to its output: set it to false"
                yield Conflict((f"model.layers.{number}.skip", "model.skip", "model.layers", "rollout"), text)
                return


def _tied(config: Config) -> Iterator[Conflict]:
    target = config.data.target
    is_next = own_target(config.data) == "next" if target is None else target.next
    if config.model.tie_embeddings and not is_next:
        text = "needs target: next, as the tokens that are predicted are those that enter: leave it out"
        yield Conflict(("model.tie_embeddings", "data.target"), text)


CHECKS = (_forget_bias, _skip, _tied)
