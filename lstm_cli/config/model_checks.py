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


def _closed_loop(config: Config) -> Iterator[Conflict]:
    """Find what layers do not do in a closed loop."""
    reasons = {
        "skip": "in a closed loop no layer adds its input to its output: set it to false",
        "layer_norm": "in a closed loop no sums are normalised: set it to false",
    }
    for key, text in reasons.items() if config.rollout is not None else ():
        for number, layer in enumerate(config.model.layers):
            if getattr(layer, key):
                yield Conflict((f"model.layers.{number}.{key}", f"model.{key}", "model.layers", "rollout"), text)
                break


def _tied(config: Config) -> Iterator[Conflict]:
    target = config.data.target
    is_next = own_target(config.data) == "next" if target is None else target.next
    if config.model.tie_embeddings and not is_next:
        text = "needs target: next, as the tokens that are predicted are those that enter: leave it out"
        yield Conflict(("model.tie_embeddings", "data.target"), text)


def _crf(config: Config) -> Iterator[Conflict]:
    """Find keys that a conditional random field, which needs whole sequences of labels, excludes."""
    if not config.model.crf:
        return
    target, loss = config.data.target, config.loss
    is_next = own_target(config.data) == "next" if target is None else target.next
    unfit = is_next or (target is not None and (target.per == "sequence" or target.kind in ("number", "set")))
    if unfit:
        text = "needs a target of kind category with a label for each step, other than next: leave it out"
        yield Conflict(("model.crf", "data.target"), text)
    if config.data.window is not None:
        text = "windows cut the sequences that a conditional random field labels as a whole: leave one of them out"
        yield Conflict(("model.crf", "data.window"), text)
    for key, given in (("label_smoothing", loss.label_smoothing), ("class_weight", loss.class_weight)):
        if given:
            text = "the loss of a conditional random field is that of whole sequences, not of labels: leave it out"
            yield Conflict((f"loss.{key}", "model.crf"), text)


CHECKS = (_forget_bias, _skip, _closed_loop, _tied, _crf)
