"""A trained run as its folder holds it, verified: the config, the schema and the best weights. No model is built."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lstm_cli.config import Config
from lstm_cli.data import Schema, schema_of
from lstm_cli.engine.build import check_weights
from lstm_cli.run import checkpoint
from lstm_cli.run.checkpoint import State
from lstm_cli.run.identity import read_checked
from lstm_cli.run.names import BEST, LAST, RESOLVED
from lstm_cli.run.origin import no_run, saved_config


@dataclass(frozen=True, eq=False)
class SavedRun:
    """What a run folder holds.

    Attributes
    ----------
    folder
        As given.
    config, schema
        Of the run.
    state
        The best checkpoint, whose weights fit them.
    files
        The contents of the files that the checkpoint is bound to, by name: the schema, and the code of a system.
    """

    folder: Path
    config: Config
    schema: Schema
    state: State
    files: Mapping[str, bytes]


def read_run(folder: Path) -> SavedRun:
    """Return the best state of the run in a folder; neither its config file nor its data is needed.

    Raises
    ------
    CheckpointError
        The folder contains no run, or its checkpoint is damaged.
    """
    if not os.path.lexists(folder / RESOLVED):
        raise no_run(folder)
    state = checkpoint.load(folder / BEST)
    files = read_checked(state.identity, folder)
    last = checkpoint.identity_of(folder / LAST)
    config = saved_config(folder, [state.identity] if last is None else [state.identity, last])
    schema = schema_of(files, folder, config)
    check_weights(config, schema, state, folder)
    return SavedRun(folder, config, schema, state, files)
