"""States of the network on disk, so that a stream can be predicted in several parts.

The file is an npz with two arrays: `ids` (N,), the sequences' ids as text, and `states` (N, S), the state of each after
its last step. The S values stand layer by layer from the input on: of an LSTM its H outputs h, then its H cells c; of a
GRU or RNN its H outputs h alone. S is the sum of 2 H over layers of LSTM and of H over others.

Legend: N sequences, S state values per sequence, H units of a layer.
"""

import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from lstm_cli.errors import ConfigError, DataError
from lstm_cli.predict.feedback import Listener, ignore
from lstm_cli.predict.outputs import Network, Outputs
from lstm_cli.run.files import WholeFile


def check_stateful(network: Network) -> None:
    """Raise a `ConfigError` if the network cannot continue from a state."""
    if network.bidirectional:
        raise ConfigError(
            "--state-in and --state-out: a bidirectional model also starts from the end of a sequence and cannot "
            "continue where another one stopped: leave them out"
        )


def read_states(path: Path, network: Network) -> dict[str, np.ndarray]:
    """Read what `saved_states` wrote: the state (S,) of each sequence by its id."""
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            ids, states = file["ids"], file["states"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"{path}: holds no states ({error}): give a file that --state-out wrote") from None
    size = network.model.state_size
    if ids.ndim != 1 or states.shape != (len(ids), size):
        raise DataError(
            f"{path}: states of shape {states.shape}, expected ({len(ids)}, {size}): give states that this run wrote"
        )
    return dict(zip(ids.tolist(), states.astype(network.model.dtype), strict=True))


@contextmanager
def saved_states(path: Path | None) -> Iterator[Listener]:
    """Yield a function that records the state after a sequence; the file is written at the end, or not at all."""
    if path is None:
        yield ignore
        return
    states: dict[str, np.ndarray] = {}

    def save(outputs: Outputs) -> None:
        name, where = str(outputs.sequence.id), outputs.sequence.where
        if name in states:
            raise DataError(f"{where}: id {name} occurs twice, so its state is ambiguous: make ids unique")
        states[name] = outputs.state

    with WholeFile(path) as file:
        yield save
        content = io.BytesIO()
        np.savez(content, ids=np.array(list(states)), states=np.stack(list(states.values())))
        file.write(content.getvalue())
