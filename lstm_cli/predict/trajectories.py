"""Trajectories of the system that a model drives, from given starts.

Legend: T steps, B batch, D numbers of the state, O outputs of the network.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from lstm_cli.config.config import Config
from lstm_cli.data import Batch, Batches, CountedSteps, Dataset, Encoded, Schema
from lstm_cli.data.batching.whole import BATCH_STEPS, chunks
from lstm_cli.engine.predictor import Driver
from lstm_cli.engine.system import Code, dynamics
from lstm_cli.errors import CheckpointError, ConfigError, Diverged
from lstm_cli.graph.rollout import ClosedLoop
from lstm_cli.predict.cut import Found, together
from lstm_cli.predict.outputs import Network
from lstm_cli.predict.wording import plain
from lstm_cli.run.names import DYNAMICS


def saved_code(folder: Path, content: bytes | None, config: Config, *, trust: bool) -> Code | None:
    """Return the code of the system in a run folder, if the model drives one and the user trusts the folder.

    `content` is that of the file, as it was compared with the checkpoint; None where there is none.
    """
    named = dynamics(config)
    if named is None:
        return None
    path, (file, function) = folder / DYNAMICS, named
    if content is None:
        raise CheckpointError(f"{path}: the file is missing: restore that file, or train again")
    code = Code.of_bytes(path, content, CheckpointError)
    if not trust:
        raise ConfigError(
            f"{folder}: this model drives a system, and to predict runs the code in {path} (its function {function}; "
            f"taken from {file} in training; SHA-256 {code.digest[:16]}…): read it, and give --trust if you trust it"
        )
    return code


def with_steps(schema: Schema, steps: int | None) -> Schema:
    """Return a schema for starts of closed loops of `steps` steps; None: as many as in training."""
    closed_loop = schema.layout.closed_loop
    if steps is None or closed_loop is None:
        return schema
    return replace(schema, layout=replace(schema.layout, closed_loop=replace(closed_loop, steps=steps)))


def trajectories(network: Network, sequences: Iterable[Encoded]) -> Iterator[dict[str, Any]]:
    """Yield the row for each start in the order given, holding a few at a time; states are in their original units."""
    if not isinstance(network.model, ClosedLoop):
        raise ValueError("only a model that drives a system has trajectories")
    driver = Driver(network.model)
    for group in chunks(sequences, lambda sequence: sequence.steps, network.schema.target.outputs):
        found = together(network.world, group, _driven(network, driver, group))
        if network.world.rank == 0:
            yield from (_row(network.schema, start, *found[index]) for index, start in enumerate(group))


def _driven(network: Network, driver: Driver, group: Sequence[Encoded]) -> Found:
    """Return states and outputs of the closed loops from those starts that this rank has to run, by their index."""
    own: Found = {}
    batches = Batches(
        Dataset(group, network.schema), batch_steps=BATCH_STEPS, shuffle=False, closed_loop=CountedSteps(1, "every")
    )
    for batch in batches.dealt(network.world.rank, network.world.size):
        states, outputs, diverged = driver(batch)
        if diverged is not None:
            name = group[batch.sequences[diverged.column]].id
            raise Diverged(f"{diverged.where} from the start of {name}: leave it out, or train the network further")
        for column, (index, turns) in enumerate(zip(batch.sequences.tolist(), _turns(batch), strict=True)):
            own[index] = states[turns, column], outputs[turns, column]
    return own


def _turns(batch: Batch) -> Iterator[slice]:
    """Yield the steps of the closed loop of each sequence of a batch."""
    if batch.observed is None:
        raise ValueError("only a closed loop has observed steps")
    for observed, length in zip(batch.observed.tolist(), batch.lengths.tolist(), strict=True):
        yield slice(observed - 1, length)


def _row(schema: Schema, sequence: Encoded, states: np.ndarray, outputs: np.ndarray) -> dict[str, Any]:
    scaling = schema.scaling[schema.layout.inputs[0].name]
    return {"id": sequence.id, "prediction": plain(scaling.undo(states)), "output": plain(outputs)}
