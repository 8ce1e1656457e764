"""The weights of a run as files of arrays, with what describes them: config and schema.

An ``.npz`` file holds the weights under their names in the run folder, and the run's small files as bytes under theirs,
``resolved.yaml``, ``schema.json``, ``vocabulary.json`` and ``scaling.json``: all that is needed to make a run of it
again. A ``.safetensors`` file has the same weights, and config and schema as text in its metadata.
"""

import io
import json
import zipfile
from collections.abc import Mapping

import numpy as np

from lstm_cli.engine.saved import SavedRun
from lstm_cli.run.arrays import pack
from lstm_cli.run.names import RESOLVED

#: A time of the files in an archive that does not depend on when it is written: the same run gives the same bytes.
_TIME = (1980, 1, 1, 0, 0, 0)


def npz(run: SavedRun, resolved: bytes) -> bytes:
    """Return a run as an ``.npz`` file, given its resolved config: `numpy.load` needs no pickle to read it."""
    small = {name: np.frombuffer(content, np.uint8) for name, content in {**run.files, RESOLVED: resolved}.items()}
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in sorted({**run.state.model, **small}.items()):
            content = io.BytesIO()
            np.lib.format.write_array(content, np.ascontiguousarray(array), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", _TIME), content.getvalue(), zipfile.ZIP_DEFLATED)
    return file.getvalue()


def safetensors(arrays: Mapping[str, np.ndarray], run: SavedRun, **metadata: str) -> bytes:
    """Return arrays as a ``.safetensors`` file with the description of a run in its metadata."""
    pieces = pack(arrays, {**described(run), **metadata})
    return b"".join(pieces)


def described(run: SavedRun) -> dict[str, str]:
    """Return config and schema of a run as JSON texts of ASCII characters, by name."""
    texts = {"config": json.dumps(run.config.model_dump(mode="json"))}
    for name, content in run.files.items():
        if name.endswith(".json"):
            texts[name.removesuffix(".json")] = json.dumps(json.loads(content.decode("utf-8", "surrogatepass")))
    return texts
