"""A model built: from a config and the schema of its data, with its starting weights or those of a checkpoint."""

from typing import Any

import numpy as np

from lstm_cli.config.config import Config
from lstm_cli.data import Schema
from lstm_cli.engine.system import Code, build_loop
from lstm_cli.engine.threads import thread_count
from lstm_cli.graph.model import Model
from lstm_cli.graph.plan import Sizes
from lstm_cli.ops.mode import exclusive
from lstm_cli.run.checkpoint import State, check_matches


@exclusive
def build_model(config: Config, schema: Schema, code: Code | None = None) -> Model:
    """Return the model of the config for the data's schema, with its starting weights.

    `code` is the file of the system that the model drives, where there is one.
    """
    if config.rollout is None:
        model = Model(config.model, _sizes(schema), seed=config.seed, dtype=config.precision)
    else:
        model = build_loop(config, schema, _sizes(schema), code)
    model.threads = thread_count(config.threads)
    return model


def _sizes(schema: Schema) -> Sizes:
    """Return what the data fixes of a model's shape."""
    tokens = {name: len(vocabulary) for name, vocabulary in schema.tokens.items()}
    return Sizes(schema.numeric_size, tokens, schema.target.size, schema.target.per)


def restore_weights(model: Model, state: State) -> None:
    """Take over the weights of a checkpoint, or raise the `CheckpointError` that names every array that differs."""
    check_matches(state, shapes(model.parameters.values()))
    model.parameters.set_values(state.model)


def shapes(arrays: dict[str, np.ndarray]) -> dict[str, tuple[tuple[int, ...], Any]]:
    """Return the shape and dtype of each array, as `check_matches` takes them."""
    return {name: (array.shape, array.dtype) for name, array in arrays.items()}
