"""States of the network on disk, so that a stream can be predicted in several parts.

The file is an npz with three arrays: `ids` (N,), the sequences' ids as text, `states` (N, S), the state of each after
its last step, and `model`, the digest of the weights that they belong to, as text; files of earlier versions lack it.
The S values stand layer by layer from the input on: of an LSTM its H outputs h, then its H cells c; of a GRU or RNN its
H outputs h alone. S is the sum of 2 H over layers of LSTM and of H over others.

Legend: N sequences, S state values per sequence, H units of a layer.
"""

import hashlib
import math
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from lstm_cli.data import memory
from lstm_cli.errors import ConfigError, DataError
from lstm_cli.predict.archive import Appended, add_array, add_texts, read_again, unnamed
from lstm_cli.predict.outputs import Network
from lstm_cli.run.files import WholeFile, disk_errors

#: Takes the id of a sequence, the state (S,) after it and its place in the data.
Save = Callable[[str, np.ndarray, str], None]

_FIX = "give a file that --state-out wrote"
_OWN = "give states that this run wrote"
#: Arrays of states are stored as they are; those that take this many times the bytes of the file are none.
_EXPANDED = 100
_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


def check_stateful(network: Network, options: str) -> None:
    """Raise a `ConfigError`, on some options, if the network cannot continue from a state."""
    pool, leave = network.model.spec.pool, f"leave {'them' if ' and ' in options else 'it'} out"
    pooled = network.schema.target.per == "sequence" and pool != "last"
    if network.model.spec.crf:
        raise ConfigError(
            f"{options}: a model with model.crf labels a sequence as a whole and cannot continue where another one "
            f"stopped: {leave}"
        )
    if network.bidirectional:
        raise ConfigError(
            f"{options}: a bidirectional model also starts from the end of a sequence and cannot continue where "
            f"another one stopped: {leave}, or train with bidirectional: false{' and pool: last' * pooled}"
        )
    if pooled:
        raise ConfigError(
            f"{options}: with model.pool: {pool} the output depends on all steps, of which a state has only the last: "
            f"{leave}, or train with pool: last"
        )


def read_states(path: Path, network: Network) -> dict[str, np.ndarray]:
    """Read what `saved_states` wrote: the state (S,) of each sequence by its id.

    Raises
    ------
    DataError
        It is another file, is damaged, or has the states of another model.
    """
    arrays = _arrays(path)
    if not {"ids", "states"} <= arrays.keys():
        raise DataError(f"{path}: holds no states (there is no array ids or states): {_FIX}")
    ids, states, size = arrays["ids"], arrays["states"], network.model.state_size
    if ids.ndim != 1 or states.shape != (len(ids), size):
        expected = (len(ids) if ids.ndim == 1 else "N", size)
        raise DataError(f"{path}: states of shape {states.shape}, expected ({expected[0]}, {expected[1]}): {_OWN}")
    if "model" in arrays and str(arrays["model"]) != digest(network):
        raise DataError(f"{path}: states of another model, or of this one before it was trained further: {_OWN}")
    if ids.dtype.kind != "U" or len(set(ids.tolist())) < len(ids):
        raise DataError(f"{path}: expected different ids as text, got {ids.dtype}: {_FIX}")
    if states.dtype.kind != "f":
        raise DataError(f"{path}: expected states of type {network.model.dtype}, got {states.dtype}: {_OWN}")
    with np.errstate(over="ignore"):
        states = states.astype(network.model.dtype)
    if not np.isfinite(states).all():
        raise DataError(f"{path}: damaged: states that are not finite: {_FIX}")
    return dict(zip(ids.tolist(), states, strict=True))


def digest(network: Network) -> str:
    """Return the SHA-256 of a network's weights, with their names and shapes."""
    found = hashlib.sha256()
    for name, array in network.model.weights().items():
        found.update(f"{name} {array.dtype} {array.shape}".encode())
        found.update(np.ascontiguousarray(array).data)
    return found.hexdigest()


def _arrays(path: Path) -> dict[str, np.ndarray]:
    """Return the arrays of a file by name; what would become far larger than the file is not read."""
    if path.exists() and not path.is_file():
        raise DataError(f"{path}: not a regular file: {_FIX}")
    try:
        with zipfile.ZipFile(path) as archive:
            entries = {entry.filename: entry for entry in archive.infolist()}
            names = [name for name in ("ids", "states", "model") if f"{name}.npy" in entries]
            size = sum(entries[f"{name}.npy"].file_size for name in names)
            if size > _EXPANDED * path.stat().st_size:
                raise ValueError(f"{size:,} bytes in {path.stat().st_size:,}")
            memory.Watch().check(str(path), more=size)
            return {name: _array(archive, entries[f"{name}.npy"]) for name in names}
    except (DataError, MemoryError):
        raise
    except Exception as error:  # zipfile, zlib and numpy raise many types of exceptions on damaged bytes
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise DataError(f"{path}: holds no states ({reason:.200}): {_FIX}") from None


def _array(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> np.ndarray:
    """Return an array of an archive, whose header must claim as many bytes as there are."""
    with archive.open(entry) as file:
        read_header = _HEADERS[np.lib.format.read_magic(file)]
        shape, _, dtype = read_header(file)
        if entry.file_size - file.tell() != dtype.itemsize * math.prod(shape):
            raise ValueError(f"{entry.filename} is damaged")
    with archive.open(entry) as file:
        return np.asarray(np.lib.format.read_array(file, allow_pickle=False))


@contextmanager
def saved_states(path: Path | None, network: Network) -> Iterator[Save]:
    """Yield a function that takes the id of a sequence, the state after it and its place in the data.

    Each state is written at once, to a file without a name beside `path`; only the ids are held. At the end the whole
    file gets its name, or after an error none.
    """
    if path is None:
        yield lambda name, state, where: None
        return
    ids: dict[str, None] = {}
    with WholeFile(path) as file, unnamed(path) as states:

        def save(name: str, state: np.ndarray, where: str) -> None:
            if name in ids:
                raise DataError(f"{where}: id {name} occurs twice, so its state is ambiguous: make ids unique")
            ids[name] = None
            with disk_errors(path):
                states.write(state.tobytes())

        yield save
        with zipfile.ZipFile(Appended(file), "w") as archive:
            add_texts(archive, "ids", list(ids))
            shape = (len(ids), network.model.state_size)
            add_array(archive, "states", np.dtype(network.model.dtype), shape, read_again(states))
            own = np.array(digest(network))
            add_array(archive, "model", own.dtype, (), [own.tobytes()])
