"""What ``model.layers: auto`` stands for: the network for the data of a config that describes none.

The rules depend on the training data alone, and were chosen by measuring, see ``docs/guide/defaults.md``: a layer has
more units where there is more to learn from; a label for what is known to its end is predicted from both directions;
what is small or noisy is regularized more.
"""

import math
from typing import Any

from lstm_cli.config.config import Config
from lstm_cli.config.load import with_section
from lstm_cli.config.model import ModelSpec
from lstm_cli.data.batching.changes import is_smooth, relative_change
from lstm_cli.data.dataset import Dataset
from lstm_cli.data.schema.target import Target

#: The fewest and the most units of a layer; the most where there is one target for each sequence; the factor for sets.
_FEWEST, _MOST, _MOST_OF_SEQUENCES, _SETS = 32, 256, 64, 3
#: Units for each of the tokens that a language model tells apart, at most.
_PER_TOKEN = 6
#: Change from step to step, relative to the deviation, below which the change is what is predicted.
_SMALL_CHANGE = 0.65
#: Steps of a sequence that are held in memory at once without a thought: longer ones are run piece by piece.
_LONGEST = 10_000
#: Steps of tokens that a network hardly overfits.
_MANY = 500_000
#: Embedding sizes, by the largest number of different tokens that they are for.
_EMBEDDINGS = {12: 8, 48: 32}
_LARGEST_EMBEDDING = 64


def with_network(config: Config, dataset: Dataset) -> tuple[Config, dict[str, Any]]:
    """Return a config with the network for its training data, where it gives no layers, and the keys that were chosen.

    Keys that it gives stay.
    """
    if not config.model.is_chosen:
        return config, {}
    given = config.model.model_fields_set
    chosen = {key: value for key, value in network_for(config, dataset).items() if key not in given}
    chosen = _tied(config.model, chosen) if config.model.tie_embeddings else chosen
    return with_section(config, "model", chosen), chosen


def network_for(config: Config, dataset: Dataset) -> dict[str, Any]:
    """Return the keys of `model` for the training data of a config: the layers, the dropout, and what is switched on.

    Parameters
    ----------
    config
        Its sections `data` and `rollout` count.
    dataset
        The training data.
    """
    schema, target = dataset.schema, dataset.schema.target
    labels = _kinds(target) == {"category"}
    whole = target.per == "sequence"
    known = config.data.window is None and config.rollout is None and dataset.lengths.max() <= _LONGEST
    found: dict[str, Any] = {"layers": [_units(dataset)], "dropout": _dropout(config, dataset)}
    if known and (whole or (labels and not target.ahead)):
        found["bidirectional"] = True
        if whole and labels:
            found["pool"] = "max"
    if target.kind == "set":
        found["recurrent_dropout"] = 0.3
    if relative_change(dataset) < _SMALL_CHANGE:
        found["residual"] = True
    if schema.tokens:
        most = max(len(vocabulary.tokens) for vocabulary in schema.tokens.values())
        found["embedding"] = next((size for many, size in _EMBEDDINGS.items() if most <= many), _LARGEST_EMBEDDING)
    return found


def _kinds(target: Target) -> set[str]:
    return {one.kind for one in target.targets or (target,)}


def _units(dataset: Dataset) -> int:
    """Return the units of a layer: a power of two that grows with the square root of the targets."""
    target = dataset.schema.target
    if target.per == "sequence":
        return _power(4 * math.sqrt(len(dataset)), _MOST_OF_SEQUENCES)
    wanted = 0.8 * math.sqrt(dataset.offsets[-1])
    if target.kind == "category" and target.is_next:
        wanted = min(wanted, _PER_TOKEN * target.size)
    units = _power(wanted, _MOST)
    return min(_SETS * units, _MOST) if target.kind == "set" else units


def _power(wanted: float, most: int) -> int:
    """Return the largest power of two that is not above a number, within limits."""
    power: int = 2 ** math.floor(math.log2(max(wanted, 1)))
    return min(max(power, _FEWEST), most)


def _dropout(config: Config, dataset: Dataset) -> float:
    target = dataset.schema.target
    if _kinds(target) == {"number"}:
        return 0.0 if target.per == "sequence" or config.rollout is not None or is_smooth(dataset) else 0.1
    if target.kind == "set":
        return 0.5
    return 0.1 if target.is_next and dataset.offsets[-1] > _MANY else 0.3


def _tied(model: ModelSpec, chosen: dict[str, Any]) -> dict[str, Any]:
    """Return what was chosen with layers as wide as the embeddings, which are the weights of the output layer too."""
    if isinstance(model.embedding, int) and "embedding" in model.model_fields_set:
        return {**chosen, "layers": [model.embedding]}
    return {**chosen, "embedding": chosen["layers"][0]}
