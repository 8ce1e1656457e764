"""Builds a model from a config and the schema of its data, with initial weights or those of a checkpoint."""

from pathlib import Path
from typing import Any

import numpy as np

from lstm_cli.config.config import Config
from lstm_cli.data import Schema
from lstm_cli.data.schema.heads import Head
from lstm_cli.data.schema.target import Target
from lstm_cli.engine.agreement import misfits
from lstm_cli.engine.system import Code, build_closed_loop
from lstm_cli.engine.threads import thread_count
from lstm_cli.errors import CheckpointError
from lstm_cli.graph.heads import LEAST_DEVIATION, Curves, SideBySide
from lstm_cli.graph.model import Model
from lstm_cli.graph.parameters import Parameter
from lstm_cli.graph.plan import Sizes, declared
from lstm_cli.ops.mode import exclusive
from lstm_cli.run.checkpoint import State, check_matches
from lstm_cli.run.names import BEST, RESOLVED, SCHEMA


@exclusive
def build_model(config: Config, schema: Schema, code: Code | None = None) -> Model:
    """Return the model of the config for the data's schema, with initial weights.

    `code` is the file of the system that the model drives, where there is one.
    """
    if config.rollout is None:
        model = Model(config.model, _sizes(config, schema), seed=config.seed, dtype=config.precision)
    else:
        model = build_closed_loop(config, schema, _sizes(config, schema), code)
    model.threads = thread_count(config.threads)
    return model


def check_weights(config: Config, schema: Schema, state: State, run: Path) -> None:
    """Raise a `CheckpointError` if config, schema and weights do not fit, before a model of any size is made."""
    for key, _ in misfits(config, schema):
        what = f"damaged: {', '.join(SCHEMA)} do not fit {key}"
        raise CheckpointError(f"{run / RESOLVED}: {what}: restore the files that lstm-train wrote")
    parameters = parameters_of(config, schema)
    try:
        check_matches(state, {parameter.name: (parameter.shape, config.precision) for parameter in parameters})
    except CheckpointError as error:
        fix = "restore the folder from where the run was trained"
        raise CheckpointError(f"{run}: damaged, as {', '.join(SCHEMA)} do not fit {BEST}: {error}\n{fix}") from None


def parameters_of(config: Config, schema: Schema) -> list[Parameter]:
    """Return every parameter of the model of the config for the data's schema, without making any."""
    return declared(config.model, _sizes(config, schema))


def _sizes(config: Config, schema: Schema) -> Sizes:
    """Return the sizes of the network: those of the data, but a system is driven by outputs of its own."""
    tokens = {name: len(vocabulary) for name, vocabulary in schema.tokens.items()}
    outputs = schema.target.outputs if config.model.output is None else config.model.output.size
    return Sizes(schema.numeric_size, tokens, outputs, schema.target.per, _curves(schema.target))


def _curves(target: Target) -> Curves | SideBySide:
    """Return the curves that the outputs of a target are."""
    if target.targets and any(one.head.levels for one in target.targets):
        return SideBySide(tuple((one.outputs, _curves_of(one.head)) for one in target.targets))
    return _curves_of(target.head)


def _curves_of(head: Head) -> Curves:
    return Curves(head.curves, head.middle, LEAST_DEVIATION if head.gaussian else 0.0)


def restore_weights(model: Model, state: State) -> None:
    """Load the weights of a checkpoint, or raise the `CheckpointError` that names every array that differs."""
    check_matches(state, shapes(model.parameters.values()))
    model.parameters.set_values(state.model)


def shapes(arrays: dict[str, np.ndarray]) -> dict[str, tuple[tuple[int, ...], Any]]:
    """Return the shape and dtype of each array, as `check_matches` takes them."""
    return {name: (array.shape, array.dtype) for name, array in arrays.items()}
