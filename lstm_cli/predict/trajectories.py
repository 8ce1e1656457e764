"""A model that drives a system: where the system goes from given starts.

Legend: T steps, B batch, D numbers of the state, O outputs of the network.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from lstm_cli.config.config import Config
from lstm_cli.data import Batches, Dataset, Encoded, Schema
from lstm_cli.data.batching.closed_loops import Counted
from lstm_cli.data.batching.whole import BATCH_STEPS, chunks
from lstm_cli.engine.predictor import Driver
from lstm_cli.engine.system import Code
from lstm_cli.errors import CheckpointError, ConfigError, Diverged
from lstm_cli.predict.outputs import Network
from lstm_cli.predict.wording import plain
from lstm_cli.run.folder import DYNAMICS


def kept_code(folder: Path, config: Config, *, trust: bool) -> Code | None:
    """Return the code of the system that a run keeps, if it drives one and the user trusts what is in the folder."""
    if config.rollout is None or config.rollout.dynamics is None:
        return None
    path, (file, _, function) = folder / DYNAMICS, config.rollout.dynamics.rpartition(":")
    code = Code.read(path, CheckpointError)
    if not trust:
        raise ConfigError(
            f"{folder}: this model drives a system, and to predict runs the code in {path} (its function {function}; "
            f"taken from {file} in training; SHA-256 {code.digest[:16]}…): read it, and say --trust if you trust it"
        )
    return code


def with_steps(schema: Schema, steps: int | None) -> Schema:
    """Return a schema that reads starts for so many steps; None: as many as in training."""
    if steps is None:
        return schema
    layout = replace(schema.layout, loop=replace(schema.layout.loop, steps=steps))
    return replace(schema, layout=layout)


def trajectories(network: Network, sequences: Iterable[Encoded]) -> Iterator[dict[str, Any]]:
    """Yield the row for each start, in the order given, some of them held at a time: states in their own units."""
    driver = Driver(network.model)
    for group in chunks(sequences, lambda sequence: sequence.steps, network.schema.target.size):
        rows: list[dict[str, Any]] = [{}] * len(group)
        batches = Batches(
            Dataset(group, network.schema), batch_steps=BATCH_STEPS, shuffle=False, loop=Counted(1, "every")
        )
        for batch in batches.epoch(0):
            states, outputs, divergence = driver(batch)
            if divergence:
                where, row = divergence
                name = group[batch.sequences[row]].id
                raise Diverged(f"{where} from the start of {name}: leave it out, or train the network further")
            for row, index in enumerate(batch.sequences):
                turns = slice(int(batch.observed[row]) - 1, int(batch.lengths[row]))
                rows[index] = _row(network.schema, group[index], states[turns, row], outputs[turns, row])
        yield from rows


def _row(schema: Schema, sequence: Encoded, states: np.ndarray, outputs: np.ndarray) -> dict[str, Any]:
    scaling = schema.scaling[schema.layout.inputs[0].name]
    return {"id": sequence.id, "prediction": plain(scaling.undo(states)), "output": plain(outputs)}
