"""``lstm import``: weights from a file as a run, which ``lstm-predict`` and ``--from`` take.

>>> lstm_cli.import_weights("quickstart.npz", run="runs/imported")
"""

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lstm_cli.config import Config, load_config
from lstm_cli.config.load import resolved_config
from lstm_cli.data import checked_contents, open_data
from lstm_cli.errors import ConfigError, DataError, shown_path
from lstm_cli.export import theano_weights
from lstm_cli.export.folder import write_run
from lstm_cli.graph.plan import embedding_sizes, plan_layers
from lstm_cli.run.identity import CHECKED_FILES
from lstm_cli.run.names import RESOLVED
from lstm_cli.run.origin import RUNS


def import_weights(
    file: str | Path, config: str | Path | None = None, overrides: Sequence[str] = (), *, run: str | Path | None = None
) -> list[str]:
    """Make a run of the weights in an ``.npz`` file.

    Parameters
    ----------
    file : path
        What ``lstm export`` wrote, or the weights of a model of the theano-lstm library.
    config : path, optional
        Of such a model: a config as for ``lstm-train``, with its data and its layers.
    overrides : sequence of str
        ``KEY=VALUE``, as on the command line.
    run : path, optional
        The run folder, by default ``runs/`` and the name of the file.

    Returns
    -------
    notes : list of str
        What was assumed.

    Raises
    ------
    DataError
        The file cannot be read, or does not fit the config.
    ConfigError
        The config is missing, or has what these weights cannot have; the folder holds a run.
    """
    source = Path(file)
    folder = RUNS / source.stem if run is None else Path(run)
    arrays = _read(source)
    if RESOLVED in arrays:
        if config is not None:
            what = "has its config with it, as lstm export wrote it"
            raise ConfigError(f"{shown_path(source)}: {what}: leave CONFIG out")
        return _from_export(arrays, folder, source)
    if config is None:
        what = "no file that lstm export wrote; for weights of theano-lstm"
        raise ConfigError(f"{shown_path(source)}: {what} give a CONFIG with the data and model.layers")
    return _from_theano(arrays, load_config(config, overrides), folder, source)


def _read(source: Path) -> dict[str, np.ndarray]:
    """Return the arrays of an ``.npz`` file; nothing in it is run."""
    try:
        with np.load(source, allow_pickle=False) as file:
            if isinstance(file, np.ndarray):
                raise ValueError("one array, not an archive of several")
            return {name: file[name] for name in file.files}
    except FileNotFoundError:
        raise DataError(f"{shown_path(source)}: no such file") from None
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        fix = "write it with numpy.savez, of arrays of numbers"
        raise DataError(f"{shown_path(source)}: cannot be read as .npz ({error}): {fix}") from None


def _from_export(arrays: Mapping[str, np.ndarray], folder: Path, source: Path) -> list[str]:
    small = {name: arrays[name].astype(np.uint8).tobytes() for name in (RESOLVED, *CHECKED_FILES) if name in arrays}
    weights = {name: array for name, array in arrays.items() if name not in small}
    config = resolved_config(small.pop(RESOLVED), source)
    write_run(folder, config, small, weights, source=source)
    return []


def _from_theano(arrays: Mapping[str, np.ndarray], config: Config, folder: Path, source: Path) -> list[str]:
    _check_config(config)
    schema, shown = open_data(config).schema, str(shown_path(source))
    if schema.target.kind not in ("category", "number", "set"):
        raise config.error("data.target", "these models have one target: name one column")
    names = {key: array for key, array in arrays.items() if key == "labels" or key.startswith("vocabulary.")}
    embeddings = embedding_sizes(config.model.embedding, schema.tokens)
    layers = plan_layers(config.model, schema.numeric_size + sum(embeddings.values()))
    of_labels = schema.target.kind == "category"
    expected = theano_weights.expected_arrays(layers, embeddings, -1 if of_labels else schema.target.size)
    given = theano_weights.named({key: array for key, array in arrays.items() if key not in names}, expected, shown)
    weights = theano_weights.converted(given, layers, list(embeddings))
    tokens = {
        name: theano_weights.symbols(
            names.get(f"vocabulary.{name}"), len(weights[f"embedding.{name}"]) - 1, f"vocabulary.{name}", shown
        )
        for name in embeddings
    }
    labels = None
    if of_labels and schema.target.is_next:
        weights = theano_weights.with_unknown(weights)
    elif of_labels:
        labels = theano_weights.symbols(names.get("labels"), len(weights["output.b"]), "labels", shown)
    schema = theano_weights.with_symbols(schema, tokens, labels)
    write_run(folder, config, checked_contents(schema, config), weights, source=source)
    return list(_notes(config, schema, given, expected))


def _check_config(config: Config) -> None:
    """Refuse what a model of theano-lstm cannot have been."""
    model = config.model
    if config.rollout is not None:
        raise config.error("rollout", "weights of a closed loop cannot be imported: leave it out")
    if model.pool != "last":
        raise config.error("model.pool", "these models have none: leave it out")
    for key in ("skip", "tie_embeddings", "crf", "layer_norm"):
        if getattr(model, key, False):
            raise config.error(f"model.{key}", "these models have none: leave it out")
    if model.initial_state != "learned":
        raise config.error("model.initial_state", "these models have learned ones: leave it out")
    for number, layer in enumerate(model.layers):
        key = f"model.layers.{number}"
        if layer.cell not in ("lstm", "rnn"):
            why = "theano-lstm's GRU multiplies h by the reset gate before the product, this one after it"
            raise config.error(key, f"expected lstm or rnn, got {layer.cell}: {why}")
        if layer.bidirectional:
            raise config.error(key, "these models read in one direction: set bidirectional to false")


def _notes(config: Config, schema: Any, given: Mapping[str, np.ndarray], expected: Sequence[Any]) -> list[str]:
    missing = [one.name for one in expected if one.optional and one.name not in given]
    notes = [f"{', '.join(missing)}: not in the file: sequences start from 0"] * bool(missing)
    if schema.scaling and config.data.scale != "none":
        what = f"numbers are scaled as data.scale: {config.data.scale} says"
        notes.append(f"{what}; if the weights were trained on numbers as they are, import with data.scale=none")
    return notes
