"""A run folder made of weights from elsewhere: what a run of ``lstm-train`` has after its end, but no history."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from lstm_cli.config import Config
from lstm_cli.data import schema_of
from lstm_cli.engine.build import check_weights
from lstm_cli.run import checkpoint
from lstm_cli.run.checkpoint import State
from lstm_cli.run.folder import RunFolder
from lstm_cli.run.identity import identity
from lstm_cli.run.names import CONFIG, ENVIRONMENT, RESOLVED
from lstm_cli.run.origin import imported_environment


def write_run(
    folder: Path, config: Config, files: Mapping[str, bytes], weights: Mapping[str, np.ndarray], *, source: Path
) -> None:
    """Write a run whose best state has these weights.

    Parameters
    ----------
    folder
        A new or empty folder.
    config
        Of the model and the data.
    files
        Those of the schema, and the code of a system, by name.
    weights
        By their names in a run.
    source
        Where all this is from, for messages.

    Raises
    ------
    ConfigError
        The folder holds a run, or other files.
    CheckpointError
        Config, schema and weights do not fit each other.
    """
    state = State(model={name: np.array(array, config.precision) for name, array in weights.items()})
    check_weights(config, schema_of(files, source, config), state, source)
    every = {RESOLVED: config.to_yaml().encode(), **files}
    now = identity(config.model_dump(mode="json"), every)
    with RunFolder.create(folder, advice="choose another folder with -o") as run:
        run.write(CONFIG, config.source.text)
        run.write(ENVIRONMENT, imported_environment(config, source))
        for name, content in every.items():
            run.write(name, content)
        checkpoint.save(State(model=state.model, identity=now), run.best)
