"""Weights of the classes, by which the loss of each position is multiplied: rare ones count as much as frequent ones.

Legend: K labels, N targets.
"""

from collections.abc import Mapping
from copy import copy
from dataclasses import replace

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

    Of several target columns each gets what its kind has.

    Raises
    ------
    ConfigError
        The target has no categories, or no such label.
    """
    schema = train.schema.with_each_target(lambda target: replace(target, head=head_of(target.kind, config.loss)))
    given, key = config.loss.class_weight, "loss.class_weight"
    if given is None:
        return schema
    # A copy, as its target columns are kept with the schema that they have now.
    views = [view for view in copy(train).views().values() if view.schema.target.kind == "category"]
    if not views:
        raise config.error(key, f"for categories, but the target is of kind {schema.target.shown_kind}: leave it out")
    names = {label_key(name) for view in views for name in view.schema.target.labels or ()}
    for name in given if not isinstance(given, str) else ():
        if name not in names:
            hint = did_you_mean(nearest(name, names)) or f", expected one of {listed(sorted(names))}"
            raise config.error(f"{key}.{name}", f"training has no such label{hint}")
    found = iter([_weights(given, view) for view in views])
    return schema.with_each_target(
        lambda target: replace(target, class_weights=next(found)) if target.kind == "category" else target
    )


def _weights(given: str | Mapping[str, float], view: Dataset) -> tuple[float, ...]:
    """Return the weights (K,) of the labels of a target column."""
    names = [label_key(name) for name in view.schema.target.labels or ()]
    if not isinstance(given, str):
        return tuple(float(given.get(name, 1.0)) for name in names)
    truth = np.zeros(0, np.int64) if view.target is None else view.target
    counted = truth >= 0 if view.weight is None else (truth >= 0) & (view.weight > 0)
    return balanced(truth[counted], len(names))


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
    """Return the notes that name the weights of the classes of each target column, the largest first."""
    notes = []
    for column, own in schema.columns.items():
        if (weights := own.target.class_weights) is not None:
            found = sorted(zip(weights, own.target.labels or (), strict=True), key=lambda pair: -pair[0])
            shown = listed([f"{name} {weight:.3g}" for weight, name in found], _SHOWN)
            notes.append(f"loss.class_weight: {f'{column}: ' if column else ''}{shown}")
    return notes
