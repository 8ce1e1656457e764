"""Weights of the classes, by which the loss of each position is multiplied: rare ones count as much as frequent ones.

Legend: K labels, N targets.
"""

import numpy as np
from numpy.typing import NDArray

from lstm_cli.config.config import Config
from lstm_cli.data.dataset import Dataset
from lstm_cli.data.formats.raw import label_key
from lstm_cli.data.schema.heads import head_of
from lstm_cli.data.schema.schema import Schema
from lstm_cli.errors import did_you_mean, listed, nearest

_SHOWN = 5


def with_loss(config: Config, train: Dataset) -> Schema:
    """Return the schema of the training data with what the section `loss` adds: class weights, and the head.

    Raises
    ------
    ConfigError
        The target has no categories, or no such label.
    """
    given, key, target = config.loss.class_weight, "loss.class_weight", train.schema.target
    schema = train.schema.with_target(head=head_of(target.kind, config.loss))
    if given is None:
        return schema
    if target.kind != "category" or train.target is None:
        raise config.error(key, f"for categories, but the target is of kind {target.kind}: leave it out")
    names = [label_key(name) for name in target.labels or ()]
    if isinstance(given, str):
        counted = train.target >= 0 if train.weight is None else (train.target >= 0) & (train.weight > 0)
        weights = balanced(train.target[counted], len(names))
    else:
        for name in given:
            if name not in names:
                hint = did_you_mean(nearest(name, names)) or f", expected one of {listed(names)}"
                raise config.error(f"{key}.{name}", f"training has no such label{hint}")
        weights = tuple(float(given.get(name, 1.0)) for name in names)
    return schema.with_target(class_weights=weights)


def balanced(truth: NDArray[np.integer], labels: int) -> tuple[float, ...]:
    """Return weights (K,) that give each label of N targets the same total weight, which sum to N over all targets.

    w_k = N / (K' n_k), n_k the number of targets with the label k and K' that of the labels with targets, as in
    scikit-learn; 1 for a label without targets.

    References
    ----------
    G. King, L. Zeng (2001). Logistic regression in rare events data. Political Analysis 9(2).
    """
    counts = np.bincount(truth, minlength=labels)
    occurring = counts > 0
    weights = len(truth) / (max(int(occurring.sum()), 1) * np.maximum(counts, 1))
    return tuple(np.where(occurring, weights, 1.0).tolist())


def notes_on_class_weights(schema: Schema) -> list[str]:
    """Return the note that names the weights of the classes, the largest first."""
    target = schema.target
    if target.class_weights is None:
        return []
    found = sorted(zip(target.class_weights, target.labels or (), strict=True), key=lambda pair: -pair[0])
    return [f"loss.class_weight: {listed([f'{name} {weight:.3g}' for weight, name in found], _SHOWN)}"]
