"""What the last recurrent layer makes of sequences: vectors of their steps and of the whole, for other programs.

Legend: T steps, H units of the last layer, those of a bidirectional one side by side, S state values per sequence.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lstm_cli.data import Dataset, Encoded
from lstm_cli.data.batching.whole import WholeBatches, chunks
from lstm_cli.errors import ConfigError
from lstm_cli.graph.ensemble import Ensemble
from lstm_cli.predict.cut import Found, together
from lstm_cli.predict.outputs import Network


@dataclass(frozen=True, eq=False)
class Hidden:
    """The hidden vectors of a sequence.

    Attributes
    ----------
    sequence : Encoded
    steps : array (T, H)
        The last layer's h at each step of the input, with its own input added where `skip` says so. NaN where the
        network does not run: at the first steps, which differences remove, at the last ones if known inputs of later
        steps are not given, and at rows that were skipped.
    vector : array (H,)
        What the output layer reads for a target per sequence: the last, mean or maximum of the steps, or the mean
        that attention weights. For a target per step the last h of each direction.
    state : array (S,)
        After the last step: h, and of an LSTM then c, of each layer and direction.
    """

    sequence: Encoded
    steps: np.ndarray
    vector: np.ndarray
    state: np.ndarray


def check_hidden(network: Network, option: str) -> None:
    """Raise the `ConfigError`, on an option, for a model whose steps have no hidden vectors of their own."""
    layout = network.schema.layout
    if isinstance(network.model, Ensemble):
        raise ConfigError(f"{option}: each of several runs has hidden vectors of its own: give one run")
    if layout.closed_loop is not None:
        raise ConfigError(f"{option}: this model drives a system and sees no sequences: give another run")
    if layout.window is not None:
        what = "with data.scale: window each step is scaled anew for every window that it is in"
        raise ConfigError(f"{option}: {what}: give a run with another scale")


def hidden_vectors(network: Network, sequences: Iterable[Encoded]) -> Iterator[Hidden]:
    """Yield the hidden vectors of each sequence in the order given, holding a few at a time.

    Long sequences are run piece by piece where the model allows it; the vectors are the same.
    """
    for chunk in chunks(sequences, lambda sequence: sequence.steps, network.model.layers[-1].outputs):
        network.check_memory(chunk)
        yield from _of_chunk(network, chunk)


def _of_chunk(network: Network, sequences: Sequence[Encoded]) -> Iterator[Hidden]:
    found = together(network.world, sequences, _own(network, sequences))
    if network.world.rank == 0:
        for index, sequence in enumerate(sequences):
            steps, vector, state = found[index]
            yield Hidden(sequence, _by_input_step(sequence, steps), vector, state)


def _own(network: Network, sequences: Sequence[Encoded]) -> Found:
    """Return vectors of the steps, vector and final state of the sequences that this rank has to run, by index."""
    pieces: dict[int, list[np.ndarray]] = {}
    ends: dict[int, tuple[np.ndarray, np.ndarray]] = {}
    state: np.ndarray | None = None
    batches = WholeBatches(network.model.spec, Dataset(sequences, network.schema))
    for batch in batches.dealt(network.world.rank, network.world.size):
        h, vectors, state = network.hidden_layers(batch, state)
        for column, index in enumerate(batch.sequences.tolist()):
            pieces.setdefault(index, []).append(h[: batch.lengths[column], column].copy())
            ends[index] = vectors[column], state[column]
    return {
        index: (steps[0] if len(steps) == 1 else np.concatenate(steps), *ends[index]) for index, steps in pieces.items()
    }


def _by_input_step(sequence: Encoded, steps: np.ndarray) -> np.ndarray:
    """Return the vectors (T', H) of the steps that the network ran as those of the input's steps (T, H)."""
    first, places = sequence.offset, sequence.places
    if places is None and sequence.input_steps == sequence.steps:
        return steps
    found = np.full((sequence.input_steps, steps.shape[1]), np.nan, steps.dtype)
    ran = slice(first, first + sequence.steps)
    found[ran if places is None else places.numbers[ran]] = steps
    return found


def named_arrays(found: Hidden) -> dict[str, Any]:
    """Return the id of a sequence and its arrays by the names that they have everywhere."""
    return {"id": found.sequence.id, "hidden": found.steps, "vector": found.vector, "state": found.state}
